"""Why processes ended badly: which one failed first, and the calls of it that failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from scopetrace.model.process_tree import ProcessNode
from scopetrace.model.session import SessionInfo

if TYPE_CHECKING:
    from scopetrace.model.json_value import Json


WEAK = frozenset(("ENOENT", "ENOTDIR", "EEXIST"))
"""Errors that calls meet which ask how things stand."""
RENAME = "rename"
"""Class of calls that no program makes to ask."""


def is_weak(data: Mapping[str, Any]) -> bool:
    """Whether a call may have failed because it only asked how things stand.

    A program file whose interpreter is not there was found.
    """
    asks = data.get("error") in WEAK and data.get("class") != RENAME
    return asks and not data.get("interpreter")


class Failure(NamedTuple):
    """A call that failed, and that may be why its process did."""

    event: int
    """Id of its event; of several that are alike, of the last."""
    time_ns: int
    """Unix time, ns."""
    source: str
    """fs.error, net.error, proc.error, dns.error, dns.resp or http.resp."""
    data: dict[str, Json]
    """The data of that event."""
    times: int
    """How often it failed so."""
    folders: int
    """In how many folders the file was looked for by its name; 1: in its own."""
    named: bool
    """The last lines of stderr name its file, or whom it was to reach."""
    worded: bool
    """They name it, or have the words of its error."""

    @property
    def sure(self) -> bool:
        """Whether it is likely to be the reason: more than a look for what may be there."""
        asks = self.source == "http.resp" or is_weak(self.data)
        return self.worded or not asks

    def body(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "event": self.event,
            "_time": self.time_ns // 1000 / 1_000_000,
            "source": self.source,
            "times": self.times,
            "folders": self.folders,
            "named": self.named,
            "worded": self.worded,
            "data": self.data,
        }


class LastCall(NamedTuple):
    """One of the last things that a process did before a signal ended it."""

    event: int
    source: str
    data: dict[str, Json]


class BadEnd(NamedTuple):
    """A process that ended badly, and why as far as that is known."""

    chain: tuple[ProcessNode, ...]
    """The process, the child whose failure it passed on, and so on; the last one failed first."""
    failures: tuple[Failure, ...]
    """Of the last one; the likeliest reason first."""
    stderr: tuple[str, ...]
    """The last lines that it wrote to stderr, or that one before it in the chain wrote."""
    stdout: tuple[str, ...]
    """If there are none: those on stdout."""
    log: tuple[str, ...]
    """If there are none either: those that it wrote to logs."""
    said: str
    """The one of them that says most about the reason."""
    signal: dict[str, Json]
    """The data of the proc.signal that ended it; empty if it exited, or nothing was delivered."""
    sender: ProcessNode | None
    """Who sent that signal, if it is a process of the session."""
    last_calls: tuple[LastCall, ...]
    """If a signal ended it: what it did before, the oldest first."""

    @property
    def origin(self) -> ProcessNode:
        """The process that failed first."""
        return self.chain[-1]


class Why(NamedTuple):
    """The answer of a session to: why did it fail?"""

    info: SessionInfo
    processes: int
    """How many there were."""
    ends: tuple[BadEnd, ...]
    """Of the first process, if it ended badly; then of others, the last first."""
    others: int
    """How many more processes ended badly, of which nothing is known."""

    @property
    def first_failed(self) -> bool:
        """Whether the first process ended badly."""
        return bool(self.ends) and self.ends[0].chain[0].pid == self.info.pid
