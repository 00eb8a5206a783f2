"""The files of a session, put together step by step, so that a view shows what is known so far.

They are those of `query.files`, except that their number and that of the processes of each are
bounded.
"""

from __future__ import annotations

import sqlite3

from scopetrace._fs_sums import Files
from scopetrace.model.file_record import FileRecord
from scopetrace.query.events import EventQuery
from scopetrace.query.files import file_records, text_as_bytes
from scopetrace.query.path_classes import PathClasses

MOST_USERS = 100
"""Processes that are kept of each file, about."""
_PAGE = 500
"""Events that are read at a time."""
_PAGES_PER_TRIM = 200
_COLUMNS = ("e.id", "e.source", "e.process", "e.data")


class FileScan:
    """The files of those fs events that were read so far.

    Args:
        db: an open session.
        query: chooses the events.
        classes: of paths.
        most: reading ends at so many files.
    """

    def __init__(
        self, db: sqlite3.Connection, query: EventQuery, classes: PathClasses, most: int
    ) -> None:
        self._db = db
        self._query = query
        self._classes = classes
        self._most = most
        self._files = Files()
        self._pages = 0
        self.after_id = 0
        """The events up to this one were read."""

    @property
    def is_full(self) -> bool:
        """Whether there are as many files as may be."""
        return len(self._files) >= self._most

    def read_on(self, upto: int) -> bool:
        """Read the next events with ids up to `upto`; return whether there can be more."""
        if self.is_full:
            return False
        with text_as_bytes(self._db):
            rows = self._query.page(_COLUMNS, self.after_id, upto, _PAGE)
        self._files.add([(source, process, data) for _, source, process, data in rows])
        self._pages += 1
        if self._pages % _PAGES_PER_TRIM == 0:
            self._files.forget_processes(MOST_USERS)
        self.after_id = rows[-1][0] if len(rows) == _PAGE else upto
        return self.after_id < upto

    def records(self) -> list[FileRecord]:
        """Return a record for each file, in the order they came up."""
        return list(file_records(self._db, self._classes, self._files))
