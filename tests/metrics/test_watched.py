from __future__ import annotations

import json

import pytest

from scopetrace.metrics.watched import WatchedMeter

START = 10_000


@pytest.fixture
def events():
    return []


@pytest.fixture
def meter(events):
    return WatchedMeter(
        1000, lambda image: None, lambda image, time_ns, name, data: events.append((name, data))
    )


def test_each_measure_is_an_event_and_is_summed_up(meter, events, image):
    one = image()
    for _ in range(2):
        meter.measure(one, START, "fs.open", 1, op="openat", file="/a", fd=3)

    data = {"op": "openat", "file": "/a", "fd": 3, "unit": "operation"}
    data |= {"_metric": "fs.open", "_metric_type": "counter", "_value": 1}
    assert events == [("fs.open", data)] * 2
    meter.end_period(START + 1000)
    assert [sample.value for sample in meter.take()] == [2]


def test_of_a_mean_the_event_has_the_mean_over_its_operations(meter, events, image):
    meter.measure(image(), START, "net.duration", 30, 3, proto="TCP", port=80)
    ((_, data),) = events
    assert (data["_value"], data["numops"]) == (10, 3)


def test_the_mean_of_one_operation_stays_a_whole_number(meter, events, image):
    meter.measure(image(), START, "net.duration", 30, 1, proto="TCP", port=80)
    ((_, data),) = events
    assert json.dumps(data["_value"]) == "30"


def test_a_value_of_fs_read_is_a_histogram_as_in_appscope(meter, events, image):
    meter.measure(image(), START, "fs.read", 512, 2, op="read", file="/a", fd=3)
    ((_, data),) = events
    assert (data["_metric_type"], data["_value"], data["numops"]) == ("histogram", 512, 2)


def test_what_every_event_has_is_no_tag(meter, events, image):
    meter.measure(image(), START, "proc.start", 1, uid=0, username="root", args="a b", gid=None)
    ((_, data),) = events
    assert data.keys() == {"unit", "_metric", "_metric_type", "_value"}


def test_a_metric_of_the_program_keeps_its_name_and_tags(meter, events, image):
    meter.measure_own(image(), START, "hits", "counter", 4, {"page": "a"})
    data = {"page": "a", "_metric": "hits", "_metric_type": "counter", "_value": 4}
    assert events == [("hits", data)]
