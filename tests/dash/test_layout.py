from __future__ import annotations

import pytest

from scopetrace.dash.layout import Layout
from scopetrace.output.answers import Column
from scopetrace.output.width import display_width

COLUMNS = (Column("ID", right=True), Column("WHO", least_width=100), Column("FILE"))


def test_the_last_column_takes_the_room_that_is_left():
    lines = Layout(COLUMNS, 30).lines([("1", "ann", "/a/" + "b" * 60 + "/end"), ("22", "", "/x")])

    assert lines[0] == "ID  FILE"
    assert lines[1].startswith(" 1  /a/")
    assert lines[1].endswith("b/end")
    assert lines[2] == "22  /x"


@pytest.mark.parametrize("width", [20, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width):
    rows = [("9" * 300, "x" * 300, "漢" * 300), ("1", "", "\x1b[2J\udcff" * 50)]

    assert all(display_width(line) <= width for line in Layout(COLUMNS, width).lines(rows))


def test_controls_are_escaped_and_markup_stays_text():
    _, line = Layout(COLUMNS, 80).lines([("1", "", "[red]a\x1b[31m\n\udcff")])

    assert line == " 1  [red]a\\x1b[31m\\n\\xff"


def test_widths_only_grow():
    layout = Layout(COLUMNS, 80)
    layout.lines([("12345", "", "a")])

    assert layout.lines([("1", "", "a")])[1] == "    1  a"
