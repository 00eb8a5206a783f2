"""The summary of a session: the answers to what is asked first of any program."""

from __future__ import annotations

from typing import NamedTuple

from scopetrace.model.file_record import FileRecord
from scopetrace.model.flow_record import FlowRecord
from scopetrace.model.process_tree import ProcessNode
from scopetrace.model.session import SessionInfo


class Log(NamedTuple):
    """A file whose text was recorded, since a rule of scope.yml takes it for a log."""

    path: str
    lines: int
    last: str
    """The last line."""


class Summary(NamedTuple):
    """What a session says of its program, before any question."""

    info: SessionInfo
    roots: tuple[ProcessNode, ...]
    files: tuple[FileRecord, ...]
    logs: tuple[Log, ...]
    flows: tuple[FlowRecord, ...]
    net_errors: dict[str, int]
    """Error of a failed connection or transfer → how often."""
    requests: dict[str, dict[int, int]]
    """client or server (of this program's side) → HTTP status → responses."""
    stdout_lines: int
    stderr_lines: int
    stderr_last: tuple[str, ...]
    """The last lines that were written to stderr, the oldest first."""
    notices: tuple[str, ...]
    """What the recorder had to say about the recording itself."""

    @property
    def processes(self) -> list[ProcessNode]:
        """All processes, parents first."""
        return [node for root in self.roots for _, node in root.walk()]
