"""The files of a session: its fs events, put together to one record for each file.

A file keeps its record whatever names it had (`query.file_names`).
"""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import DecodeError, Struct, field
from msgspec.json import Decoder

from scopetrace.model.file_record import FileRecord
from scopetrace.query.conditions import marks
from scopetrace.query.file_names import FilesByName, UsedFile
from scopetrace.query.path_classes import PathClasses
from scopetrace.query.startup import NOT_THERE, StartUp, read_start_up

_SQL = "SELECT source, process, data FROM event NOT INDEXED WHERE sourcetype = 'fs' ORDER BY id"
"""By the table itself: most events are of files, and it is in the order of ids."""
_PAGE = 500
"""Events that are read and decoded at a time."""


class _Data(Struct, gc=False):
    """What is read of the data of an fs event; all the rest is skipped."""

    op: str = ""
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
    exchanged: bool | int = field(name="file_exchanged", default=False)


_DECODER = Decoder(list[_Data])


class Files:
    """Events in, files out."""

    def __init__(self) -> None:
        self.by_name = FilesByName()

    def add(self, rows: Sequence[tuple[bytes, int, bytes]]) -> None:
        """Take events, in the order of recording: source, process and data of each."""
        find, make = self.by_name.find, self.by_name.at
        for (source, process, _), data in zip(rows, _decoded(rows), strict=True):
            count = _COUNTERS.get(source)
            if count is None:
                self._add_naming(source, process, data)
            elif data.file:
                file = find(data.file) or make(data.file)
                if file.user != process:  # what opens a file often closes it next
                    file.user = process
                    file.processes[process] = None
                count(file, data)

    def _add_naming(self, source: bytes, process: int, data: _Data) -> None:
        for file in self._renamed(source, data) if data.file else ():
            file.processes[process] = None

    def _renamed(self, source: bytes, data: _Data) -> tuple[UsedFile, ...]:
        files = self.by_name
        if source == b"fs.delete":
            return (files.deleted(data.file),)
        if source == b"fs.link":
            return (self._linked(data),)
        if source != b"fs.rename" or not data.file_new:
            return ()
        if data.exchanged:
            return files.exchanged(data.file, data.file_new)
        return (files.renamed(data.file, data.file_new),)

    def _linked(self, data: _Data) -> UsedFile:
        """Take a hard link; a symbolic one is a file of its own, whatever it leads to."""
        if data.file_target and not data.op.startswith("symlink"):
            return self.by_name.linked(data.file_target, data.file)
        file = self.by_name.at(data.file)
        _count_change(file, data)
        return file

    def forget_users(self, most: int) -> None:
        """Keep of each file so many processes, those that used it first."""
        for file in self:
            for process in [*file.processes][most:]:
                del file.processes[process]

    def __iter__(self) -> Iterator[UsedFile]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)


def _count_open(file: UsedFile, data: _Data) -> None:
    file.opens += 1
    file.exists = True
    is_new = "O_EXCL" in data.flags and "O_CREAT" in data.flags
    if is_new or "O_TRUNC" in data.flags or "O_TMPFILE" in data.flags:
        file.changed = True
    if "O_DIRECTORY" in data.flags:
        file.folder = True


def _count_close(file: UsedFile, data: _Data) -> None:
    if data.file_read_ops:
        file.read_bytes += data.file_read_bytes
        file.read_ops += data.file_read_ops
        if data.file_read_bytes > file.most_read_bytes:
            file.most_read_bytes = data.file_read_bytes
    if data.file_write_ops:
        file.written_bytes += data.file_write_bytes
        file.written_ops += data.file_write_ops
        if data.file_write_bytes > file.most_written_bytes:
            file.most_written_bytes = data.file_write_bytes
    file.io_us += data.io_duration
    if data.mapped:
        file.mapped = True


def _count_error(file: UsedFile, data: _Data) -> None:
    if data.error not in file.errors:
        file.errors += (data.error,)


def _count_change(file: UsedFile, data: _Data) -> None:
    file.changed = file.exists = True


_COUNTERS = {
    b"fs.open": _count_open,
    b"fs.close": _count_close,
    b"fs.error": _count_error,
    b"fs.mkdir": _count_change,
    b"fs.attr": _count_change,
}
"""Name of a source → what takes its events; those of other sources change names."""


def read_files(
    db: sqlite3.Connection, classes: PathClasses, images: Collection[int] | None = None
) -> list[FileRecord]:
    """Return a record for each file that fs events are about, in the order they came up.

    Args:
        db: the session.
        classes: the rules by which paths have classes.
        images: only what these process images did; None: all.
    """
    files = Files()
    with _without_collection():
        with text_as_bytes(db):
            events = db.execute(_SQL) if images is None else _events_of(db, images)
            while rows := events.fetchmany(_PAGE):
                files.add(rows)
        return file_records(db, classes, files)


def file_records(db: sqlite3.Connection, classes: PathClasses, files: Files) -> list[FileRecord]:
    """Return a record for each file of `files`, in the order they came up."""
    known = db.execute("SELECT id, pid, proc FROM process").fetchall()
    pids = {number: pid for number, pid, _ in known}
    procs = {number: proc for number, _, proc in known}
    start_up = read_start_up(db, classes)
    return [_record(file, pids, procs, _class_of(file, start_up)) for file in files]


def _events_of(db: sqlite3.Connection, images: Collection[int]) -> sqlite3.Cursor:
    sql = (
        "SELECT source, process, data FROM event"
        f" WHERE process IN ({marks(images)}) AND +sourcetype = 'fs' ORDER BY id"
    )
    return db.execute(sql, tuple(images))


@contextmanager
def text_as_bytes(db: sqlite3.Connection) -> Iterator[None]:
    """Have texts come as bytes, which need no call of Python for each."""
    factory = db.text_factory
    db.text_factory = bytes
    try:
        yield
    finally:
        db.text_factory = factory


@contextmanager
def _without_collection() -> Iterator[None]:
    """Look for no garbage in the body: it makes hundreds of thousands of objects, and none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _class_of(file: UsedFile, start_up: StartUp) -> str:
    missed = not file.opens and bool(file.errors) and NOT_THERE.issuperset(file.errors)
    return start_up.class_of(file.path, missed)


def _decoded(rows: Sequence[tuple[bytes, int, bytes]]) -> list[_Data]:
    """Return the data of many events, decoded at once: that is twice as fast as one by one."""
    text = b"[" + b",".join([data for _, _, data in rows]) + b"]"
    try:
        return _DECODER.decode(text)
    except DecodeError:  # a lone surrogate in a name, which msgspec refuses
        return [_from_object(each) for each in json.loads(text)]


def _from_object(data: dict[str, Any]) -> _Data:
    known = dict(zip(_Data.__struct_encode_fields__, _Data.__struct_fields__, strict=True))
    return _Data(**{known[name]: value for name, value in data.items() if name in known})


def _record(
    file: UsedFile, pids: dict[int, int], procs: dict[int, str], path_class: str
) -> FileRecord:
    users = [number for number in file.processes if number in pids]
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
        errors=file.errors,
        pids=tuple(dict.fromkeys(map(pids.__getitem__, users))),
        procs=tuple(dict.fromkeys(map(procs.__getitem__, users))),
        most_read_bytes=file.most_read_bytes,
        most_written_bytes=file.most_written_bytes,
        folder=file.folder,
    )
