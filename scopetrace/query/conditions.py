"""How a source, a sourcetype or a program is chosen: by its name, a glob, or a prefix.

`fs.open` is a name, `fs.*` and `http[.-]*` are globs as SQLite's GLOB has them, and a name that
ends in a dot, `fs.`, means all that begin so. A name with glob characters in it matches itself too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scopetrace.db.text import bindable

_GLOB = "*?["
_MOST_JUMPS = 500


def marks(values: Sequence[object]) -> str:
    """Return as many question marks as there are values, for a list of SQL."""
    return ", ".join("?" * len(values))


class Condition(NamedTuple):
    """A piece of SQL that is true or false of a row, and its parameters."""

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
    """Return the condition that each of `conditions` is true, of which there is one at least."""
    return Condition(
        " AND ".join(condition.sql for condition in conditions),
        tuple(value for condition in conditions for value in condition.parameters),
    )


def of_processes(pid: Sequence[int], proc: Sequence[str], table: str = "") -> list[Condition]:
    """Return the conditions on `table` ("p."), the processes, that its row is of these.

    Args:
        pid: process ids; none: of any.
        proc: programs by name or glob; none: of any.
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

    It jumps from one value to the next, so that its cost is in their number, not the events'.
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


def _glob(pattern: str) -> str | None:
    if any(character in pattern for character in _GLOB):
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
    """Yield a name as it is, for a glob all present values that begin as its matches must."""
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
