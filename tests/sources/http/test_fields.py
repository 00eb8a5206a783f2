from __future__ import annotations

import re

from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.messages import Request, Response
from scopetrace.sources.http.fields import (
    repeated_fields,
    request_fields,
    response_fields,
    wanted_headers,
)
from support.http_talk import image_of

ASKED = {"http_method": "GET", "http_target": "/"}
OWN = {"http_flavor": "1.1"}


def request(*pairs: tuple[bytes, bytes], patterns=()) -> Request:
    """Return a request with its fields."""
    made, headers = Request("1.1", (1, 2), "GET", "/", "", "", 5, 10), Headers(pairs)
    made.repeated = repeated_fields(made, headers)
    made.fields = request_fields(made, headers, made.repeated, patterns)
    return made


def fields_of_response(
    status: int, request: Request | None, headers: Headers, patterns=()
) -> dict[str, object]:
    return response_fields(Response("1.0", 3, status, request, None), headers, patterns)


def test_a_request_has_the_fields_that_its_headers_give():
    found = request((b"User-Agent", b"x"), (b"X-Forwarded-For", b" ::1 , 10.0.0.1"), (b"Y", b"z"))

    assert found.fields == {**ASKED, **OWN, "http_user_agent": "x", "http_client_ip": "::1"}


def test_a_request_has_the_fields_that_its_parser_found():
    made = Request("2.0", (1, 2), "POST", "/s/m", "https", "h", None, 10, stream=3)
    made.frame, made.grpc_method, made.after_loss, made.truncated = "HEADERS", "/s/m", True, True
    repeated = repeated_fields(made, Headers([]))

    assert list(repeated.items()) == [
        ("http_method", "POST"),
        ("http_target", "/s/m"),
        ("http_scheme", "https"),
        ("http_after_loss", True),
        ("http_truncated", True),
        ("http_host", "h"),
        ("http_grpc_method", "/s/m"),
    ]
    assert request_fields(made, Headers([]), repeated, ()) == {
        **repeated,
        "http_flavor": "2.0",
        "http_stream": 3,
        "http_frame": "HEADERS",
    }


def test_a_response_repeats_what_was_asked_and_not_who_asked():
    asked = request((b"User-Agent", b"x"), (b"X-Forwarded-For", b"::1"), (b"X-AppScope", b"y"))

    assert asked.fields["x-appscope"] == "y"
    assert fields_of_response(200, asked, Headers([])) == {
        **ASKED,
        "http_user_agent": "x",
        "http_status_code": 200,
        "http_flavor": "1.0",
    }
    assert fields_of_response(500, None, Headers([])) == {
        "http_status_code": 500,
        "http_flavor": "1.0",
    }


def test_a_response_has_the_fields_that_its_parser_found():
    made = Response("2.0", 3, 200, None, None, stream=5)
    made.after_loss, made.truncated, made.reason = True, True, "OK"

    assert response_fields(made, Headers([]), ()) == {
        "http_status_code": 200,
        "http_flavor": "2.0",
        "http_after_loss": True,
        "http_truncated": True,
        "http_status_text": "OK",
        "http_stream": 5,
    }


def test_both_have_the_headers_that_are_wanted():
    patterns = [re.compile("^Y")]
    headers = Headers([(b"Y", b"z"), (b"X", b"w")])

    assert request((b"Y", b"z"), (b"X", b"w"), patterns=patterns).fields["y"] == "z"
    assert fields_of_response(200, None, headers, patterns) == {
        "http_status_code": 200,
        "http_flavor": "1.0",
        "y": "z",
    }


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
