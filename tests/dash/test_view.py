from __future__ import annotations

from scopetrace.dash.place import Place
from scopetrace.dash.view import ordered


def by(records, **place):
    return ordered(records, Place("files", **place), lambda record, field: record.get(field))


def test_the_largest_comes_first_and_what_is_not_known_last():
    records = [{"n": 1}, {}, {"n": 3}]

    assert by(records) == records
    assert by(records, reverse=True) == [{"n": 3}, {}, {"n": 1}]
    assert by(records, sort="n") == [{"n": 3}, {"n": 1}, {}]
    assert by(records, sort="n", reverse=True) == [{"n": 1}, {"n": 3}, {}]
