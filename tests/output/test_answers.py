"""Tables for terminals and for programs."""

from __future__ import annotations

import csv

import pytest

from scopetrace.output.answers import (
    Column,
    csv_table,
    markdown_table,
    shorten_middle,
    terminal_table,
)
from scopetrace.output.width import display_width

COLUMNS = (Column("N", right=True), Column("MORE", least_width=100), Column("FILE"))
ROWS = [(1, "more", "/a/" + "b" * 200 + "/name.txt"), (22, "", "/short")]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_lines_fit_the_terminal_and_show_the_name(width: int) -> None:
    lines = terminal_table(COLUMNS, ROWS, width).splitlines()

    assert all(display_width(line) <= width for line in lines)
    assert lines[1].endswith("/name.txt")
    assert ("MORE" in lines[0]) == (width >= 100)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_what_is_escaped_fits_as_well(width: int) -> None:
    rows = [(1, "more", "/\x1b[31m\n日本" * 30)]
    lines = terminal_table(COLUMNS, rows, width).splitlines()

    assert [display_width(line) <= width for line in lines] == [True, True]


def test_a_column_has_a_limit_of_its_own_on_a_terminal() -> None:
    columns = (Column("PROC", most_width=8), Column("FILE"))
    rows = [("sh make cc1 as ld", "/a")]

    assert terminal_table(columns, rows, 80).splitlines()[1] == "sh make…  /a"
    assert terminal_table(columns, rows, None).splitlines()[1] == "sh make cc1 as ld  /a"


def test_off_a_terminal_nothing_is_cut() -> None:
    assert "b" * 200 in terminal_table(COLUMNS, ROWS, None)


def test_a_short_text_stays_and_a_long_one_keeps_both_ends() -> None:
    assert shorten_middle("/short", 10) == "/short"
    assert shorten_middle("/abcdefghijkl/name", 10) == "/ab…l/name"


BODIES = [{"a": 1, "b": ["x", 'say "hi"'], "c": None}, {"a": 2, "b": [], "c": "p|q\x1b"}]


def test_csv_can_be_read_back() -> None:
    rows = list(csv.reader(csv_table(BODIES, ("a", "b", "c")).splitlines()))

    assert rows == [["a", "b", "c"], ["1", 'x say "hi"', ""], ["2", "", "p|q\\x1b"]]


def test_truth_is_written_as_json_has_it() -> None:
    assert csv_table([{"a": True, "b": False}], ("a", "b")).splitlines() == ["a,b", "true,false"]


def test_markdown_escapes_what_ends_a_cell() -> None:
    assert markdown_table(BODIES[1:], ("a", "c")).splitlines() == [
        "| a | c |",
        "| --- | --- |",
        "| 2 | p\\|q\\x1b |",
    ]
