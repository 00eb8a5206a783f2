"""Tables of fds: which number is which open file, for the tasks that share one table.

A table keeps what is open. What was done with a file through the table (`Usage`) exists only for
files that were opened or used through it. What changes a table:

1. fork, or clone without CLONE_FILES: the child gets a copy (`copy`) with the same files, the same
   marks of close-on-exec and no usages, so that a fork costs a few dictionaries. With CLONE_FILES
   the child shares the table (`users`).
2. unshare(CLONE_FILES), or CLOSE_RANGE_UNSHARE: the task alone gets a copy; the usages stay with
   the table that the others still use.
3. exec: as 2., then each fd with close-on-exec is closed. The engine lists the fds that are left,
   since fcntl(F_SETFD) is not watched and `cloexec` is only a lower bound.
4. close, close_range, and dup2 or dup3 over an open fd: the fd is freed. The file is released with
   its last fd *in this table*, whatever fds other tables have of it.
5. The last task that uses the table exits: all its files are released (`decode.closing`).
6. An fd is in the table although a call returned it anew: its close was missed, and is made up for.

How many fds are one file is counted (`Usage.fds`) only for a file with a usage; where that begins
later than the file was opened, its fds are searched for if there can be more than one
(`duplicated`).
"""

from __future__ import annotations

from collections.abc import Iterable

from scopetrace.decode.files import DecodedFile
from scopetrace.model.open_file import Usage

Released = tuple[DecodedFile, Usage]
"""A file whose last fd in a table was closed, and what was done with it through that table."""


class FdTable:
    """The fds of the tasks that share them (CLONE_FILES, clone(2))."""

    __slots__ = ("cloexec", "consoles", "fds", "received", "usages", "users")

    def __init__(self) -> None:
        self.fds: dict[int, DecodedFile] = {}
        self.cloexec: set[int] = set()
        """The fds known to close at exec: a lower bound, as fcntl(F_SETFD) is not seen."""
        self.consoles: dict[int, DecodedFile] = {}
        """For fds that are both console and socket: the console side."""
        self.received: dict[int, str] = {}
        """For fds that came in a message, and whose file is not known yet: the call."""
        self.usages: dict[DecodedFile, Usage] = {}
        self.users = 1
        """How many tasks share it."""

    def copy(self) -> FdTable:
        """Return the table that a fork makes: the same files, none of them used yet."""
        table = FdTable()
        table.fds = self.fds.copy()
        table.cloexec = self.cloexec.copy()
        table.consoles = self.consoles.copy()
        return table

    def open(self, fd: int, file: DecodedFile, cloexec: bool) -> Released | None:
        """Put a newly opened file at `fd`; return what a missed close left there."""
        released = self.close(fd) if fd in self.fds else None
        if file.fd < 0:
            file.fd = fd
        self.fds[fd] = file
        self.usages[file] = Usage(True, 1)
        if cloexec:
            self.cloexec.add(fd)
        return released

    def put(self, fd: int, file: DecodedFile, cloexec: bool) -> Released | None:
        """Make `fd` one more fd of a file that is open already; return what that released."""
        released = self.close(fd)
        usage = self.usages.get(file)
        if usage is not None:
            usage.fds += 1
        if file.fd < 0:
            file.fd = fd
        self.fds[fd] = file
        if cloexec:
            self.cloexec.add(fd)
        return released

    def duplicate(self, old: int, new: int, cloexec: bool) -> Released | None:
        """Make `new` the same file as `old`; return what that released."""
        file = self.fds.get(old)
        if file is None:
            return self.close(new)
        if old == new:
            return None
        file.duplicated = True
        released = self.put(new, file, cloexec)
        if old in self.consoles:
            self.consoles[new] = self.consoles[old]
        return released

    def close(self, fd: int) -> Released | None:
        """Free `fd`; return its file if this was its last fd, and it was opened or used here."""
        file = self.fds.pop(fd, None)
        if file is None:
            return None
        self.cloexec.discard(fd)
        if self.received:
            self.received.pop(fd, None)
        if self.consoles:
            self.consoles.pop(fd, None)
        usage = self.usages.get(file)
        if usage is None:
            return None
        usage.fds -= 1
        if usage.fds > 0:
            return None
        del self.usages[file]
        return file, usage

    def close_many(self, fds: Iterable[int]) -> list[Released]:
        """Free each of `fds`; return the files that this released, as `close` does."""
        return [released for fd in sorted(fds) if (released := self.close(fd)) is not None]

    def within(self, first: int, last: int) -> list[int]:
        """Return the open fds of a range, both ends included, in order."""
        if last - first < len(self.fds):
            return [fd for fd in range(first, last + 1) if fd in self.fds]
        return sorted(fd for fd in self.fds if first <= fd <= last)

    def replace(self, old: DecodedFile, new: DecodedFile) -> None:
        """Make every fd of one file an fd of another, which it turned out to be."""
        for fd, file in self.fds.items():
            if file is old:
                self.fds[fd] = new
        if new.fd < 0:
            new.fd = old.fd
        usage = self.usages.pop(old, None)
        if usage is not None:
            known = self.usages.setdefault(new, usage)
            if known is not usage:
                known.fds += usage.fds

    def use(self, file: DecodedFile) -> Usage:
        """Return the usage of a file in this table, a new one if there is none."""
        usage = self.usages.get(file)
        if usage is None:
            fds = list(self.fds.values()).count(file) if file.duplicated else 1
            usage = self.usages[file] = Usage(False, fds)
        return usage
