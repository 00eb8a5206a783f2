from __future__ import annotations

from scopetrace.dash.rows import LazyRows, Row, Want


def test_rows_are_made_when_they_are_looked_at():
    made = []

    def make(at, record):
        made.append(record)
        return Row(at, (record,))

    rows = LazyRows("abcde", make)

    assert (len(rows), made) == (5, [])
    assert rows[1:3] == [Row(1, ("b",)), Row(2, ("c",))]
    assert rows[-1] == Row(4, ("e",))
    assert made == ["b", "c", "e"]


def test_an_edge_is_outside_of_what_is_wanted():
    assert Want().edge(upwards=True, past_all=100) == 0
    assert Want().edge(upwards=False, past_all=100) == 100
    assert Want(7).edge(upwards=True, past_all=100) == 7
    assert Want(7, including=True).edge(upwards=True, past_all=100) == 6
    assert Want(7, including=True).edge(upwards=False, past_all=100) == 8
