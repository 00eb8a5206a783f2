from __future__ import annotations

import subprocess
import sys
import tracemalloc
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.http.messages import PREFACE
from support.http_talk import (
    EVENTS,
    NO_METRICS,
    Emitted,
    FlowReader,
    Talk,
    emitted,
    image_of,
    summary,
)

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
HEADERS = b"\x00\x00\x05\x01\x05\x00\x00\x00\x01\x82\x84\x86\x41\x00"
"""GET / over http, on stream 1."""
ANSWER = b"\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88"
"""200, on stream 1."""
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def summaries(seen: Emitted) -> list[str]:
    return [summary(data) for _, data in seen.messages]


class TestWhoClosesIt:
    """Several processes may hold a flow, and each lets go of it."""

    def test_the_close_of_a_process_that_transferred_no_last_bytes_does_not_end_it(self):
        server, parent = FlowReader("server"), image_of(EVENTS, pid=1)
        server.feed(False, GET[:5], image=parent)
        server.feed(False, GET[5:])
        server.feed(True, CHUNKED)
        server.close(image=parent)
        assert summaries(server.emitted) == ["GET /"]

        server.feed(True, b"2\r\nde\r\n0\r\n\r\n")
        assert server.emitted.messages[1][1]["http_response_content_length"] == 5

    def test_a_second_close_emits_no_message_again(self):
        client = FlowReader("client")
        client.feed(False, b"garbage\n")
        client.feed(True, GET)
        client.feed(False, CHUNKED)
        client.close()
        client.close()

        assert summaries(client.emitted) == ["GET /", "200 GET /"]
        assert len(client.emitted.notices) == 1

    def test_what_moves_after_a_close_is_read_on(self):
        client = FlowReader("client")
        client.feed(True, GET)
        client.feed(False, CHUNKED)
        client.close()
        client.feed(False, b"0\r\n\r\n")
        client.feed(True, GET)

        assert summaries(client.emitted) == ["GET /", "200 GET /", "GET /"]

    def test_the_end_of_http_needs_no_close(self):
        server = FlowReader("server")
        server.feed(False, b"garbage\n")
        server.feed(True, b"HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n")
        server.feed(False, b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n")
        server.feed(True, b"HTTP/1.1 101 Other\r\n\r\n")

        assert server.reader.done
        assert summaries(server.emitted) == ["408 None None", "PUT /", "101 PUT /"]
        assert [count for _, _, count in server.emitted.notices] == [8]

    def test_a_close_before_any_transfer(self):
        client = FlowReader("client")
        client.close()

        assert client.emitted.events == client.emitted.notices == []

    @pytest.mark.parametrize(
        ("role", "start", "count"),
        [("client", b"PRI * HTT", 9), ("", b"GET / HT", 8), ("server", GET[:-2], len(GET) - 2)],
    )
    def test_a_close_amid_a_head_says_how_much_there_was(self, role, start, count):
        reader = FlowReader(role)
        reader.feed(role != "server", start)
        reader.close()
        reader.close()

        assert reader.emitted.events == []
        assert [notice[1:] for notice in reader.emitted.notices] == [("http", count)]

    def test_a_head_that_another_process_reads_on_is_whole(self):
        reader = FlowReader("server")
        reader.feed(False, GET[:9])
        reader.close()
        reader.feed(False, GET[9:], image=image_of(EVENTS, pid=71))
        reader.close(image=image_of(EVENTS, pid=71))

        assert summaries(reader.emitted) == ["GET /"]


class TestWhoAsks:
    """Where it is not known which side connected."""

    def test_what_came_before_is_read_when_it_is_known(self):
        talk = Talk("") << b"rest\r\n" >> b"GE" >> GET[2:] << CHUNKED

        assert summaries(emitted(talk)) == ["GET /", "200 GET /"]
        assert [event.time_ns for event in emitted(talk).events] == [2_000_000, 4_000_000]

    def test_missing_bytes_and_an_end_before_it(self):
        seen = emitted(Talk("") << 100 >> 5 >> GET << CHUNKED >> GET << None)

        assert summaries(seen) == ["GET /", "200 None None"]
        assert [count for _, _, count in seen.notices] == [105 + len(GET)]

    def test_what_never_begins_is_given_up(self):
        seen = emitted(Talk("") >> b"x" * 20_000 >> GET)

        assert seen.events == []
        ((message, _, _),) = seen.notices
        assert message.endswith("could not be read further: it does not begin as HTTP does")


def test_transfers_of_no_bytes_do_not_matter():
    seen = emitted(Talk("client") >> b"" >> GET[:5] >> 0 >> b"" >> GET[5:])

    assert summaries(seen) == ["GET /"]
    assert seen.notices == []


def test_events_are_of_the_process_that_moves_the_bytes():
    server, child = FlowReader("server"), image_of(EVENTS, pid=2)
    images = []
    server.emitted.emit = lambda image, *_: images.append(image)  # type: ignore[method-assign]
    server.feed(False, GET[:5])
    server.feed(False, GET[5:], image=child)
    server.feed(True, b"HTTP/1.1 204 No\r\n\r\n", image=child)

    assert images == [child, child]


MESSAGES = [
    GET,
    GET[:9],
    b"HEAD /x HTTP/1.0\r\n\r\n",
    b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\n",
    b"CONNECT h:1 HTTP/1.1\r\n\r\n",
    CHUNKED,
    b"0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n",
    b"abcd",
    b"\r\n",
    PREFACE,
    HEADERS,
    ANSWER,
    SETTINGS,
    b"\x00\x00\x04\x00\x01\x00\x00\x00\x01",
    b"\x00\x00\x04\x00\x09\x00\x00\x00\x01\x02",
]
PIECES = st.one_of(st.binary(max_size=30), st.sampled_from(MESSAGES))
STEPS = st.lists(
    st.tuples(st.booleans(), st.one_of(PIECES, st.integers(1, 40), st.none())), max_size=12
)
ROLES = st.sampled_from(["client", "server", ""])


def talk_of(role: str, steps) -> Talk:
    talk = Talk(role, EVENTS + NO_METRICS)
    for from_client, step in steps:
        talk.steps.append((from_client, step))
    return talk


@given(ROLES, STEPS, st.sets(st.integers(0, 60)))
def test_anything_at_all_is_read_the_same_however_it_is_cut(role, steps, cuts):
    talk = talk_of(role, steps)
    whole, cut = talk.read(), talk.read(*cuts)

    assert cut.events == whole.events
    assert cut.notices == whole.notices
    assert len([reason for _, reason, _ in whole.notices]) <= 1


CONVERSATION = [
    (True, PREFACE + SETTINGS + HEADERS),
    (False, SETTINGS + ANSWER),
    (True, GET + b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
    (False, CHUNKED + b"0\r\n\r\nHTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n"),
]


@given(
    ROLES,
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 80), st.integers(0, 255)), max_size=6),
)
def test_any_damage_is_survived(role, http2, damage):
    said = CONVERSATION[:2] if http2 else CONVERSATION[2:]
    steps = [(from_client, bytearray(step)) for from_client, step in said]
    for step, at, byte in damage:
        steps[step][1][at % len(steps[step][1])] = byte
    seen = talk_of(role, [(from_client, bytes(step)) for from_client, step in steps]).read()

    assert len(seen.events) <= 4
    assert len(seen.notices) <= 1


@pytest.mark.parametrize(
    "endless",
    [
        GET,
        b"x" * 999,
        b"GET /" + b"x" * 60_000 + b" HTTP/1.1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 99,
        PREFACE + HEADERS[:4] + b"\x00" + HEADERS[5:],
        b"\x00\x00\x00\x01\x00\x00\x00\x00\x03",
        PREFACE + b"\x00\x00\x09\x01\x04\x00\x00\x00\x01" + b"\x40\x01x\x04yyyyy",
        b"\n",
        3,
        None,
    ],
)
@pytest.mark.parametrize("role", ["server", ""])
@pytest.mark.parametrize("memory", [65_536, 1_048_576])
def test_no_flow_holds_much(endless, role, memory):
    """Sent thousands of times, while the other side sends no byte."""
    import_module("scopetrace.protocols.http.http2")  # for the first flow of HTTP/2, kept for all
    reader = FlowReader(role, EVENTS + NO_METRICS + f"scopetrace: {{flowmemory: {memory}}}\n")
    tracemalloc.start()
    try:
        for _ in range(3000):
            reader.feed(False, endless)
            reader.emitted.events.clear()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * memory + 300_000


def test_reading_http_1_imports_no_parser_of_http_2():
    script = "import sys, scopetrace.sources.http.reader; print(*sys.modules)"
    command = [sys.executable, "-P", "-c", script]

    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert "scopetrace.protocols.http.http1" in loaded
    assert not {"hpack", "scopetrace.protocols.http.http2"} & {*loaded}
