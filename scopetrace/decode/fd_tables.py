"""Tables of fds: which number is which open file, for the tasks that share one table.

A table only keeps what is open. What a process did with a file (`Usage`) exists for files that it
opened or used, so that a fork copies one dictionary and nothing else. The number of fds that are
one file is counted only where it can be more than one.
"""

from __future__ import annotations

from collections.abc import Iterable

from scopetrace.model.open_file import OpenFile, Usage

Gone = tuple[OpenFile, Usage]
"""A file whose last fd went, and what was done with it through this table."""


class FdTable:
    """The fds of the tasks that share them (CLONE_FILES, clone(2))."""

    __slots__ = ("cloexec", "consoles", "fds", "received", "usages", "users")

    def __init__(self) -> None:
        self.fds: dict[int, OpenFile] = {}
        self.cloexec: set[int] = set()
        """The fds known to close at exec: a lower bound, as fcntl(F_SETFD) is not seen."""
        self.consoles: dict[int, OpenFile] = {}
        """What those fds that are the console and a socket are as the console."""
        self.received: dict[int, str] = {}
        """The fds that came in a message and whose file is not known yet, and the call."""
        self.usages: dict[OpenFile, Usage] = {}
        self.users = 1
        """How many tasks share it."""

    def copy(self) -> FdTable:
        """Return the table a fork makes: the same files, none of them used yet."""
        table = FdTable()
        table.fds = self.fds.copy()
        table.cloexec = self.cloexec.copy()
        table.consoles = self.consoles.copy()
        return table

    def open(self, fd: int, file: OpenFile, cloexec: bool) -> Gone | None:
        """Put a newly opened file at `fd`; return what a missed close left there."""
        gone = self.close(fd) if fd in self.fds else None
        if file.fd < 0:
            file.fd = fd
        self.fds[fd] = file
        self.usages[file] = Usage(opened=True, fds=1)
        if cloexec:
            self.cloexec.add(fd)
        return gone

    def put(self, fd: int, file: OpenFile, cloexec: bool) -> Gone | None:
        """Make `fd` one more fd of a file that is open already; return what that closed."""
        gone = self.close(fd)
        usage = self.usages.get(file)
        if usage is not None:
            usage.fds += 1
        if file.fd < 0:
            file.fd = fd
        self.fds[fd] = file
        if cloexec:
            self.cloexec.add(fd)
        return gone

    def duplicate(self, old: int, new: int, cloexec: bool) -> Gone | None:
        """Make `new` the same file as `old`; return what that closed."""
        file = self.fds.get(old)
        if file is None:
            return self.close(new)
        if old == new:
            return None
        file.duplicated = True
        gone = self.put(new, file, cloexec)
        if old in self.consoles:
            self.consoles[new] = self.consoles[old]
        return gone

    def close(self, fd: int) -> Gone | None:
        """Free `fd`; return its file if this was the last fd of it, and it was used here."""
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

    def close_many(self, fds: Iterable[int]) -> list[Gone]:
        """Free each of `fds`; return the files that this closed, as `close` does."""
        return [gone for fd in sorted(fds) if (gone := self.close(fd)) is not None]

    def within(self, first: int, last: int) -> list[int]:
        """Return the open fds of a range, both ends included, in order."""
        if last - first < len(self.fds):
            return [fd for fd in range(first, last + 1) if fd in self.fds]
        return sorted(fd for fd in self.fds if first <= fd <= last)

    def replace(self, old: OpenFile, new: OpenFile) -> None:
        """Let every fd of one file be one of another, which it turned out to be."""
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

    def use(self, file: OpenFile) -> Usage:
        """Return what is noted of a file of this table, beginning to note if nothing is."""
        usage = self.usages.get(file)
        if usage is None:
            fds = sum(1 for other in self.fds.values() if other is file) if file.duplicated else 1
            usage = self.usages[file] = Usage(opened=False, fds=fds)
        return usage
