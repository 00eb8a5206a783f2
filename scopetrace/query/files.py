"""The files of a session: its fs events, put together to one record for each file.

A file keeps its record whatever names it had (ext/_fs_sums.pyx).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from sys import maxsize

from scopetrace import _fs_sums
from scopetrace._fs_sums import Files, UsedFile
from scopetrace.model.file_record import FileRecord
from scopetrace.query.answers import read_answer
from scopetrace.query.collection import without_collection
from scopetrace.query.conditions import marks
from scopetrace.query.path_classes import PathClasses
from scopetrace.query.sql_functions import add_quick_functions
from scopetrace.query.startup import StartUp, read_start_up

_SQL = "SELECT source, process, data FROM event NOT INDEXED WHERE sourcetype = 'fs' ORDER BY id"
"""By the table itself: most events are of files, and it is in the order of ids."""
_SQL_IN_C = (
    "SELECT count(add_event(?1, source, process, data, id)) FROM event NOT INDEXED"
    " WHERE sourcetype = 'fs'"
)
_PAGE = 500
"""Events that are read at a time."""
_Row = tuple[bytes, int, bytes]
"""Source, process and data of an event."""


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
            answer = list(read_from_events(db, classes, images))
    return answer


def read_files_apart(
    db: sqlite3.Connection, classes: PathClasses, images: Collection[int] | None = None
) -> list[FileRecord]:
    """Return the records of `read_files` for each program apart, of what that program did."""
    programs = dict(db.execute("SELECT id, proc FROM process").fetchall())
    apart: dict[str, Files] = {}
    with without_collection():
        with text_as_bytes(db):
            for rows in _pages(db, images):
                theirs: dict[str, list[_Row]] = {}
                for row in rows:
                    theirs.setdefault(programs.get(row[1], ""), []).append(row)
                for program, of_one in theirs.items():
                    apart.setdefault(program, Files()).add(of_one)
        return [file for files in apart.values() for file in file_records(db, classes, files)]


def read_from_events(
    db: sqlite3.Connection, classes: PathClasses, images: Collection[int] | None = None
) -> Iterator[FileRecord]:
    """Return the records of `read_files`, put together from the events."""
    return file_records(db, classes, add_up(db, images) or Files())


def add_up(
    db: sqlite3.Connection,
    images: Collection[int] | None = None,
    most: int = maxsize,
    with_uses: bool = False,
) -> Files | None:
    """Add up the events for each file; return None if there are more than `most`.

    With `with_uses` the files also know which events have which names.
    """
    files = Files()
    if images is None and add_quick_functions(db):
        is_whole = files.add_selected(db, _fs_sums.__file__, _SQL_IN_C, most, with_uses)
    else:
        is_whole = _add_pages(db, files, images, most)
    return files if is_whole else None


def _add_pages(
    db: sqlite3.Connection, files: Files, images: Collection[int] | None, most: int
) -> bool:
    """Add events to `files`; return whether there are no more than `most`."""
    with text_as_bytes(db):
        for rows in _pages(db, images):
            files.add(rows)
            if len(files) > most:
                return False
    return True


def _pages(db: sqlite3.Connection, images: Collection[int] | None) -> Iterator[list[_Row]]:
    """Yield the events of all images or of some, some at a time."""
    events = db.execute(_SQL) if images is None else _events_of(db, images)
    while rows := events.fetchmany(_PAGE):
        yield rows


def file_records(
    db: sqlite3.Connection, classes: PathClasses, files: Files
) -> Iterator[FileRecord]:
    """Yield a record for each file of `files`, in the order they came up."""
    known = db.execute("SELECT id, pid, proc FROM process").fetchall()
    pids = {number: (pid,) for number, pid, _ in known}
    procs = {number: (proc,) for number, _, proc in known}
    start_up = read_start_up(db, classes)
    for file in files:
        yield FileRecord._make(file.facts(_class_of(file, start_up), pids, procs))


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


def _class_of(file: UsedFile, start_up: StartUp) -> str:
    changed = file.changed or file.deleted or file.renamed or file.written_ops > 0
    return start_up.class_of(file.path, () if file.opens else file.errors, changed)
