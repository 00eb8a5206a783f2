from __future__ import annotations

import pytest

from scopetrace.sources.http.frames import PREFACE
from scopetrace.sources.http.start import Start, recognised

SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00"
GET = b"GET / HTTP/1.1\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("requests", "responses", "version"),
    [
        (GET[:1], b"", 1),
        (b"", OK[:1], 1),
        (PREFACE, b"", 2),
        (PREFACE, SETTINGS, 2),
        (PREFACE[:3], SETTINGS, None),
        (PREFACE[:3] + b"X", SETTINGS, 1),
        (PREFACE[:-1], b"", None),
        (b"", SETTINGS, None),
        (b"", b"", None),
    ],
)
def test_a_known_client_needs_only_its_version(requests, responses, version):
    expected = None if version is None else Start(True, version)
    assert recognised("client", requests, responses) == expected
    expected = None if version is None else Start(False, version)
    assert recognised("server", responses, requests) == expected


@pytest.mark.parametrize(
    ("requests", "responses", "version"),
    [
        (GET, b"", 1),
        (b"", OK, 1),
        (b"rest of a body\n" + GET, b"", 1),
        (PREFACE, b"", 2),
    ],
)
def test_an_unknown_client_is_known_by_what_only_a_client_sends(requests, responses, version):
    assert recognised("", requests, responses) == Start(True, version)
    assert recognised("", responses, requests) == Start(False, version)


@pytest.mark.parametrize("start", [b"", GET[:-1], OK[:-1], PREFACE[:-1], SETTINGS, b"\xff"])
def test_an_unknown_client_takes_time(start):
    assert recognised("", start, b"") is None
    assert recognised("", b"", start) is None
