"""Rows into the tables of a session file that grow with what is recorded.

There are two ways. `Insert` (ext/_inserts.pyx) has SQLite read the events as they are, in one
statement; it takes rows of plain values only, is compiled for one version of Python, and needs an
sqlite3 that loads extensions. The general way is `executemany`, of rows that are made here; it
takes every row. Both write the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec.json import Encoder

from scopetrace.db.text import bindable, encode_json
from scopetrace.model.event import Event
from scopetrace.model.form import Form, fields_of
from scopetrace.model.metric import Sample
from scopetrace.model.process import Process

if TYPE_CHECKING:
    from scopetrace._inserts import Insert

COLUMNS = {
    "event": ("time_ns", "process", "tid", "sourcetype", "source", "channel", "data"),
    "metric": ("time_ns", "process", "name", "type", "unit", "value", "tags"),
    "payload": ("time_ns", "process", "channel", "direction", "data", "missing"),
    "syscall": ("time_ns", "duration_ns", "process", "tid", "abi", "number", "result", "data"),
}
"""Table → the columns of its rows. Rows are numbered from 1 without a gap."""
_NAMES = ("source", "name")
"""Columns of texts that may be no UTF-8, and are then bound as bytes."""

_encode = Encoder().encode


class Inserts:
    """Inserts rows over one connection.

    Args:
        db: the connection.
        plain: whether to take the short way where there is one.
    """

    def __init__(self, db: sqlite3.Connection, plain: bool = True) -> None:
        self._db = db
        self._plain: dict[str, Insert] = {}
        if plain:
            # Not for this version of Python, or this sqlite3 loads no extensions.
            with suppress(ImportError, AttributeError, sqlite3.Error):
                from scopetrace import _inserts

                self._plain = {
                    table: _inserts.Insert(db, _inserts.__file__, table, columns, Form)
                    for table, columns in COLUMNS.items()
                }

    def add(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows in their order: events, samples, or whatever the table's columns are.

        Raises:
            sqlite3.Error: one of them could not be inserted.
        """
        plain, at = self._plain.get(table), 0
        if plain is None:
            self._add_any(table, rows)
            return
        while (at := plain.add(rows, at)) < len(rows):
            self._add_any(table, rows[at : at + 1])
            at += 1

    def close(self) -> None:
        """End the statements, which keep the file open. May be called twice."""
        for plain in self._plain.values():
            plain.close()

    def _add_any(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows with whatever values."""
        make_rows = _MAKE_ROWS.get(table)
        if make_rows is not None:
            rows = _made(make_rows, rows)
        self._db.executemany(_insert_sql(table), rows)


@cache
def _insert_sql(table: str) -> str:
    """Return the statement that adds one row to a table."""
    columns = COLUMNS[table]
    places = ["CAST(? AS TEXT)" if column in _NAMES else "?" for column in columns]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(places)})"


MakeRows = Callable[[Any, Callable[[Any], bytes]], list[tuple[Any, ...]]]
"""Makes rows of records with an encoder of JSON."""


def _made(make_rows: MakeRows, records: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of records, whatever texts they have."""
    try:
        return make_rows(records, _encode)
    except UnicodeEncodeError:  # a lone surrogate: a name or a text that is no UTF-8
        return make_rows(records, _encode_anything)


def _event_rows(events: Iterable[Event], encode: Callable[[Any], bytes]) -> list[tuple[Any, ...]]:
    """Return rows for the table of events; JSON as str, which sqlite3 binds faster than bytes."""
    return [
        (
            time_ns,
            process,
            tid,
            sourcetype,
            source if source.isascii() else bindable(source),
            channel,
            encode(fields_of(data)).decode(),
        )
        for time_ns, process, tid, sourcetype, source, channel, data in events
    ]


def _metric_rows(
    samples: Iterable[Sample], encode: Callable[[Any], bytes]
) -> list[tuple[Any, ...]]:
    """Return rows for the table of metrics."""
    return [
        (time_ns, process, bindable(name), type, unit, value, encode(tags).decode())
        for time_ns, process, name, type, unit, value, tags in samples
    ]


_MAKE_ROWS: dict[str, MakeRows] = {
    "event": _event_rows,
    "metric": _metric_rows,
}
"""Table → what makes its rows, where they are not made already."""


def process_rows(processes: Sequence[Process]) -> list[tuple[Any, ...]]:
    """Return rows with the columns of `Process`."""
    return _made(_process_rows, processes)


def _process_rows(
    processes: Iterable[Process], encode: Callable[[Any], bytes]
) -> list[tuple[Any, ...]]:
    return [
        (
            *(process.id, process.pid, process.ppid, process.parent, process.started_ns),
            *(bindable(process.proc), bindable(process.cmd), encode(process.args).decode()),
            *(bindable(process.exe), bindable(process.cwd), process.uid, process.gid),
            *(bindable(process.username), bindable(process.groupname)),
            *(encode(process.tags).decode(), process.args_missing),
        )
        for process in processes
    ]


def _encode_anything(data: Any) -> bytes:
    """Encode JSON as `Encoder` does, but lone surrogates too; several times slower."""
    return encode_json(data).encode()
