"""The names of files in a session, and the events that have each, as a large session keeps them."""

from __future__ import annotations

import posixpath
import sqlite3
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import accumulate

from scopetrace._fs_sums import Files
from scopetrace.model.file_record import NameRecord
from scopetrace.query.answers import read_answer
from scopetrace.query.events import EventGroup, count_values
from scopetrace.query.field_sql import FIELD, JSON
from scopetrace.query.sql_functions import add_quick_functions

_OTHERS = (
    f"SELECT {FIELD}data, '$.file') AS c0 FROM event WHERE sourcetype < 'fs' OR sourcetype > 'fs'"
)


def name_records(db: sqlite3.Connection, files: Files) -> Iterator[NameRecord]:
    """Yield the names of fs events, whose uses `files` has, and the values of `file` of others."""
    sql = _OTHERS if add_quick_functions(db) else _OTHERS.replace(FIELD, JSON)
    others = {value: count for value, count, _ in count_values(db, sql, (), ("c0",))}
    for name, events, steps in files.names():
        yield NameRecord(name, events + others.pop(name, 0), " ".join(map(str, steps)))
    for value, events in others.items():
        yield NameRecord(value, events, "")


def kept_groups(db: sqlite3.Connection) -> list[EventGroup] | None:
    """Return how many events have each value of `file`; None: that is not kept."""
    records = read_answer(db, NameRecord)
    if records is None:
        return None
    return [EventGroup(one.name, one.events, None) for one in records if one.events]


def events_naming(db: sqlite3.Connection, bases: AbstractSet[str]) -> list[int] | None:
    """Return the ids of fs events that have files of these last names; None: that is not kept."""
    records = read_answer(db, NameRecord, bases)
    if records is None:
        return None
    found = (
        accumulate(map(int, one.steps.split()))
        for one in records
        if isinstance(one.name, str) and (posixpath.basename(one.name) or one.name) in bases
    )
    return sorted({number for ids in found for number in ids})
