"""HTTP Archives: HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from scopetrace.model.exchange import Content, Exchange
from scopetrace.output.har import entry, har_file
from support.flow_builder import ENDS
from support.session_builder import STARTED_NS

REQUIRED = {
    "log": {"version", "creator", "entries"},
    "entry": {"startedDateTime", "time", "request", "response", "cache", "timings"},
    "request": {
        "method",
        "url",
        "httpVersion",
        "cookies",
        "headers",
        "queryString",
        "headersSize",
        "bodySize",
    },
    "response": {
        "status",
        "statusText",
        "httpVersion",
        "cookies",
        "headers",
        "content",
        "redirectURL",
        "headersSize",
        "bodySize",
    },
    "content": {"size", "mimeType"},
    "timings": {"send", "wait", "receive"},
    "pair": {"name", "value"},
}
"""The keys that the format demands."""
ASKED = {
    **ENDS,
    "http_method": "POST",
    "http_target": "/a?b=1&c=&b=2",
    "http_scheme": "http",
    "http_host": "box:80",
    "http_flavor": "1.1",
    "http_user_agent": "curl/8",
    "http_request_content_length": 3,
    "x-mine": "yes",
}
ANSWERED = {
    **ENDS,
    "http_status_code": 200,
    "http_status_text": "OK",
    "http_flavor": "1.1",
    "http_response_content_length": 5,
}


def exchange(**changes: Any) -> Exchange:
    return Exchange(
        1, 70, "curl", 9, "client", STARTED_NS, 2500, ASKED, ANSWERED, None, None
    )._replace(**changes)


def assert_valid(one: dict[str, Any]) -> None:
    """Demand what the format demands of an entry."""
    assert one.keys() >= REQUIRED["entry"]
    datetime.fromisoformat(one["startedDateTime"])
    for name in ("request", "response"):
        assert one[name].keys() >= REQUIRED[name]
        for pair in one[name]["headers"] + one[name]["cookies"]:
            assert pair.keys() >= REQUIRED["pair"]
            assert all(isinstance(text, str) for text in pair.values())
    assert all(pair.keys() >= REQUIRED["pair"] for pair in one["request"]["queryString"])
    assert one["response"]["content"].keys() >= REQUIRED["content"]
    assert one["timings"].keys() >= REQUIRED["timings"]
    assert one["time"] == sum(one["timings"].values())
    others = one.keys() - REQUIRED["entry"] - {"serverIPAddress", "connection", "comment"}
    assert all(name.startswith("_") for name in others)


def test_an_archive_has_what_the_format_demands():
    pieces = har_file([exchange(), exchange(response=None, duration_us=None)], "1.0")
    log = json.loads(b"".join(pieces))["log"]

    assert log.keys() >= REQUIRED["log"]
    assert (log["version"], log["creator"]) == ("1.2", {"name": "scopetrace", "version": "1.0"})
    assert len(log["entries"]) == 2
    for one in log["entries"]:
        assert_valid(one)


def test_without_payload_there_is_what_the_events_say():
    one = entry(exchange())

    assert one["startedDateTime"] == "2026-07-12T02:11:15.000000Z"
    assert (one["time"], one["serverIPAddress"]) == (2.5, "93.184.216.34")
    request = one["request"]
    assert (request["method"], request["url"]) == ("POST", "http://box:80/a?b=1&c=&b=2")
    assert request["queryString"] == [
        {"name": "b", "value": "1"},
        {"name": "c", "value": ""},
        {"name": "b", "value": "2"},
    ]
    assert {pair["name"]: pair["value"] for pair in request["headers"]} == {
        "host": "box:80",
        "user-agent": "curl/8",
        "x-mine": "yes",
    }
    assert (request["bodySize"], one["response"]["bodySize"]) == (3, 5)
    assert "run -p" in request["comment"]
    assert "postData" not in request
    assert one["response"]["content"] == {"size": 5, "mimeType": ""}


def test_with_payload_there_are_all_header_fields_cookies_and_bodies():
    sent = Content((("Cookie", "a=b; c=d"), ("Content-Type", "text/plain")), b"a=b")
    received = Content(
        (("Set-Cookie", "k=v; Path=/"), ("Content-Type", "text/html"), ("Location", "/x")),
        b"hello",
    )
    one = entry(exchange(request_content=sent, response_content=received))

    assert_valid(one)
    assert one["request"]["cookies"] == [{"name": "a", "value": "b"}, {"name": "c", "value": "d"}]
    assert one["request"]["postData"] == {"mimeType": "text/plain", "text": "a=b"}
    assert one["response"]["cookies"] == [{"name": "k", "value": "v"}]
    assert one["response"]["content"] == {"size": 5, "mimeType": "text/html", "text": "hello"}
    assert one["response"]["redirectURL"] == "/x"
    assert "comment" not in one["response"]


def test_bytes_that_are_no_text_are_base64_and_what_is_cut_says_so():
    cut = Content((("Content-Type", "image/png"),), b"\x89PNG")
    one = entry(exchange(response_content=cut))

    assert one["response"]["content"]["encoding"] == "base64"
    assert one["response"]["content"]["text"] == "iVBORw=="
    assert one["response"]["comment"] == "the body is not whole"


@pytest.mark.parametrize("target", ["http://[bad/", "http://[::1/?a=b", "/?" + "&".join("a" * 99)])
def test_a_strange_target_is_an_entry_too(target):
    assert_valid(entry(exchange(request={**ASKED, "http_target": target})))


def test_a_request_without_a_response_has_the_status_0():
    one = entry(exchange(response=None, duration_us=None))

    assert (one["response"]["status"], one["time"]) == (0, 0)
