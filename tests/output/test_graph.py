from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.output.graph import HEIGHT, draw_graph

pytestmark = pytest.mark.usefixtures("utc")


def test_bars_are_as_high_as_their_values():
    assert draw_graph("net.tx (byte)", [(0, 0), (10, 10), (20, 5), (30, 0.01)], 12) == [
        "net.tx (byte)",
        "10 ┤  ██",
        "   ┤  ██",
        "   ┤  ██",
        "   ┤  ██",
        "   ┤  ██",
        "   ┤  ████",
        "   ┤  ████",
        "   ┤  ████",
        "   ┤  ████",
        " 0 ┤  ████▁▁",
        "    Jan  1 00:00:00 Jan  1 00:00:30",
    ]


def test_values_below_0_have_a_scale_that_begins_there():
    lines = draw_graph("t", [(0, -5), (1, 5)], 40)

    assert lines[1].startswith(" 5 ┤")
    assert lines[10].startswith("-5 ┤")


def test_a_scale_is_as_fine_as_small_values_need():
    assert draw_graph("t", [(0, 0.0001), (1, 0.00005)], 40)[1].startswith("0.0001 ┤")


def test_one_value_has_one_time():
    assert draw_graph("t", [(3, 7)], 40)[-1].strip() == "Jan  1 00:00:03"


def test_what_is_always_0_is_drawn_flat():
    assert draw_graph("t", [(0, 0), (1, 0)], 40)[1:-1] == [
        "0 ┤",
        *["  ┤"] * (HEIGHT - 2),
        "0 ┤",
    ]


def test_more_values_than_columns_are_means_of_neighbours():
    points = [(n, n % 2 * 20) for n in range(1000)]

    lines = draw_graph("t", points, 24)
    assert {len(line) for line in lines[1:-1]} <= {4, 24}
    assert lines[10].count("█") == 20


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300),
    st.integers(0, 200),
)
def test_any_values_fit_any_width(values, width):
    lines = draw_graph("t", list(enumerate(values)), width)

    assert len(lines) == HEIGHT + 2
    margin = lines[1].index("┤") + 1
    assert all(len(line) <= max(width, margin + 1) for line in lines[1:-1])
