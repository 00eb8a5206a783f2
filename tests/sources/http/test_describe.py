from __future__ import annotations

import re

from scopetrace.protocols.http.headers import Headers
from scopetrace.sources.http.describe import described_request, described_response

ASKED = {"http_method": "GET", "http_target": "/"}
OWN = {"http_flavor": "1.1"}


def request(*pairs: tuple[bytes, bytes], patterns=()):
    return described_request((1, 2), dict(ASKED), OWN, Headers(pairs), 5, patterns, 10)


def test_a_request_has_the_fields_that_its_headers_give():
    found = request((b"User-Agent", b"x"), (b"X-Forwarded-For", b" ::1 , 10.0.0.1"), (b"Y", b"z"))

    assert found.fields == {**ASKED, **OWN, "http_user_agent": "x", "http_client_ip": "::1"}
    assert (found.began_ns, found.headed_ns, found.declared) == (1, 2, 5)


def test_a_response_repeats_what_was_asked_and_not_who_asked():
    asked = request((b"User-Agent", b"x"), (b"X-Forwarded-For", b"::1"), (b"X-AppScope", b"y"))
    found = described_response(3, asked, 200, {"http_flavor": "1.0"}, Headers([]), None, [])

    assert asked.fields["x-appscope"] == "y"
    assert found.fields == {
        **ASKED, "http_user_agent": "x", "http_status_code": 200, "http_flavor": "1.0",
    }  # fmt: skip
    assert described_response(3, None, 500, {}, Headers([]), None, []).fields == {
        "http_status_code": 500
    }


def test_both_have_the_headers_that_are_wanted():
    patterns = [re.compile("^Y")]
    headers = Headers([(b"Y", b"z"), (b"X", b"w")])

    assert request((b"Y", b"z"), (b"X", b"w"), patterns=patterns).fields["y"] == "z"
    assert described_response(3, None, 200, {}, headers, None, patterns).fields == {
        "http_status_code": 200, "y": "z",
    }  # fmt: skip
