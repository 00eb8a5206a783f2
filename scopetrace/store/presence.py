"""Whether a session file that is open is still there, whole and under its name, as is its log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_SALT_AT, _NO_SALT = 16, bytes(4)
"""Where the first salt of a write-ahead log is, and what a hole has there."""


class Log(NamedTuple):
    """The size and the salt of a write-ahead log, which show whether it was cut."""

    size: int
    """In bytes; 0 also if there is none."""
    salt: bytes
    """By which its pages are known; empty: there is none."""

    @classmethod
    def of(cls, path: Path) -> Log:
        """Return what there is of the log beside a session file."""
        try:
            with Path(f"{path}-wal").open("rb", buffering=0) as log:
                fd = log.fileno()
                return cls(os.fstat(fd).st_size, os.pread(fd, len(_NO_SALT), _SALT_AT))
        except OSError:
            return cls(0, b"")


class Presence:
    """What is known of the place of a session file, from when it was opened.

    Raises:
        OSError: there is no such file.
    """

    log_is_cut: bool
    """Whether the log was shortened: SQLite goes on behind the hole, where no reader finds rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.lstat()
        self.begin_log()

    def begin_log(self) -> None:
        """Take the log as it is now for a whole one."""
        self._log, self.log_is_cut = Log.of(self._path), False

    def look_at_log(self, before: Log) -> None:
        """Notice if the log was cut between the last commit and this one.

        If SQLite itself made the log anew, it has another salt (sqlite.org/fileformat2.html).

        Args:
            before: the log before this commit.
        """
        known, self._log = self._log, Log.of(self._path)
        self.log_is_cut |= before.size < known.size and self._log.salt in (known.salt, _NO_SALT)

    def has_name(self) -> bool:
        """Return whether the file of this name is the one that was opened, whole or not.

        Raises:
            OSError: there is no file of this name, or that is not known.
        """
        return os.path.samestat(self._path.lstat(), self._file)

    def is_in_place(self) -> bool:
        """Return whether the file of this name is the one that was opened, and not truncated."""
        try:
            now = self._path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # not known; go on with the open file
        in_place = os.path.samestat(now, self._file) and now.st_size >= self._file.st_size
        self._file = now if in_place else self._file
        return in_place
