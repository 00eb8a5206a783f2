"""Contents of messages: header fields and bodies, however the bytes of a flow are cut."""

from __future__ import annotations

import pytest

from scopetrace.protocols.http.content import FlowContents, unchunked

POST = (
    b"POST /form HTTP/1.1\r\nHost: box\r\nContent-Length: 3\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\na=b"
)
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=y\r\nhello\r\n1\r\n,\r\n6\r\n world\r\n0\r\n\r\n"
)
HEAD = b"HEAD / HTTP/1.1\r\nHost: box\r\n\r\n"
BARE = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
GET = b"GET /x HTTP/1.1\r\nHost: box\r\n\r\n"
LAST = b"HTTP/1.0 404 No\r\n\r\nnothing here"
TALK = [(True, POST), (False, CHUNKED), (True, HEAD), (False, BARE), (True, GET), (False, LAST)]


def read(talk, step=1 << 20, most=100):
    contents = FlowContents(most)
    for outgoing, data in talk:
        for at in range(0, len(data), step):
            contents.feed(at, outgoing, data[at : at + step], 0)
    return contents.found


@pytest.mark.parametrize("step", [1, 2, 7, 1 << 20])
def test_each_message_has_its_own_body_however_it_is_cut(step):
    found = read(TALK, step)

    assert [(one.message.method, one.kept) for one in found.requests] == [
        ("POST", b"a=b"),
        ("HEAD", b""),
        ("GET", b""),
    ]
    assert [(one.message.status, one.kept) for one in found.responses] == [
        (200, b"hello, world"),
        (200, b""),
        (404, b"nothing here"),
    ]
    assert [one.is_whole for one in found.responses] == [True, True, False]


def test_all_header_fields_are_there_as_they_were_sent():
    assert read(TALK).requests[0].headers == (
        ("Host", "box"),
        ("Content-Length", "3"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
    )


def test_a_body_is_kept_up_to_the_limit_and_the_next_message_is_found():
    found = read(TALK, most=4)

    assert [one.kept for one in found.responses] == [b"hell", b"", b"noth"]


def test_what_comes_after_missing_bytes_of_a_body_is_not_kept():
    contents = FlowContents(100)
    contents.feed(0, True, GET, 0)
    contents.feed(1, False, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123", 4)
    contents.feed(2, False, b"89", 0)
    contents.feed(3, True, GET, 0)
    contents.feed(4, False, BARE + b"x", 0)

    first, second = contents.found.responses
    assert (first.kept, first.is_whole) == (b"0123", True)
    assert second.kept == b"x"


def test_the_server_sees_the_same_messages():
    turned = [(not outgoing, data) for outgoing, data in TALK]

    assert [one.kept for one in read(turned).requests] == [b"a=b", b"", b""]


def test_what_is_no_http_has_no_messages():
    contents = FlowContents(100)
    contents.feed(0, True, b"\x16\x03\x01" * 9000, 0)
    contents.feed(1, False, BARE, 0)

    assert contents.over
    assert not contents.found.requests


def test_chunks_are_joined_as_far_as_they_are_there():
    assert unchunked(b"5\r\nhello\r\n6\r\n wor") == b"hello wor"
    assert unchunked(b"0\r\nTrailer: x\r\n\r\n") == b""
