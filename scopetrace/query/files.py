"""The files of a session: its fs events, put together to one record for each file.

A file is followed by name: a rename gives its record the new name, a hard link a second one. A
file that is made anew under a name, or put in its place by a rename, continues the record of the
file that had the name before, as editors and package managers replace files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from msgspec import DecodeError, Struct, field
from msgspec.json import Decoder

from scopetrace.model.file_record import SEARCH, FileRecord
from scopetrace.query.path_classes import PathClasses

_NOT_THERE = frozenset(("ENOENT", "ENOTDIR"))
_CHANGES = frozenset(("fs.mkdir", "fs.attr", "fs.link"))


class _Data(Struct):
    """What is read of the data of an fs event; all the rest is skipped."""

    file: str = ""
    flags: str = ""
    file_new: str = ""
    file_target: str = ""
    error: str = ""
    file_read_bytes: int = 0
    file_read_ops: int = 0
    file_write_bytes: int = 0
    file_write_ops: int = 0
    io_duration: int = 0
    mapped: bool | int = field(name="file_mapped", default=False)


class _File:
    """One file while events are read."""

    __slots__ = (
        "changed", "deleted", "errors", "io_us", "mapped", "names", "opens", "path", "processes",
        "read_bytes", "read_ops", "renamed", "written_bytes", "written_ops",
    )  # fmt: skip

    def __init__(self, path: str) -> None:
        self.path = path
        self.names: dict[str, None] = {}
        self.processes: dict[int, None] = {}
        self.errors: dict[str, None] = {}
        self.opens = self.read_bytes = self.read_ops = self.io_us = 0
        self.written_bytes = self.written_ops = 0
        self.mapped = self.changed = self.deleted = self.renamed = False

    def absorb(self, other: _File) -> None:
        """Take over what was done to the file that had this name before."""
        for name in ("opens", "read_bytes", "read_ops", "io_us", "written_bytes", "written_ops"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("mapped", "changed", "deleted"):
            setattr(self, name, getattr(self, name) or getattr(other, name))
        self.processes = other.processes | self.processes
        self.errors = other.errors | self.errors
        self.names |= other.names


class Files:
    """Events in, files out."""

    def __init__(self) -> None:
        self._by_name: dict[str, _File] = {}
        self._all: dict[int, _File] = {}
        """By identity, in the order in which they came up."""

    def add(self, source: str, process: int, data: _Data) -> None:
        """Take one event, in the order of recording."""
        if not data.file:
            return
        if source == "fs.rename":
            file = self._renamed(data.file, data.file_new)
        elif source == "fs.link":
            file = self._linked(data.file_target, data.file)
        else:
            file = self._named(data.file)
            self._count(file, source, data)
        file.processes[process] = None

    def _named(self, path: str) -> _File:
        file = self._by_name.get(path)
        if file is None:
            file = self._by_name[path] = _File(path)
            self._all[id(file)] = file
        return file

    def _renamed(self, old: str, new: str) -> _File:
        file = self._named(old)
        if old == new:
            return file
        replaced = self._by_name.pop(new, None)
        if replaced is not None and replaced is not file:
            file.absorb(replaced)
            del self._all[id(replaced)]
            for name in [name for name, other in self._by_name.items() if other is replaced]:
                self._by_name[name] = file
        del self._by_name[old]
        self._by_name[new] = file
        file.names[old] = None
        file.names.pop(new, None)
        file.path = new
        file.renamed = True
        return file

    def _linked(self, target: str, name: str) -> _File:
        file = self._named(target or name)
        if target and name not in self._by_name:
            self._by_name[name] = file
            file.names[name] = None
        return file

    @staticmethod
    def _count(file: _File, source: str, data: _Data) -> None:
        if source == "fs.close":
            file.read_bytes += data.file_read_bytes
            file.read_ops += data.file_read_ops
            file.written_bytes += data.file_write_bytes
            file.written_ops += data.file_write_ops
            file.io_us += data.io_duration
            file.mapped = file.mapped or bool(data.mapped)
        elif source == "fs.open":
            file.opens += 1
            file.changed = file.changed or "O_TRUNC" in data.flags or "O_TMPFILE" in data.flags
        elif source == "fs.error":
            file.errors[data.error] = None
        elif source == "fs.delete":
            file.deleted = True
        elif source in _CHANGES:
            file.changed = True

    def __iter__(self) -> Iterator[_File]:
        return iter(self._all.values())


def read_files(db: sqlite3.Connection, classes: PathClasses) -> list[FileRecord]:
    """Return a record for each file that fs events are about, in the order they came up."""
    files, decode = Files(), Decoder(_Data).decode
    rows = db.execute("SELECT source, process, data FROM event WHERE sourcetype = 'fs' ORDER BY id")
    for source, process, data in rows:
        try:
            files.add(source, process, decode(data))
        except DecodeError:  # a lone surrogate in a name, which msgspec refuses
            files.add(source, process, _decode_slowly(data))
    facts = {
        number: (pid, proc) for number, pid, proc in db.execute("SELECT id, pid, proc FROM process")
    }
    programs = {exe.rpartition("/")[2] for (exe,) in db.execute("SELECT exe FROM process")}
    return [_record(file, facts, _class_of(file, classes, programs)) for file in files]


def _class_of(file: _File, classes: PathClasses, programs: set[str]) -> str:
    """Return the class of a file; that of a folder of PATH where a program was not is `search`."""
    only_missed = not file.opens and file.errors.keys() <= _NOT_THERE and bool(file.errors)
    if only_missed and file.path.rpartition("/")[2] in programs:
        return SEARCH
    return classes.of(file.path)


def _decode_slowly(text: str) -> _Data:
    import json

    known = {name: name for name in _Data.__struct_fields__} | {"file_mapped": "mapped"}
    return _Data(**{known[name]: v for name, v in json.loads(text).items() if name in known})


def _record(file: _File, facts: dict[int, tuple[int, str]], path_class: str) -> FileRecord:
    users = [facts[number] for number in file.processes if number in facts]
    return FileRecord(
        path=file.path,
        names=tuple(file.names),
        path_class=path_class,
        opens=file.opens,
        read_bytes=file.read_bytes,
        read_ops=file.read_ops,
        written_bytes=file.written_bytes,
        written_ops=file.written_ops,
        io_us=file.io_us,
        mapped=file.mapped,
        changed=file.changed,
        deleted=file.deleted,
        renamed=file.renamed,
        errors=tuple(file.errors),
        pids=tuple(dict.fromkeys(pid for pid, _ in users)),
        procs=tuple(dict.fromkeys(proc for _, proc in users)),
    )
