from __future__ import annotations

import pytest

from support.http_talk import EVENTS, METRICS, NO_METRICS, Talk, emitted

POST = b"POST /a?b HTTP/1.1\r\nContent-Length: 3\r\nX-One: 1\r\n\r\nabc"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Two: 2\r\nServer: s\r\n\r\nhi"
NO_EVENTS = "event:\n  enable: false\n"


@pytest.mark.parametrize("role", ["client", "server"])
def test_one_sample_of_each_metric_for_each_response(role):
    seen = emitted(Talk(role, NO_EVENTS + METRICS) >> POST << OK)

    target = {"http_target": "/a"}
    assert seen.events == []
    assert seen.samples == [
        ("http.req.content_length", 3, target),
        ("http.req", 1, {**target, "http_status_code": 200}),
        (f"http.duration.{role}", 1.0, target),
        ("http.resp.content_length", 2, target),
    ]


def test_samples_of_what_is_not_known_are_not_taken():
    seen = emitted(Talk(config=NO_EVENTS + METRICS) << b"HTTP/1.1 408 Late\r\n\r\n" << 5 << None)
    assert seen.samples == [
        ("http.req", 1, {"http_status_code": 408}),
        ("http.resp.content_length", 5, {}),
    ]

    asked = b"HEAD / HTTP/1.1\r\n\r\n"
    seen = emitted(Talk(config=NO_EVENTS + METRICS) >> asked << b"HTTP/1.1 200 OK\r\n\r\n")
    assert [name for name, _, _ in seen.samples] == ["http.req", "http.duration.server"]


def test_events_and_samples_are_wanted_one_by_one():
    assert emitted(Talk(config=EVENTS + NO_METRICS) >> POST << OK).samples == []

    only = "event:\n  watch:\n  - type: http\n    name: resp\n"
    seen = emitted(Talk(config=only + METRICS) >> POST << OK)
    assert [event.source for event in seen.events] == ["http.resp"]
    assert len(seen.samples) == 4


def test_headers_that_the_configuration_asks_for():
    config = EVENTS + "    headers: ['(?i)^x-', 'Server: s']\n" + NO_METRICS
    asked, answered = (event.data for event in emitted(Talk(config=config) >> POST << OK).events)

    assert asked["x-one"] == "1"
    assert "content-length" not in asked
    assert (answered["x-two"], answered["server"]) == ("2", "s")
    assert "x-one" not in answered


def test_no_header_replaces_a_field():
    config = EVENTS + "    headers: ['.']\n" + NO_METRICS
    answered = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nhttp_status_code: 5\r\nnet_peer_ip: x\r\n\r\n"
    )
    _, event = emitted(Talk(config=config) >> POST << answered).events

    assert event.data["http_status_code"] == 200
    assert event.data["net_peer_ip"] == "10.0.0.2"
    assert event.data["content-length"] == "0"
