from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.output import tables
from scopetrace.output.tables import format_table

CELLS = st.none() | st.integers() | st.text("a1. \x1b\n日\u0301é", max_size=6)


def test_columns_stand_under_their_headings():
    rows = [(1, "nginx", 12), (10, "a b", 3456)]

    assert format_table(("ID", "COMMAND", "EVENTS"), rows, ("EVENTS",)) == (
        "ID  COMMAND  EVENTS\n1   nginx        12\n10  a b        3456"
    )


def test_a_table_without_rows_is_its_headings():
    assert format_table(("ID", "PID"), []) == "ID  PID"


def test_cells_are_escaped_and_none_is_empty():
    rows = [("\x1b[2J", None, "x"), ("0123", "1e5", " ")]

    assert format_table(("A", "B", "C"), rows) == (
        "A        B    C\n\\x1b[2J       x\n0123     1e5"
    )


def test_wide_characters_take_the_columns_that_they_take_on_a_terminal():
    assert format_table(("A", "B"), [("日本", 1), ("e\u0301", 2)], ("B",)) == (
        "A     B\n日本  1\ne\u0301     2"
    )


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6))
def test_a_large_table_has_the_form_of_a_small_one(rows):
    small = format_table(("A", "BB", "C"), rows, ("BB",))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "MANY", -1)
        assert format_table(("A", "BB", "C"), rows, ("BB",)) == small
