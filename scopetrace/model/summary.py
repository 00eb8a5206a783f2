"""The summary of a session: the answers to what is asked first of any program."""

from __future__ import annotations

from typing import NamedTuple

from scopetrace.model.file_record import FileRecord
from scopetrace.model.flow_record import FlowRecord
from scopetrace.model.process_tree import ProcessNode, all_nodes
from scopetrace.model.session import SessionInfo
from scopetrace.model.why import BadEnd


class Log(NamedTuple):
    """A file whose text was recorded, since a rule of scope.yml takes it for a log.

    Or the console.
    """

    path: str
    """Of the console: stdout or stderr."""
    lines: int
    last: str
    """The last line."""
    sourcetype: str = "file"
    """file or console."""


class Slow(NamedTuple):
    """Where much of the time of a session went."""

    kind: str
    """process, file (in reads and writes), request and served (HTTP, as a client and as a server),
    question (DNS)."""
    name: str
    """The command of the process, the path, the method and the target, the name that was asked."""
    duration_us: int
    """Of a process without that of the processes that it started."""
    pid: int
    """Of the process; 0: several."""
    cpu_us: int | None
    """Of a process: the CPU time in it; the rest it waited. None: not known, or no process."""


class Summary(NamedTuple):
    """What a session says of its program, before any question."""

    info: SessionInfo
    roots: tuple[ProcessNode, ...]
    start_up_images: frozenset[int]
    """The numbers of those process images that belong to the start-up, as the scripts of pyenv."""
    bad_end: BadEnd | None
    """Why the first process ended badly; None: it did not."""
    files: tuple[FileRecord, ...]
    logs: tuple[Log, ...]
    flows: tuple[FlowRecord, ...]
    net_errors: dict[str, int]
    """Error of a failed connection or transfer → how often."""
    lookup_errors: dict[str, int]
    """Name that could not be looked up, and what was answered → how often."""
    requests: dict[str, dict[int, int]]
    """client or server (of this program's side) → HTTP status → responses."""
    unanswered: int
    """HTTP requests without a response."""
    stdout_lines: int
    stderr_lines: int
    stderr_last: tuple[str, ...]
    """The last lines that were written to stderr, the oldest first; those that say why, if the
    program ended badly."""
    slow: tuple[Slow, ...]
    """What took a good part of the time, the longest first."""
    notices: tuple[str, ...]
    """What the recorder had to say about the recording itself."""
    gate: dict[str, int]
    """Way (model.raw.Way) → how many calls were made so; {}: all stopped (key `gate`)."""

    @property
    def processes(self) -> list[ProcessNode]:
        """All processes, parents first."""
        return [*all_nodes(self.roots)]
