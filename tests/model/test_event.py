"""The fields of an event by name."""

from __future__ import annotations

from typing import Any

import pytest

from scopetrace.model.event import EventRecord

RECORD = EventRecord(
    3, 1_783_822_275_123_456_789, "http", "http.req", "box", "curl", "curl -s x", 70, 71, 1000,
    1001, "ann", "staff", 5, {"http_host": "x", "x-appscope": "y", "pid": 9}, ("curl",),
    {"env": "t"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_host", "x"),
        ("x-appscope", "y"),
        ("x_appscope", "y"),
        ("pid", 9),
        ("tid", 71),
        ("cmd", "curl -s x"),
        ("time", "2026-07-12T02:11:15.123456Z"),
        ("_time", 1_783_822_275.123456),
        ("time_ns", 1_783_822_275_123_456_789),
        ("args", ["curl"]),
        ("env", "t"),
        ("file", None),
        ("value", None),
    ],
)
def test_a_field_is_one_of_the_data_a_tag_or_one_of_the_body(name: str, value: Any) -> None:
    assert RECORD.value(name) == value


@pytest.mark.parametrize(
    ("source", "ms", "us"), [("fs.close", 1.5, 1500), ("net.close", 1500, 1_500_000)]
)
def test_a_duration_is_told_in_either_unit(source: str, ms: float, us: float) -> None:
    record = RECORD._replace(source=source, data={"duration": 1500})

    assert (record.value("duration_ms"), record.value("duration_us")) == (ms, us)
    assert record._replace(data={}).value("duration_ms") is None
