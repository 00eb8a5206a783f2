"""The files of a session: its fs events, put together to one record for each file.

A file keeps its record whatever names it had (`query.file_names`).
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from sys import maxsize

from scopetrace import _fs_sums
from scopetrace._fs_sums import add_events, add_selected
from scopetrace.model.file_record import FileRecord
from scopetrace.query.answers import read_answer
from scopetrace.query.conditions import marks
from scopetrace.query.file_names import FilesByName, UsedFile
from scopetrace.query.named_files import Names, decode_names
from scopetrace.query.path_classes import PathClasses
from scopetrace.query.sql_functions import add_quick_functions
from scopetrace.query.startup import StartUp, read_start_up

_SQL = "SELECT source, process, data FROM event NOT INDEXED WHERE sourcetype = 'fs' ORDER BY id"
"""By the table itself: most events are of files, and it is in the order of ids."""
_SQL_IN_C = (
    "SELECT count(add_event(?1, source, process, data)) FROM event NOT INDEXED"
    " WHERE sourcetype = 'fs'"
)
_PAGE = 500
"""Events that are read at a time."""
NAMING = (b"fs.delete", b"fs.link", b"fs.rename")
"""The sources whose events change names."""


Row = tuple[bytes, int, bytes]
"""Source, process and data of an event."""


class Files:
    """Events in, files out."""

    def __init__(self) -> None:
        self.by_name = FilesByName()

    def add(self, rows: Sequence[Row]) -> None:
        """Take events, in the order of recording."""
        files = self.by_name
        add_events(rows, files.by_name, files.at, self._add_naming)

    def add_all(self, db: sqlite3.Connection, most: int) -> bool:
        """Take all events of a session; return whether there are no more than `most` files.

        Only for a connection that loads what is written in C (`sql_functions`).
        """
        files = self.by_name
        is_whole = add_selected(
            db,
            _fs_sums.__file__,
            _SQL_IN_C,
            files.by_name,
            files.at,
            self._add_naming,
            lambda: len(self) > most,
        )
        return is_whole and len(self) <= most

    def _add_naming(self, row: Row) -> None:
        """Take an event that changes names; one that is not known changes none."""
        source, process, data = row
        if source in NAMING:
            names = decode_names(data)
            for file in self._renamed(source, names) if names.file else ():
                file.add_process(process)

    def _renamed(self, source: bytes, names: Names) -> tuple[UsedFile, ...]:
        files = self.by_name
        if source == b"fs.delete":
            return (files.deleted(names.file),)
        if source == b"fs.link":
            return (self._linked(names),)
        if not names.file_new:
            return ()
        if names.exchanged:
            return files.exchanged(names.file, names.file_new)
        return (files.renamed(names.file, names.file_new),)

    def _linked(self, names: Names) -> UsedFile:
        """Take a hard link; a symbolic one is a file of its own, whatever it leads to."""
        if names.linked:
            return self.by_name.linked(names.linked, names.file)
        file = self.by_name.at(names.file)
        file.change()
        return file

    def forget_users(self, most: int) -> None:
        """Keep of each file so many processes, those that used it first."""
        for file in self:
            file.forget_processes(most)

    def __iter__(self) -> Iterator[UsedFile]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)


def read_files(
    db: sqlite3.Connection, classes: PathClasses, images: Collection[int] | None = None
) -> list[FileRecord]:
    """Return a record for each file that fs events are about, in the order they came up.

    Args:
        db: the session.
        classes: the rules by which paths have classes: those that it was recorded with.
        images: only what these process images did; None: all.
    """
    with without_collection():
        answer = read_answer(db, FileRecord) if images is None else None
        if answer is None:
            answer = list(read_from_events(db, classes, images) or ())
    return answer


def read_from_events(
    db: sqlite3.Connection,
    classes: PathClasses,
    images: Collection[int] | None = None,
    most: int = maxsize,
) -> Iterator[FileRecord] | None:
    """Return the records of `read_files`, put together from the events; None: more than `most`."""
    files = Files()
    if images is None and add_quick_functions(db):
        is_whole = files.add_all(db, most)
    else:
        is_whole = _add_pages(db, files, images, most)
    return file_records(db, classes, files) if is_whole else None


def _add_pages(
    db: sqlite3.Connection, files: Files, images: Collection[int] | None, most: int
) -> bool:
    """Add events to `files`; return whether there are no more than `most`."""
    with text_as_bytes(db):
        events = db.execute(_SQL) if images is None else _events_of(db, images)
        while rows := events.fetchmany(_PAGE):
            files.add(rows)
            if len(files) > most:
                return False
    return True


def file_records(
    db: sqlite3.Connection, classes: PathClasses, files: Files
) -> Iterator[FileRecord]:
    """Yield a record for each file of `files`, in the order they came up."""
    known = db.execute("SELECT id, pid, proc FROM process").fetchall()
    pids = {number: pid for number, pid, _ in known}
    procs = {number: proc for number, _, proc in known}
    start_up = read_start_up(db, classes)
    for file in files:
        yield _record(file, pids, procs, _class_of(file, start_up))


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
def without_collection() -> Iterator[None]:
    """Look for no garbage in the body: it makes hundreds of thousands of objects, and none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _class_of(file: UsedFile, start_up: StartUp) -> str:
    changed = file.changed or file.deleted or file.renamed or file.written_ops > 0
    return start_up.class_of(file.path, () if file.opens else file.errors, changed)


def _record(
    file: UsedFile, pids: dict[int, int], procs: dict[int, str], path_class: str
) -> FileRecord:
    return FileRecord(
        file.path, tuple(file.names), path_class, file.opens, file.read_bytes, file.read_ops,
        file.written_bytes, file.written_ops, file.io_us, file.mapped, file.changed, file.deleted,
        file.renamed, file.errors, file.of_processes(pids), file.of_processes(procs),
        file.most_read_bytes, file.most_written_bytes, file.folder,
    )  # fmt: skip
