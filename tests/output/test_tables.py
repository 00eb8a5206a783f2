from __future__ import annotations

from scopetrace.output.tables import format_table


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
