"""What differs between two recorded runs, A and B: one record for each difference."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, NamedTuple

from scopetrace.model.file_record import OWN
from scopetrace.model.session import SessionInfo

ONLY_A, ONLY_B, RESULT, CONTENT, SLOWER = "only A", "only B", "result", "content", "slower"
"""The classes of differences: what is in one run only, what ended in another way (exit status,
errno, HTTP status), what had other content (bytes, text, arguments), and what took longer in B."""
PROCESS, FILE, PEER, PORT = "process", "file", "peer", "port"
REQUEST, ANSWER, NAME, CALL = "request", "answer", "name", "call"
STDOUT, STDERR, LOG = "stdout", "stderr", "log"
KINDS = (
    PROCESS, FILE, PORT, PEER, REQUEST, ANSWER, NAME, CALL, STDERR, LOG, STDOUT,
)  # fmt: skip
"""What differences are about: a port that the program listened on, a peer that it connected to, a
request that it sent, an answer that it gave, a name that it looked up, a call that failed…"""
PRESENCE, STATUS, PROGRAM, ARGUMENTS, FOLDER, USER = (
    "presence", "status", "program", "arguments", "cwd", "user",
)  # fmt: skip
ENVIRONMENT = "environment"
USE, READ_BYTES, WRITTEN_BYTES, SENT_BYTES, RECEIVED_BYTES, SOURCE, LINE, DURATION = (
    "use", "bytes read", "bytes written", "bytes sent", "bytes received", "source", "line",
    "duration",
)  # fmt: skip
"""Which side of a thing differs. Bytes are numbers; durations are numbers of µs."""
ANSWER_BYTES = "answer bytes"
BYTES = (ANSWER_BYTES, READ_BYTES, WRITTEN_BYTES, SENT_BYTES, RECEIVED_BYTES)
_VARYING = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{7,}\b|\d+")
"""Numbers, and what looks like a hash."""


class Slower(NamedTuple):
    """How much longer a process must take in B than in A to be called slower."""

    factor: float = 2.0
    floor_us: int = 100_000
    """So much at least is between the two durations, µs."""


class Difference(NamedTuple):
    """One thing that is not the same in both runs."""

    change: str
    """Its class: only A, only B, result, content or slower."""
    kind: str
    """What it is about, one of KINDS."""
    aspect: str
    """Which side of it differs."""
    subject: str
    """The thing, by a name that holds for both runs: paths may be relative, temporary names are
    `*`, process ids `PID`."""
    a: str | int | None = None
    """What it was in A; None: it was not there. So is `b`."""
    b: str | int | None = None
    path_class: str = OWN
    """Of a file (scope.yml, pathclasses); of all else that belongs to start-up `system`."""
    stands_for: int = 1
    """How many things of this kind it stands for, such as a process with all below it."""
    follows: bool = False
    """It follows from others: only processes that ran in one session used the file, or the line is
    the command line of such a process."""

    @property
    def is_startup(self) -> bool:
        """Whether it is about the start-up of programs rather than what they are for."""
        return self.path_class != OWN

    @property
    def key(self) -> Hashable:
        """What it has in common with differences of the same thing between further runs."""
        texts: tuple[str, ...] = ()
        if self.aspect in (LINE, ARGUMENTS):
            texts = tuple(sorted({masked(str(side)) for side in (self.a, self.b) if side}))
        return self.kind, self.aspect, masked(self.subject), texts

    def body(self) -> dict[str, Any]:
        """Return the difference as JSON has it."""
        return {
            "change": self.change,
            "kind": self.kind,
            "aspect": self.aspect,
            "subject": self.subject,
            "a": self.a,
            "b": self.b,
            "class": self.path_class,
            "count": self.stands_for,
            "follows": self.follows,
        }


FIELDS = ("change", "kind", "aspect", "subject", "a", "b", "class", "count", "follows")
"""The names by which JSON, CSV and Markdown speak of a difference."""


class SessionDiff(NamedTuple):
    """All differences between two sessions, those that answer most first.

    It is true if there are any.
    """

    a: SessionInfo
    b: SessionInfo
    differences: tuple[Difference, ...]
    ignored: int
    """How many were left out, since they also are between A and further runs like it."""

    def __bool__(self) -> bool:
        """Return whether there are differences."""
        return bool(self.differences)


def masked(text: str) -> str:
    """Return a text with a `#` for each number and hash."""
    return _VARYING.sub("#", text)
