from __future__ import annotations

import pytest

from scopetrace.protocols.http.messages import PREFACE
from scopetrace.protocols.http.start import MOST_SEEN, Seen, Start, recognise_start

SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00"
GET = b"GET / HTTP/1.1\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def test_a_request_line_may_be_longer_than_what_is_looked_at():
    seen = {True: Seen(), False: Seen()}
    seen[False].add(b"GET /" + b"x" * 7998)
    assert recognise_start("", seen, False) is None

    seen[False].add(b"x" * MOST_SEEN)
    assert recognise_start("", seen, False) == Start(is_client=False, version=1)


def start_of(role: str, sent: bytes, received: bytes) -> Start | None:
    """Return what a flow is found to be when all of both directions has come."""
    seen = {True: Seen(), False: Seen()}
    found = None
    for outgoing, data in ((True, sent), (False, received)):
        seen[outgoing].add(data)
        found = found or recognise_start(role, seen, outgoing)
    return found


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
    assert start_of("client", requests, responses) == expected
    expected = None if version is None else Start(False, version)
    assert start_of("server", responses, requests) == expected


@pytest.mark.parametrize(
    ("requests", "responses", "version"),
    [
        (GET, b"", 1),
        (b"PROPFIND / HTTP/1.1\r\n\r\nlines\n" + OK, b"", 1),
        (b"", OK, 1),
        (b"rest of a body\n" + GET, b"", 1),
        (PREFACE, b"", 2),
    ],
)
def test_an_unknown_client_is_known_by_what_only_a_client_sends(requests, responses, version):
    assert start_of("", requests, responses) == Start(True, version)
    assert start_of("", responses, requests) == Start(False, version)


@pytest.mark.parametrize("start", [b"", GET[:-1], OK[:-1], PREFACE[:-1], SETTINGS, b"\xff"])
def test_an_unknown_client_takes_time(start):
    assert start_of("", start, b"") is None
    assert start_of("", b"", start) is None


@pytest.mark.parametrize(
    ("sent", "client"), [(b"x\n" + GET + OK, True), (b"x\n" + OK + GET, False)]
)
def test_the_first_line_that_shows_the_client_counts_however_it_was_cut(sent, client):
    assert start_of("", sent, b"") == Start(client, 1)
    for cut in range(1, len(sent)):
        seen = {True: Seen(), False: Seen()}
        found = []
        for piece in (sent[:cut], sent[cut:]):
            seen[True].add(piece)
            found.append(recognise_start("", seen, True))
        assert next(filter(None, found)) == Start(client, 1), cut


def test_what_is_far_from_the_beginning_is_not_seen():
    assert start_of("", b"x" * (MOST_SEEN - len(GET)) + b"\n" + GET, b"") == Start(True, 1)
    assert start_of("", b"x" * MOST_SEEN + b"\n" + GET, b"") is None
