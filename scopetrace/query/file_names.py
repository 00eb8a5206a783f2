"""Which file each path names, while renames, links and deletions are read in their order.

1. A rename gives a file its new name. The file that had that name before is gone, and its record
   goes on in the one that replaced it, as editors and package managers replace files.
2. An exchange (RENAME_EXCHANGE) swaps two names.
3. The rename of a folder renames what is below it, as far as it is there.
4. A hard link is one more name. When one of several names is deleted, the others stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scopetrace._fs_sums import FileSums


class UsedFile(FileSums):
    """One file while events are read."""

    __slots__ = ("absorbed_by", "deleted", "links", "names", "path", "renamed")

    def __init__(self, path: str) -> None:
        self.path = path
        """Its last name."""
        self.absorbed_by: UsedFile | None = None
        """The file that has its last name now, and its record."""
        self.names: dict[str, None] = {}
        """Its other and earlier names."""
        self.links = 0
        """How many names it has now."""
        self.deleted = self.renamed = False

    @property
    def present(self) -> UsedFile:
        """The file whose record has all that was done to this one, perhaps itself."""
        file = self
        while file.absorbed_by is not None:
            file = file.absorbed_by
        return file

    def absorb(self, former: UsedFile) -> None:
        """Add what was done to the file that had a name of this one before."""
        former.absorbed_by = self
        for name in ("opens", "read_bytes", "read_ops", "io_us", "written_bytes", "written_ops"):
            setattr(self, name, getattr(self, name) + getattr(former, name))
        for name in ("mapped", "changed", "deleted", "folder"):
            setattr(self, name, getattr(self, name) or getattr(former, name))
        for name in ("most_read_bytes", "most_written_bytes"):
            setattr(self, name, max(getattr(self, name), getattr(former, name)))
        self.errors = tuple(dict.fromkeys(former.errors + self.errors))
        self.join_processes(former)
        self.names = _joined(former.names, self.names)
        self.names.pop(self.path, None)
        self.gain_name(former.path)

    def gain_name(self, name: str) -> None:
        """Have one more name."""
        if name != self.path:
            self.names[name] = None

    def change_name(self, old: str, new: str) -> None:
        """Have another name in place of `old`, which is an earlier one from here on."""
        if self.path == old:
            self.path = new
        self.names.pop(new, None)
        self.gain_name(new)
        self.gain_name(old)


class FilesByName:
    """The files of a session by the names that they have now."""

    def __init__(self) -> None:
        self.by_name: dict[str, UsedFile] = {}
        self.find = self.by_name.get
        self._all: dict[UsedFile, None] = {}
        """In the order in which they came up."""
        self._inside: dict[str, dict[str, None]] = {}
        """Folder → the paths directly inside that are known, or that lead to known ones."""

    def __iter__(self) -> Iterator[UsedFile]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def at(self, path: str) -> UsedFile:
        """Return the file with this name, if need be a new one."""
        file = self.by_name.get(path)
        if file is None:
            file = UsedFile(path)
            self._all[file] = None
            self._put(path, file)
        return file

    def renamed(self, old: str, new: str) -> UsedFile:
        """Rename a file or a folder; two names of one file both stay (rename(2))."""
        file = self.at(old)
        file.exists = True
        if self.by_name.get(new) is not file:
            self._move([(old, new), *self._moves_below(old, new)])
            file.renamed = True
        return file

    def exchanged(self, one: str, other: str) -> tuple[UsedFile, UsedFile]:
        """Swap two names, and those below them if they are folders; return both files."""
        first, second = self.at(one), self.at(other)
        first.exists = second.exists = True
        if first is not second:
            there, back = self._moves_below(one, other), self._moves_below(other, one)
            self._move([(one, other), (other, one), *there, *back])
            first.renamed = second.renamed = True
        return first, second

    def linked(self, target: str, name: str) -> UsedFile:
        """Give the file `target` one more name."""
        file = self.at(target)
        file.exists = True
        self._give(name, file)
        file.gain_name(name)
        return file

    def deleted(self, name: str) -> UsedFile:
        """Delete a name, and with its last name the file."""
        file = self.at(name)
        if file.links > 1:
            del self.by_name[name]
            file.links -= 1
            if file.path == name:
                left = (other for other in file.names if self.by_name.get(other) is file)
                file.change_name(name, next(left))
        else:
            file.deleted, file.exists = True, False
        return file

    def _put(self, path: str, file: UsedFile) -> None:
        self.by_name[path] = file
        file.links += 1
        self._note_folders(path)

    def _note_folders(self, path: str) -> None:
        while path:
            folder = path.rpartition("/")[0]
            inside = self._inside.setdefault(folder, {})
            if path in inside:
                return
            inside[path] = None
            path = folder

    def _give(self, name: str, file: UsedFile) -> None:
        """Give a name to a file; if another file loses its last name by that, join the two."""
        former = self.by_name.get(name)
        if former is file:
            return
        if former is not None:
            former.links -= 1
            if not former.links:
                file.absorb(former)
                del self._all[former]
        self._put(name, file)

    def _move(self, moves: Sequence[tuple[str, str]]) -> None:
        """Rename many at once, since a name may be both an old and a new one."""
        files = [self.by_name.pop(old) for old, _ in moves]
        for file, (old, new) in zip(files, moves, strict=True):
            self._give(new, file)
            file.links -= 1
            file.change_name(old, new)

    def _moves_below(self, old: str, new: str) -> list[tuple[str, str]]:
        """Return the old and new names of the files below a folder that are there."""
        known, pending = [], [old]
        while pending:
            paths = self._inside.pop(pending.pop(), {})
            pending += paths
            known += [path for path in paths if path in self.by_name]
        moves = [(path, new + path[len(old) :]) for path in known if self.by_name[path].exists]
        for path in known:
            if not self.by_name[path].exists:
                self._note_folders(path)
        return moves


def _joined(one: dict[Any, None], other: dict[Any, None]) -> dict[Any, None]:
    """Return all keys. The larger one is kept: what is replaced often has many names."""
    larger, smaller = (one, other) if len(one) >= len(other) else (other, one)
    larger |= smaller
    return larger
