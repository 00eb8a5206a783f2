"""SQL conditions that select a source, sourcetype or program by name, glob or prefix.

`fs.open` is a name; `fs.*` and `http[.-]*` are globs (SQLite's GLOB); a name that ends in a dot, as
`fs.`, is a prefix. A name that contains glob characters also matches itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from scopetrace.db.text import bindable

_GLOB = "*?["
_MOST_JUMPS = 500
"""Lookups in an index for one glob."""


def marks(values: Collection[object]) -> str:
    """Return as many SQL placeholders as there are values."""
    return ", ".join("?" * len(values))


def in_images(images: Collection[int]) -> str:
    """Return the SQL condition that an event is of one of these process images, however many."""
    return f"process IN ({', '.join(map(str, images))})"


class Condition(NamedTuple):
    """An SQL expression that is true or false, and its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()


def any_of(column: str, patterns: Sequence[str]) -> Condition:
    """Return the condition that `column` matches at least one of `patterns`."""
    parts = [_matches(column, pattern) for pattern in patterns]
    return Condition(
        f"({' OR '.join(part.sql for part in parts)})",
        tuple(value for part in parts for value in part.parameters),
    )


def all_of(conditions: Sequence[Condition]) -> Condition:
    """Return the condition that all of `conditions` are true; there must be at least one."""
    return Condition(
        " AND ".join(condition.sql for condition in conditions),
        tuple(value for condition in conditions for value in condition.parameters),
    )


def of_processes(pid: Sequence[int], proc: Sequence[str], table: str = "") -> list[Condition]:
    """Return conditions on the columns pid and proc.

    Args:
        pid: process ids; empty: any.
        proc: programs by name or glob; empty: any.
        table: prefix of the columns ("p.").
    """
    found = []
    if pid:
        found.append(Condition(f"{table}pid IN ({marks(pid)})", tuple(pid)))
    if proc:
        found.append(any_of(f"{table}proc", proc))
    return found


def present_values(
    db: sqlite3.Connection, column: str, patterns: Sequence[str], most: int
) -> list[str] | None:
    """Return the values of an indexed column of `event` that match, or None if more than `most`.

    It jumps in the index from one value to the next: its cost depends on their number, not on the
    number of events.
    """
    found: set[str] = set()
    for pattern in patterns:
        for jumps, value in enumerate(_candidates(db, column, pattern)):
            if jumps > _MOST_JUMPS or len(found) > most:
                return None
            if _does_match(db, value, pattern):
                found.add(value)
    return sorted(found) if len(found) <= most else None


def _matches(column: str, pattern: str) -> Condition:
    exact = f"{column} = CAST(? AS TEXT)"
    glob = _glob(pattern)
    if glob is None:
        return Condition(exact, (bindable(pattern),))
    sql = f"({exact} OR {column} GLOB CAST(? AS TEXT))"
    return Condition(sql, (bindable(pattern), bindable(glob)))


def is_glob(pattern: str) -> bool:
    """Return whether a pattern has characters that stand for others."""
    return any(character in pattern for character in _GLOB)


def _glob(pattern: str) -> str | None:
    if is_glob(pattern):
        return pattern
    return f"{pattern}*" if pattern.endswith(".") else None


def _does_match(db: sqlite3.Connection, value: str, pattern: str) -> bool:
    condition = _matches("v", pattern)
    row = db.execute(
        f"SELECT {condition.sql} FROM (SELECT CAST(? AS TEXT) AS v)",
        (*condition.parameters, bindable(value)),
    ).fetchone()
    return bool(row[0])


def _candidates(db: sqlite3.Connection, column: str, pattern: str) -> Iterator[str]:
    """Yield a name itself, or for a glob the values of the column with the glob's fixed prefix."""
    glob = _glob(pattern)
    if glob is None:
        yield pattern
        return
    start = glob[: min(at for at in map(glob.find, _GLOB) if at >= 0)]
    value = _next(db, column, ">=", start)
    while value is not None and value.startswith(start):
        yield value
        value = _next(db, column, ">", value)


def _next(db: sqlite3.Connection, column: str, order: str, value: str) -> str | None:
    row = db.execute(
        f"SELECT min({column}) FROM event WHERE {column} {order} CAST(? AS TEXT)",
        (bindable(value),),
    ).fetchone()
    found: str | None = row[0]
    return found
