from __future__ import annotations

import pytest

from scopetrace.model.metric import MetricRecord
from scopetrace.output.metrics import by_second, columns, format_number, metric_row
from support.session_builder import SENT

SECOND = 1_000_000_000


def test_a_row_has_its_tags_in_order():
    assert metric_row(SENT) == (
        "net.tx",
        "11",
        "Counter",
        "byte",
        70,
        "nc",
        "class: inet_tcp, proto: TCP",
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2**60 + 1, str(2**60 + 1)),
        (3.0, "3"),
        (1e6 + 0.5, "1000000.50"),
        (2.345, "2.35"),
        (0.004, "0.004"),
        (-0.001, "-0.001"),
        (0, "0"),
        (1e300, str(int(1e300))),
    ],
)
def test_numbers_are_shown_as_people_read_them(value, shown):
    assert format_number(value) == shown


def at(second, name, value, type="counter", pid=70, **tags):
    time_ns = int(second * SECOND)
    return MetricRecord(1, time_ns, name, type, "byte", value, tags, "box", "nc", pid)


def test_what_happened_in_one_second_is_one_row():
    moments = by_second(
        [
            at(5.9, "net.tx", 2),
            at(3.1, "net.tx", 11),
            at(3.8, "net.rx", 7),
            at(3.9, "net.tx", 4, pid=71),
        ]
    )

    assert list(moments.items()) == [(3, {"net.tx": 15, "net.rx": 7}), (5, {"net.tx": 2})]


def test_of_gauges_the_last_of_each_adds_up():
    moments = by_second(
        [
            at(1.1, "proc.fd", 5, "gauge"),
            at(1.2, "proc.fd", 7, "gauge"),
            at(1.3, "proc.fd", 10, "gauge", pid=71),
            at(2.0, "proc.fd", 3, "gauge"),
        ]
    )

    assert moments == {1: {"proc.fd": 17}, 2: {"proc.fd": 3}}


@pytest.mark.parametrize("type", ["timer", "histogram"])
def test_of_means_it_is_the_mean(type):
    moments = by_second([at(1, "d", 2, type), at(1, "d", 4, type), at(2, "d", 9, type)])

    assert moments == {1: {"d": 3}, 2: {"d": 9}}


def test_columns_are_in_the_order_they_were_asked_for():
    moments = {1: {"a": 1, "b": 1}, 2: {"c": 1}}

    assert columns(moments, ("c", "x", "b", "c")) == ["c", "b", "a"]
