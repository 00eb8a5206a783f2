"""Contents of messages: header fields and bodies, however the bytes of a flow are cut."""

from __future__ import annotations

import h2.config
import h2.connection
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


ASKED = [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "box")]
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: box\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


class Peers:
    """A client and a server of HTTP/2, made by h2, and the bytes between them, in order."""

    def __init__(self):
        self.client, self.server = (
            h2.connection.H2Connection(h2.config.H2Configuration(client_side=client))
            for client in (True, False)
        )
        self.talk = []

    def begin(self):
        self.client.initiate_connection()
        self.server.initiate_connection()
        return self.speak()

    def speak(self):
        for outgoing, end, other in (
            (True, self.client, self.server),
            (False, self.server, self.client),
        ):
            data = end.data_to_send()
            other.receive_data(data)
            self.talk.append((outgoing, data))
        return self

    def ask(self, *streams):
        for stream in streams:
            self.client.send_headers(stream, ASKED)
            self.client.send_data(stream, b"q%d" % stream, end_stream=True, pad_length=7)
        return self.speak()

    def answer(self, *streams, parts=3):
        """Answer with bodies whose frames take turns."""
        for stream in streams:
            self.server.send_headers(stream, [(":status", "200")])
        for part in range(parts):
            for stream in streams:
                self.server.send_data(stream, b"%d-%d " % (stream, part), pad_length=part or None)
        for stream in streams:
            self.server.end_stream(stream)
        return self.speak()


def bodies(found):
    return [(one.message.stream, one.kept, one.is_whole) for one in found]


@pytest.mark.parametrize("step", [1, 2, 7, 1 << 20])
def test_bodies_of_streams_are_apart_however_they_are_cut(step):
    found = read(Peers().begin().ask(1, 3).answer(3, 1).talk, step)

    assert bodies(found.requests) == [(1, b"q1", True), (3, b"q3", True)]
    assert bodies(found.responses) == [
        (3, b"3-0 3-1 3-2 ", True),
        (1, b"1-0 1-1 1-2 ", True),
    ]
    assert not found.streams


def test_a_body_of_http2_is_kept_up_to_the_limit():
    found = read(Peers().begin().ask(1).answer(1).talk, most=6)

    assert bodies(found.responses) == [(1, b"1-0 1-", True)]


def test_a_body_that_goes_on_is_not_whole():
    peers = Peers().begin().ask(1)
    peers.server.send_headers(1, [(":status", "200")])
    peers.server.send_data(1, b"begun")

    assert bodies(read(peers.speak().talk).responses) == [(1, b"begun", False)]


def test_a_message_without_body_is_whole_with_its_header():
    peers = Peers().begin()
    peers.client.send_headers(1, ASKED, end_stream=True)
    peers.speak()
    peers.server.send_headers(1, [(":status", "204")], end_stream=True)
    found = read(peers.speak().talk)

    assert bodies(found.requests) == bodies(found.responses) == [(1, b"", True)]


@pytest.mark.parametrize("way", ["reset", "go away", "trailers"])
def test_a_body_ends_also_with(way):
    peers = Peers().begin().ask(1)
    peers.server.send_headers(1, [(":status", "200")])
    peers.server.send_data(1, b"part")
    if way == "reset":
        peers.server.reset_stream(1)
    elif way == "trailers":
        peers.server.send_headers(1, [("x-sum", "1")], end_stream=True)
    else:
        peers.server.close_connection(last_stream_id=0)
    found = read(peers.speak().talk)

    assert bodies(found.responses) == [(1, b"part", True)]
    assert not found.streams


def test_what_comes_after_missing_bytes_of_a_body_of_http2_is_not_kept():
    peers = Peers().begin().ask(1)
    peers.server.send_headers(1, [(":status", "200")])
    peers.server.send_data(1, b"0123456789", end_stream=True)
    *before, (_, answer) = peers.speak().talk
    contents = FlowContents(100)
    for outgoing, data in before:
        contents.feed(0, outgoing, data, 0)
    contents.feed(1, False, answer[:-6], 3)
    contents.feed(2, False, answer[-3:], 0)

    assert bodies(contents.found.responses) == [(1, b"0123", True)]


def test_a_connection_that_was_upgraded_has_the_bodies_of_both_versions():
    peers = Peers()
    peers.client.initiate_upgrade_connection()
    peers.server.initiate_upgrade_connection(b"AAMAAABkAAQAAP__")
    talk = [(True, UPGRADE), (False, SWITCH), *peers.speak().answer(1).ask(3).answer(3).talk]
    found = read(talk)

    assert [one.message.version for one in found.requests] == ["1.1", "2.0"]
    assert bodies(found.requests)[1] == (3, b"q3", True)
    assert bodies(found.responses) == [
        (1, b"1-0 1-1 1-2 ", True),
        (3, b"3-0 3-1 3-2 ", True),
    ]
