"""Rows found by their time where no index has it: their numbers grow with it."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right


def first_after(db: sqlite3.Connection, table: str, time: str, time_ns: int, last: int) -> int:
    """Return the number from which on rows are after a time; it may be between two rows.

    Args:
        db: the session.
        table: whose rows were written in the order of that time.
        time: of a row, as SQL.
        time_ns: Unix time, ns.
        last: the number of a row; it is returned if no row before it is after that time.
    """
    sql = f"SELECT CAST(coalesce({time}, 0) AS INTEGER) FROM {table} WHERE id >= ? ORDER BY id"

    def time_of(number: int) -> int:
        found: int = db.execute(f"{sql} LIMIT 1", (number,)).fetchone()[0]
        return found

    return bisect_right(range(last), time_ns, key=time_of)
