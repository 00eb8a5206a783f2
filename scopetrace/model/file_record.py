"""Files as read back: what a session knows of one file, whatever names it had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

OWN = "own"
"""The class of a path that no rule of `pathclasses` is about."""
SYSTEM = "system"
"""The class of files of the kernel (scope.yml), and of what else belongs to the start-up."""
SEARCH = "search"
"""The class of a name that was looked for in one folder of PATH and found in another."""


class FileRecord(NamedTuple):
    """One file, with what all processes of a session did to it."""

    path: str
    """Its last name."""
    names: tuple[str, ...]
    """Its earlier and other names: renames and hard links."""
    path_class: str
    """own, search, or a class of scope.yml (`pathclasses`): packages, interpreter, locale…"""
    opens: int
    read_bytes: int
    read_ops: int
    written_bytes: int
    written_ops: int
    io_us: int
    """Time inside reads and writes, µs."""
    mapped: bool
    """It was mapped into memory (mmap(2)), where reads and writes are no calls."""
    changed: bool
    """It was made, cut, or its owner, mode or times were set."""
    deleted: bool
    renamed: bool
    errors: tuple[str, ...]
    """Names of the errors of calls on it: ENOENT, EACCES…"""
    pids: tuple[int, ...]
    procs: tuple[str, ...]
    most_read_bytes: int = 0
    """Bytes that were read by one process from one open to its close, where they were most."""
    most_written_bytes: int = 0
    folder: bool = False
    """It was opened as a folder; its bytes are then those of its list of names."""

    @property
    def read(self) -> bool:
        """Whether bytes were read, or it was mapped."""
        return bool(self.read_ops) or self.mapped

    @property
    def written(self) -> bool:
        """Whether bytes were written, or the file was made or changed."""
        return bool(self.written_ops) or self.changed

    @property
    def missed(self) -> bool:
        """Whether it was looked for and not there (ENOENT; ENOTDIR, unless it was used)."""
        is_there = self.opens or self.read or self.written
        return "ENOENT" in self.errors or ("ENOTDIR" in self.errors and not is_there)

    @property
    def denied(self) -> bool:
        """Whether access was refused (EACCES, EPERM, EROFS)."""
        return not {"EACCES", "EPERM", "EROFS"}.isdisjoint(self.errors)

    @property
    def uses(self) -> str:
        """What was done, a letter each: Read, Written, Opened only, Deleted, reNamed, ✖ failed."""
        read, written = self.read, self.written
        letters = ("R" if read else "") + ("W" if written else "")
        if self.opens and not letters:
            letters = "O"
        if self.deleted:
            letters += "D"
        if self.renamed:
            letters += "N"
        return letters + "✖" if self.errors else letters


class NameRecord(NamedTuple):
    """One name, of a file or of one that was not there."""

    name: str | int | float | None
    """None: what these events have no `file`."""
    events: int
    """How many have it as `file`."""
    steps: str
    """The ids of fs events that have it, as `file` or otherwise, each but the first as what it is
    more than the one before, with a space between: few of all that are read are looked at."""


FILE_FIELDS: dict[str, Callable[[FileRecord], Any]] = {
    "file": lambda file: file.path,
    "names": lambda file: file.names,
    "class": lambda file: file.path_class,
    "uses": lambda file: file.uses,
    "opens": lambda file: file.opens,
    "read_bytes": lambda file: file.read_bytes,
    "read_ops": lambda file: file.read_ops,
    "written_bytes": lambda file: file.written_bytes,
    "written_ops": lambda file: file.written_ops,
    "bytes": lambda file: file.read_bytes + file.written_bytes,
    "ops": lambda file: file.read_ops + file.written_ops,
    "io_us": lambda file: file.io_us,
    "errors": lambda file: file.errors,
    "pids": lambda file: file.pids,
    "procs": lambda file: file.procs,
}
"""The names by which JSON and `--sort` speak of a file, and the value of each."""
