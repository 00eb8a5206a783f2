"""Watched system calls: the rows of ext/table/syscalls.def, as the engine has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Call:
    """One row of the table of watched calls.

    Positions of arguments are counted from 1, as a manual page lists them; 0: the call has no such
    argument.
    """

    __slots__ = ("direction", "dirfd", "dirfd2", "fd", "fd2", "group", "name", "op", "options")

    def __init__(
        self, name: str, group: str, direction: str = "", positions: Mapping[str, int] | None = None
    ) -> None:
        at = positions or {}
        self.name = name
        """`NAME` or `NAME__CASE` of the row."""
        self.op = name.partition("__")[0] or name
        """The name of the system call: what events have as `op`."""
        self.group = group
        """What a configuration asks for: open, read, net…"""
        self.direction = direction
        """How it transfers bytes: in, out, across (from `fd` to `fd2`), or empty."""
        self.fd, self.fd2 = at.get("fd", 0), at.get("fd2", 0)
        """The fds that it works on."""
        self.dirfd, self.dirfd2 = at.get("dirfd", 0), at.get("dirfd2", 0)
        """The folders (fds) from which its first and its second path start."""
        self.options = at.get("options", 0)
        """Its MSG_ flags."""


def call_table(rows: Iterable[tuple[str, str, str, Mapping[str, int]]]) -> tuple[Call, ...]:
    """Return the rows that `_engine.calls()` gave, in their order."""
    return tuple(Call(*row) for row in rows)
