"""Open files as decoding knows them, made from what the engine found behind an fd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scopetrace.decode.parts import LINK, STAT, Parts
from scopetrace.decode.paths import DELETED, text, undeleted
from scopetrace.model.named import build
from scopetrace.model.open_file import FileStat, OpenFile
from scopetrace.model.raw import STAT as STAT_LAYOUT

if TYPE_CHECKING:
    from scopetrace.decode.socket import Socket


unpack_stat = STAT_LAYOUT.unpack


class DecodedFile(OpenFile):
    """An open file, and what only decoding has to know of it."""

    __slots__ = ("duplicated", "named_by_link", "socket")

    def __init__(self, path: str, status: FileStat | None, opened_ns: int) -> None:
        self._begin(path, status, opened_ns)

    def _begin(self, path: str, status: FileStat | None, opened_ns: int) -> None:
        OpenFile._begin(self, path, status, opened_ns)
        self.socket: Socket | None = None
        """The socket that it is; None: it is something else."""
        self.duplicated = False
        """Some table of fds may hold it more than once."""
        self.named_by_link = False
        """It was opened without a name (O_TMPFILE), and linkat(2) gave it one."""


def open_file(parts: Parts, otherwise: str, opened_ns: int) -> DecodedFile:
    """Return a new open file; `otherwise` is its path if the kernel's link is missing.

    A link's " (deleted)" goes if the file has no name left, or was not asked for by that name.
    """
    raw_stat = parts.get(STAT)
    status = build(FileStat, unpack_stat(raw_stat)) if raw_stat else None
    link = text(parts.get(LINK, b"")) or otherwise
    if link[-1:] == ")" and _is_deleted(otherwise, status):
        link = undeleted(link)
    file = DecodedFile.__new__(DecodedFile)
    file._begin(link, status, opened_ns)
    return file


def _is_deleted(otherwise: str, status: FileStat | None) -> bool:
    """Whether " (deleted)" at the end of a link is the kernel's remark, not part of the name."""
    if status is not None and status.links == 0:
        return True
    if otherwise:
        return not otherwise.endswith(DELETED)
    return status is None
