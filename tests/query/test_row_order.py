"""Rows after a time are found by their numbers, with gaps between them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from scopetrace.query.row_order import first_after


@pytest.mark.parametrize(
    ("time_ns", "found"), [(0, 0), (10, 3), (19, 3), (20, 4), (30, 8), (99, 8)]
)
def test_finds_the_number_from_which_on_rows_are_after_a_time(time_ns, found):
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, time_ns INTEGER, took INTEGER)")
        rows = [(2, 9, 1), (3, 15, 5), (8, 30, 0)]
        db.executemany("INSERT INTO event VALUES (?, ?, ?)", rows)

        assert first_after(db, "event", "time_ns + took", time_ns, 8) == found
