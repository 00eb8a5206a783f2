from __future__ import annotations

import re

from scopetrace.model.flow import Address, Flow
from scopetrace.model.form import fields_of
from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.messages import Request, Response
from scopetrace.sources.http.fields import (
    RESPONSE,
    note_request,
    note_wanted,
    request_data,
    response_data,
    wanted_headers,
)
from support.http_talk import image_of

ASKED = {"http_method": "GET", "http_target": "/"}
ENDS = {"net_transport": "IP.TCP", "net_peer_ip": "::1", "net_peer_port": 80}


def flow() -> Flow:
    return Flow("IP.TCP", None, Address("inet6", "::1", 80), "client", 1)


def request(*pairs: tuple[bytes, bytes], patterns=()) -> Request:
    """Return a request with what was noted of its header."""
    made = Request("1.1", (1, 2), "GET", "/", "", "", 5, 10)
    made.noted = note_request(Headers(pairs), patterns)
    return made


def fields(made: Request | Response) -> dict[str, object]:
    """Return the fields of its event."""
    if isinstance(made, Request):
        return fields_of(request_data(made, flow()))
    return fields_of(response_data(made, flow(), RESPONSE["client"], None))


def test_a_request_has_the_fields_that_its_headers_give():
    found = request((b"User-Agent", b"x"), (b"X-Forwarded-For", b" ::1 , 10.0.0.1"), (b"Y", b"z"))

    assert list(fields(found).items()) == [
        *ASKED.items(),
        ("http_user_agent", "x"),
        ("http_flavor", "1.1"),
        ("http_client_ip", "::1"),
        ("http_request_content_length", 5),
        *ENDS.items(),
    ]


def test_a_request_has_the_fields_that_its_parser_found():
    made = Request("2.0", (1, 2), "POST", "/s/m", "https", "h", None, 10, stream=3)
    made.frame, made.grpc_method, made.after_loss, made.truncated = "HEADERS", "/s/m", True, True
    made.noted = note_request(Headers([]), ())

    repeated = {
        "http_method": "POST",
        "http_target": "/s/m",
        "http_scheme": "https",
        "http_after_loss": True,
        "http_truncated": True,
        "http_host": "h",
        "http_grpc_method": "/s/m",
    }
    assert list(fields(made).items()) == [
        *repeated.items(),
        ("http_flavor", "2.0"),
        ("http_stream", 3),
        ("http_frame", "HEADERS"),
        *ENDS.items(),
    ]
    assert fields(Response("2.0", 3, 200, made, None)) == {
        **repeated,
        "http_status_code": 200,
        "http_flavor": "2.0",
        **ENDS,
    }


def test_a_response_repeats_what_was_asked_and_not_who_asked():
    asked = request((b"User-Agent", b"x"), (b"X-Forwarded-For", b"::1"), (b"X-AppScope", b"y"))
    answered = {"http_status_code": 500, "http_flavor": "1.0", **ENDS}

    assert fields(asked)["x-appscope"] == "y"
    assert fields(Response("1.0", 3, 500, asked, None)) == {
        **ASKED,
        "http_user_agent": "x",
        **answered,
    }
    assert fields(Response("1.0", 3, 500, None, None)) == answered


def test_a_response_has_the_fields_that_its_parser_found():
    made = Response("2.0", 3, 200, None, 0, stream=5)
    made.after_loss, made.truncated, made.reason = True, True, "OK"
    made.grpc_status, made.grpc_message = 0, "m"

    found = fields_of(response_data(made, flow(), RESPONSE["server"], 1500))
    assert list(found.items()) == [
        ("http_after_loss", True),
        ("http_truncated", True),
        ("http_status_code", 200),
        ("http_flavor", "2.0"),
        ("http_status_text", "OK"),
        ("http_stream", 5),
        ("grpc_status", 0),
        ("grpc_message", "m"),
        ("http_server_duration", 1),
        ("http_duration_us", 1500),
        ("http_response_content_length", 0),
        *ENDS.items(),
    ]


def test_both_have_the_headers_that_are_wanted_but_none_in_place_of_a_field():
    patterns = [re.compile("^Y"), re.compile("net_peer_ip|http_host")]
    pairs = ((b"Y", b"z"), (b"X", b"w"), (b"net_peer_ip", b"v"), (b"http_host", b"u"))
    answer = Response("1.0", 3, 200, None, None)
    answer.noted = note_wanted(Headers(pairs), patterns)

    for found in fields(request(*pairs, patterns=patterns)), fields(answer):
        assert found["y"] == "z"
        assert found["net_peer_ip"] == "::1"
        assert not {"x", "http_host"} & found.keys()


def test_every_rule_for_http_wants_its_own():
    config = (
        "event:\n  watch:\n"
        "  - type: http\n    headers: ['^A:', '^B:']\n"
        "  - type: fs\n"
        "  - type: http\n    headers: ['^C:']\n"
    )
    patterns = wanted_headers(image_of(config))

    assert [pattern.text for pattern in patterns] == ["^A:", "^B:", "^C:"]
    assert wanted_headers(image_of("event:\n  watch:\n  - type: fs\n")) == []
