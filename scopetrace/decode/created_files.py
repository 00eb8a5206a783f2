"""Which opens with O_CREAT have created their file.

The kernel does not say. With O_EXCL it was created; else it is empty, and the file system says
that it was created during the call (btime of statx(2)). Times of files are those of the last tick
of the clock, which comes late where a CPU is shared. So a file is taken for one that the call
created, too, if a program that is not recorded created it shortly before.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable

from scopetrace.decode.files import DecodedFile
from scopetrace.model.open_file import FileStat

TICK_NS = 100_000_000
"""How far the clock of files may be behind: a tick is 1 to 10 ms, and some may be missed."""
REMEMBERED = 1024
"""Files that are known to be there."""


def clock_offset_ns() -> int:
    """Return what CLOCK_MONOTONIC is behind Unix time now: the clock may have been set lately."""
    return time.time_ns() - time.monotonic_ns()


class CreatedFiles:
    """The files that were created in the last ticks, so that each is created once."""

    def __init__(self, offset_ns: Callable[[], int] = clock_offset_ns) -> None:
        self._offset_ns = offset_ns
        self._born_ns: dict[str, int] = {}
        """When they were, by their names: the number of a file is soon given again."""

    def is_new(self, file: DecodedFile, flags: int, entered_ns: int, elapsed_ns: int) -> bool:
        """Return whether an open with O_CREAT made its file; False also if that is not known.

        Args:
            file: what was opened.
            flags: of open(2).
            entered_ns: when, by CLOCK_MONOTONIC.
            elapsed_ns: how long the call took.
        """
        status = file.stat
        if status is None or flags & os.O_TMPFILE == os.O_TMPFILE:
            return False
        if not flags & os.O_EXCL and (status.size or not stat.S_ISREG(status.mode)):
            return False
        began_ns = entered_ns + self._offset_ns()
        if not (flags & os.O_EXCL or self._is_born(file.path, status, began_ns, elapsed_ns)):
            return False
        if len(self._born_ns) >= REMEMBERED:
            self._born_ns.clear()
        self._born_ns[file.path] = status.born_ns or began_ns
        return True

    def deleted(self, path: str) -> None:
        """Forget a name: the next file of that name is another one."""
        self._born_ns.pop(path, None)

    def renamed(self, path: str, new: str) -> None:
        """Know a file by its new name, and no more the one that had this name."""
        self.deleted(new)
        if born_ns := self._born_ns.pop(path, 0):
            self._born_ns[new] = born_ns

    def _is_born(self, path: str, status: FileStat, began_ns: int, elapsed_ns: int) -> bool:
        """Whether a file was created in a call, and is not known to have been so before it."""
        return (
            began_ns - TICK_NS <= status.born_ns <= began_ns + elapsed_ns + TICK_NS
            and abs(self._born_ns.get(path, 0) - status.born_ns) > 2 * TICK_NS
        )
