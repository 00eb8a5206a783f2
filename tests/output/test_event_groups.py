"""Groups of events as a table and as JSON."""

from __future__ import annotations

import pytest

from scopetrace.output.event_groups import group_bodies, group_table
from scopetrace.output.width import display_width

GROUPS = [("/a", 3, 2048), ("/b\x1b", 2, 0), (None, 9, None)]


def test_a_table_has_the_unit_of_the_sum_in_its_heading() -> None:
    assert group_table("file", "file_read_bytes", GROUPS, None).splitlines() == [
        "EVENTS  SUM bytes  FILE",
        "     3       2048  /a",
        "     2          0  /b\\x1b",
        "     9          0  -",
    ]


@pytest.mark.parametrize(
    ("summed", "heading"),
    [
        (None, "EVENTS  FILE"),
        ("duration_us", "EVENTS  SUM µs  FILE"),
        ("count", "EVENTS  SUM  FILE"),
    ],
)
def test_headings(summed: str | None, heading: str) -> None:
    lines = group_table("file", summed, [("/a", 1, 1)], None).splitlines()

    assert lines[0].split() == heading.split()


def test_json_has_the_sum_only_if_there_is_one() -> None:
    assert list(group_bodies("file", None, GROUPS[2:])) == [{"file": None, "events": 9}]
    assert list(group_bodies("pid", "cpu_own", [(7, 1, 5)])) == [{"pid": 7, "events": 1, "sum": 5}]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    lines = group_table("file", None, [("/x" * 300, 1, None)], width).splitlines()

    assert max(map(display_width, lines)) <= width
