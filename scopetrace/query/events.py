"""Filters of events as SQL.

Values of one filter are alternatives; all filters must match. Events are read in the order of their
ids, forwards or backwards, a page at a time: no statement stays open between two pages, so that a
slow reader never blocks the recorder.

Theory of operation. To find the last few of a million events, SQLite must scan an index backwards
and stop early. It does so for one value of one column, not for several. So the filter that matches
the fewest events becomes the driver: its index is scanned once for each of its values, and the
results are merged by id. All other filters are conditions, with a `+` before the column so that
their indexes are not used (SQLite's optoverview.html). Without indexes, in a session that is being
recorded or was interrupted, the table itself is scanned.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from sys import maxsize
from typing import Any, NamedTuple

from scopetrace.db.schema import has_indexes
from scopetrace.db.text import bindable, encode_json
from scopetrace.model.fields import FIELDS
from scopetrace.query.conditions import Condition, all_of, any_of, of_processes, present_values
from scopetrace.query.field_sql import FIELD, FROM, JSON, NAMES, VALUES
from scopetrace.query.sql_functions import add_quick_functions
from scopetrace.query.where import bounded, checked

_MOST_SCANS = 16
_MOST_NESTED_CALLS = 30
"""SQLite's parser has room for about a hundred function calls that are nested in one another."""
_MANY_EVENTS = 5_000
"""A driver that matches so many events is as bad as any other."""
_ALIASES = {"_time": "time_ns", "time": "time_ns"}
"""Field → an integer column with the same order."""


class EventFilter(NamedTuple):
    """Which events to return; an empty tuple or None does not filter."""

    source: tuple[str, ...] = ()
    sourcetype: tuple[str, ...] = ()
    pid: tuple[int, ...] = ()
    proc: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    where: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None


class EventGroup(NamedTuple):
    """The events that have one value of a field."""

    value: str | int | float | None
    """None: they do not have the field."""
    events: int
    sum: float | None
    """Of the field that is summed up; None: there is none, or no event of the group has it."""


class _Driver(NamedTuple):
    """The column whose index is scanned, and the values to find in it."""

    column: str
    values: Sequence[str | int]

    def one_of(self) -> Condition:
        places = ", ".join(
            "?" if self.column == "process" else "CAST(? AS TEXT)" for _ in self.values
        )
        values = (bindable(v) if isinstance(v, str) else v for v in self.values)
        return Condition(f"e.{self.column} IN ({places})", tuple(values))

    def scans(self) -> list[_Driver]:
        return [self._replace(values=(value,)) for value in self.values]


class EventQuery:
    """The events of one session that an `EventFilter` lets through."""

    def __init__(
        self, db: sqlite3.Connection, failures: list[BaseException], wanted: EventFilter
    ) -> None:
        """Prepare the query; `failures` is what `add_functions` returned for `db`.

        Raises:
            UsageError: the expression is bad.
        """
        self._db = db
        self._failures = failures
        self._where = None if wanted.where is None else checked(wanted.where)
        images = _image_filter(wanted)
        self._conditions = [*_conditions(wanted), *([_of_images(images)] if images else [])]
        with bounded(db, failures, strict=False):
            self._driver = _choose_driver(db, wanted, images) if has_indexes(db) else None

    @property
    def takes_all(self) -> bool:
        """Whether nothing is filtered."""
        return self._where is None and not self._conditions

    def page(
        self, columns: Sequence[str], after: int, upto: int, most: int, backwards: bool = False
    ) -> list[tuple[Any, ...]]:
        """Return at most `most` rows with `after` < id <= `upto`; their first column is the id."""
        order = f"ORDER BY c0 {'DESC' if backwards else 'ASC'} LIMIT ?"
        span = Condition("e.id > ? AND e.id <= ?", (after, upto))
        drivers = [None] if self._driver is None else self._driver.scans()
        with bounded(self._db, self._failures, strict=self._where is not None):
            scans = [self._execute(columns, driver, span, order, most) for driver in drivers]
            return list(islice(merge(*scans, reverse=backwards), most))

    def sorted_ids(
        self, field: str, after: int, upto: int, most: int | None, ascending: bool
    ) -> list[int]:
        """Return the ids of events in the order of a field of `NAMES`, those without it last."""
        if field == "id":
            found = self.page(
                ("e.id",), after, upto, maxsize if most is None else most, not ascending
            )
            return [number for (number,) in found]
        name = _ALIASES.get(field, field)
        way = "ASC" if ascending else "DESC"
        order = f'ORDER BY "{name}" IS NULL, "{name}" {way}, c0 {way} LIMIT ?'
        span = Condition("e.id > ? AND e.id <= ?", (after, upto))
        with bounded(self._db, self._failures, strict=self._where is not None):
            limit = -1 if most is None else most
            rows = self._execute(("e.id",), self._driver, span, order, limit, (name,))
            return [number for (number,) in rows]

    def grouped(
        self, field: str, summed: str | None, upto: int, most: int | None
    ) -> list[EventGroup]:
        """Return how many events up to an id have each value of a field of `NAMES`.

        The group with the largest sum comes first, without `summed` the one with the most events;
        events without the field are one group, at the end.
        """
        columns = (VALUES[field], *(() if summed is None else (VALUES[summed],)))
        names = [f"c{at}" for at in range(len(columns))]
        with bounded(self._db, self._failures, strict=self._where is not None):
            sql, parameters = self._statement(
                names, self._driver, Condition("e.id <= ?", (upto,)), columns=columns
            )
            groups = count_values(self._db, sql, parameters, names)
            return sorted_groups(map(EventGroup._make, groups), summed is not None)[:most]

    def _execute(
        self,
        columns: Sequence[str],
        driver: _Driver | None,
        span: Condition,
        order: str,
        limit: int,
        names: Sequence[str] = (),
    ) -> sqlite3.Cursor:
        """Return the columns of events; `order` may use `names` and c0, the first column."""
        outer = [f"c{at}" for at in range(len(columns))]
        sql, parameters = self._statement(outer, driver, span, names, columns)
        return self._db.execute(f"{sql} {order}", (*parameters, limit))

    def _statement(
        self,
        outer: Sequence[str],
        driver: _Driver | None,
        span: Condition,
        names: Sequence[str] = (),
        columns: Sequence[str] = (),
    ) -> tuple[str, tuple[object, ...]]:
        """Return a SELECT; an inner one defines the names that the expression may use."""
        conditions = [span, *self._conditions]
        if driver is not None:
            conditions.insert(0, driver.one_of())
        defined = NAMES if self._where is not None else names
        inner = ", ".join(
            [f"{column} AS c{at}" for at, column in enumerate(columns)]
            + [f'{NAMES[name]} AS "{name}"' for name in defined]
        )
        if FIELD in inner and not add_quick_functions(self._db):
            inner = inner.replace(FIELD, JSON)
        sql = (
            f"SELECT {', '.join(outer)} FROM (SELECT {inner} FROM {_from(driver)}"
            f" WHERE {' AND '.join(condition.sql for condition in conditions)}) AS event"
            f" WHERE {self._where or 'true'}"
        )
        return sql, tuple(value for condition in conditions for value in condition.parameters)


def count_values(
    db: sqlite3.Connection, sql: str, parameters: Sequence[Any], names: Sequence[str]
) -> Iterable[tuple[Any, int, Any]]:
    """Return value, number and sum of each group of rows that a SELECT gives.

    Args:
        db: the connection.
        sql: the SELECT.
        parameters: of it.
        names: of its columns: the value, and perhaps the number that is summed up.
    """
    has_number = len(names) > 1
    if not add_quick_functions(db):
        total = f"sum({names[1]})" if has_number else "NULL"
        sql = f"SELECT {names[0]}, count(*), {total} FROM ({sql}) GROUP BY {names[0]}"
        return db.execute(sql, parameters)
    from scopetrace import _scan

    sql = f"SELECT count(count_value(?1, {', '.join(names)})) FROM ({sql})"
    found = _scan.count_values(db, _scan.__file__, sql, parameters, has_number)
    decode = db.text_factory
    return [
        (decode(value) if isinstance(value, bytes) else value, count, total)
        for value, count, total in found
    ]


def sorted_groups(groups: Iterable[EventGroup], by_sum: bool) -> list[EventGroup]:
    """Return groups in the order in which they are shown: those of one size by their value.

    Values are in SQLite's order: numbers first, then texts by their bytes, which in UTF-8 is the
    order of their characters.
    """
    numbers, texts, without = list[EventGroup](), list[EventGroup](), list[EventGroup]()
    for group in groups:
        value = group.value
        (texts if isinstance(value, str) else without if value is None else numbers).append(group)
    by_value = attrgetter("value")
    found = [*sorted(numbers, key=by_value), *sorted(texts, key=by_value)]
    found.sort(key=attrgetter("events"), reverse=True)
    if by_sum:
        found.sort(key=lambda group: (group.sum is not None, group.sum or 0), reverse=True)
    return [*found, *without]


def _from(driver: _Driver | None) -> str:
    how = "NOT INDEXED" if driver is None else f"INDEXED BY event_{driver.column}"
    return FROM.replace("event AS e", f"event AS e {how}")


def _conditions(wanted: EventFilter) -> list[Condition]:
    found = []
    if wanted.source:
        found.append(any_of("+e.source", wanted.source))
    if wanted.sourcetype:
        found.append(any_of("+e.sourcetype", wanted.sourcetype))
    if wanted.match:
        found.append(_any_text(wanted.match))
    if wanted.since_ns is not None:
        found.append(Condition("e.time_ns >= ?", (wanted.since_ns,)))
    if wanted.until_ns is not None:
        found.append(Condition("e.time_ns < ?", (wanted.until_ns,)))
    return found


def _any_text(texts: Sequence[str]) -> Condition:
    """Return the condition that the source or a value in the data contains one of `texts`.

    JSON escapes each character by itself. So if a value contains the text, the JSON contains the
    escaped text; the reverse is checked by has_text().
    """
    parts, parameters = [], []
    for text in texts:
        quoted = encode_json(text)
        parts.append(
            "instr(e.source, CAST(? AS TEXT))"
            f" OR (instr({_without_names(text)}, ?) AND has_text(e.data, ?))"
        )
        parameters += [bindable(text), quoted[1:-1], quoted]
    return Condition(f"({' OR '.join(parts)})", tuple(parameters))


def _without_names(text: str) -> str:
    """Return SQL for the data without those field names that contain `text`.

    Most events have those names, and has_text() is slow. Only names are removed: in a value, a
    quote is escaped. It is not done for a text that is in many names, a single letter for instance.
    """
    sql = "e.data"
    names = [field for field in FIELDS if text in field]
    for field in names if len(names) <= _MOST_NESTED_CALLS else ():
        sql = f"replace({sql}, '\"{field}\":', '')"
    return sql


def _image_filter(wanted: EventFilter) -> Condition | None:
    """Return the condition on the table `process` for pids and programs."""
    conditions = of_processes(wanted.pid, wanted.proc)
    return all_of(conditions) if conditions else None


def _of_images(images: Condition) -> Condition:
    return Condition(
        f"+e.process IN (SELECT id FROM process WHERE {images.sql})", images.parameters
    )


def _choose_driver(
    db: sqlite3.Connection, wanted: EventFilter, images: Condition | None
) -> _Driver | None:
    """Return the driver that matches the fewest events, None if no filter can be one."""
    drivers = _drivers(db, wanted, images)
    if len(drivers) < 2:
        return drivers[0] if drivers else None
    return min(drivers, key=lambda driver: _count(db, driver))


def _drivers(
    db: sqlite3.Connection, wanted: EventFilter, images: Condition | None
) -> list[_Driver]:
    found: list[_Driver] = []
    if images:
        rows = db.execute(
            f"SELECT id FROM process WHERE {images.sql} LIMIT {_MOST_SCANS + 1}", images.parameters
        )
        ids = [number for (number,) in rows]
        if len(ids) <= _MOST_SCANS:
            found.append(_Driver("process", ids))
    for column, patterns in (("source", wanted.source), ("sourcetype", wanted.sourcetype)):
        values = present_values(db, column, patterns, _MOST_SCANS) if patterns else None
        if values is not None:
            found.append(_Driver(column, values))
    return found


def _count(db: sqlite3.Connection, driver: _Driver) -> int:
    """Return how many events a driver matches, at most `_MANY_EVENTS`."""
    condition = driver.one_of()
    found = f"SELECT 1 FROM event AS e WHERE {condition.sql} LIMIT {_MANY_EVENTS}"
    row = db.execute(f"SELECT count(*) FROM ({found})", condition.parameters).fetchone()
    return int(row[0])
