from __future__ import annotations

import base64
import tracemalloc

import h2.config
import h2.connection
import h2.settings
import hpack
import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PriorityFrame,
    PushPromiseFrame,
)

from scopetrace.protocols.http import http2, messages
from scopetrace.protocols.http.frames import PREFACE
from support.http_talk import (
    EVENTS,
    NET,
    NO_METRICS,
    OPENED_NS,
    FlowReader,
    Talk,
    emitted,
    length_of,
    message_events,
    names,
)

GET = [(":method", "GET"), (":path", "/a?b"), (":scheme", "http"), (":authority", "h:80")]
POST = [(":method", "POST"), *GET[1:]]
CALL = [*POST, ("content-type", "application/grpc+proto"), ("te", "trailers")]
ENDS = ("END_HEADERS", "END_STREAM")
TABLE = 4096
"""What each side's table of header fields may take at first (RFC 9113, 6.5.2)."""
OK = [(":status", "200"), ("server", "s")]


class Peers:
    """Two ends of a connection, made by h2, and what they say to each other."""

    def __init__(self, role: str = "client", **settings: int) -> None:
        def end(client: bool) -> h2.connection.H2Connection:
            config = h2.config.H2Configuration(client_side=client, header_encoding="utf-8")
            return h2.connection.H2Connection(config)

        self.talk = Talk(role)
        self.client, self.server = end(True), end(False)

    def begin(self) -> Peers:
        self.client.initiate_connection()
        self.server.initiate_connection()
        return self.speak()

    def speak(self) -> Peers:
        """Let both say what they have to, until neither has anything."""
        while True:
            asked = self.client.data_to_send()
            if asked:
                self.talk >> asked
                self.server.receive_data(asked)
            answered = self.server.data_to_send()
            if answered:
                self.talk << answered
                self.client.receive_data(answered)
            if not asked and not answered:
                return self

    def ask(self, stream: int, headers=GET, body: bytes | None = None) -> Peers:
        self.client.send_headers(stream, headers, end_stream=body is None)
        if body is not None:
            send(self.client, stream, body, ends=True)
        return self.speak()

    def answer(self, stream: int, headers=OK, body: bytes | None = b"", trailers=None) -> Peers:
        self.server.send_headers(stream, headers, end_stream=body is None)
        if body is not None:
            send(self.server, stream, body, ends=trailers is None)
        if trailers is not None:
            self.server.send_headers(stream, trailers, end_stream=True)
        return self.speak()


def send(end: h2.connection.H2Connection, stream: int, body: bytes, ends: bool) -> None:
    """Send a body in frames, some of them padded."""
    parts = [body[at : at + 16_000] for at in range(0, len(body), 16_000)] or [b""]
    for part in parts[:-1]:
        end.send_data(stream, part)
    end.send_data(stream, parts[-1], end_stream=ends, pad_length=len(body) % 3 or None)


def lengths(talk: Talk) -> list[int | None]:
    return [length_of(data) for _, data in message_events(talk)]


def frames(*some) -> bytes:
    return b"".join(frame.serialize() for frame in some)


def test_a_request_and_its_response():
    peers = Peers("client").begin()
    peers.ask(1, [*POST, ("user-agent", "x/1"), ("x-forwarded-for", "1.2.3.4")], b"abc")
    peers.answer(1, [*OK, ("content-length", "2")], b"hi")

    asked, answered = (event.data for event in emitted(peers.talk).events)
    shared = {
        "http_method": "POST",
        "http_target": "/a?b",
        "http_scheme": "http",
        "http_host": "h:80",
        "http_user_agent": "x/1",
    }
    assert asked == {
        **shared,
        "http_flavor": "2.0",
        "http_stream": 1,
        "http_frame": "HEADERS",
        "http_client_ip": "1.2.3.4",
        "http_request_content_length": 3,
        **NET,
    }
    assert answered == {
        **shared,
        "http_flavor": "2.0",
        "http_stream": 1,
        "http_status_code": 200,
        "http_client_duration": answered["http_duration_us"] // 1000,
        "http_duration_us": answered["http_duration_us"],
        "http_response_content_length": 2,
        **NET,
    }
    assert answered["http_duration_us"] >= 1000


@pytest.mark.parametrize("role", ["client", "server", ""])
def test_streams_are_answered_in_any_order(role):
    peers = Peers(role).begin().ask(1).ask(3).ask(5, POST, b"x" * 50_000)
    peers.answer(5, body=b"y" * 30_000).answer(1, body=None).answer(3, body=b"z")

    assert names(peers.talk) == [
        *["GET /a?b"] * 2,
        "POST /a?b",
        "200 POST /a?b",
        *["200 GET /a?b"] * 2,
    ]
    assert lengths(peers.talk) == [None, None, 50_000, 30_000, 0, 1]
    assert emitted(peers.talk).notices == []


def test_headers_of_many_frames():
    peers = Peers().begin()
    peers.ask(1, [*GET, *((f"x-{number}", "y" * 900) for number in range(50))])

    assert any(bytes([0, 9]) in step for _, step in peers.talk.steps)
    assert names(peers.answer(1).talk) == ["GET /a?b", "200 GET /a?b"]


def test_headers_that_depend_on_earlier_ones_and_tables_of_other_sizes():
    peers = Peers().begin()
    peers.server.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 60_000})
    peers.client.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0})
    peers.speak()
    for stream in range(1, 60, 2):
        peers.ask(stream, [*GET, ("user-agent", f"agent-{stream % 8}")]).answer(stream)

    agents = [data["http_user_agent"] for _, data in message_events(peers.talk)]
    assert agents == [f"agent-{stream % 8}" for stream in range(1, 60, 2) for _ in range(2)]


def test_a_call_of_grpc():
    peers = Peers().begin().ask(1, CALL, b"\0\0\0\0\1x")
    peers.answer(
        1,
        [*OK, ("content-length", "6")],
        b"\0\0\0\0\1y",
        [("grpc-status", "5"), ("grpc-message", "no%20such")],
    )
    peers.ask(3, CALL, b"").answer(3, [*OK, ("grpc-status", "0")], None)

    first, second = (data for kind, data in message_events(peers.talk) if kind == "resp")
    assert first["http_grpc_method"] == second["http_grpc_method"] == "/a?b"
    assert (first["grpc_status"], first["grpc_message"]) == (5, "no such")
    assert (second["grpc_status"], second.get("grpc_message")) == (0, None)
    assert lengths(peers.talk) == [6, 6, 0, 0]


def test_grpc_has_one_net_app():
    peers = Peers().begin().ask(1).answer(1)
    for stream in (3, 5):
        peers.ask(stream, CALL, b"").answer(stream, [*OK, ("grpc-status", "0")], None)
    peers.talk.config = EVENTS + "  - type: net\n" + NO_METRICS
    events = emitted(peers.talk).events

    assert [event.source for event in events[:4]] == [
        "http.req",
        "http.resp",
        "net.app",
        "http.req",
    ]
    assert events[2].data == {"protocol": "gRPC", "fd": -1, **NET}
    assert (events[2].channel, events[2].tid) == (OPENED_NS, 71)
    assert [event.source for event in events[4:]] == ["http.resp", "http.req", "http.resp"]


@pytest.mark.parametrize("kind", ["application/json", "application/grpc-web", ""])
def test_what_is_no_call_of_grpc(kind):
    peers = Peers().begin().ask(1, [*POST, ("content-type", kind)], b"")
    peers.answer(1, trailers=[("grpc-status", "5")])

    assert not any("grpc" in field for _, data in message_events(peers.talk) for field in data)


def test_trailers_of_a_request_end_it():
    peers = Peers().begin()
    peers.client.send_headers(1, POST)
    peers.client.send_data(1, b"abc")
    peers.client.send_headers(1, [("x-sum", "1")], end_stream=True)

    assert lengths(peers.speak().answer(1).talk) == [3, 0]


def test_interim_responses_are_not_the_response():
    peers = Peers().begin().ask(1)
    peers.server.send_headers(1, [(":status", "103"), ("link", "x")])

    assert names(peers.speak().answer(1).talk) == ["GET /a?b", "200 GET /a?b"]


def test_a_promised_request():
    peers = Peers().begin().ask(1)
    peers.server.push_stream(1, 2, [(":method", "GET"), (":path", "/style"), *GET[2:]])
    peers.speak().answer(1, body=b"page").answer(2, body=b"style")

    found = [
        (data["http_stream"], data.get("http_frame"), length_of(data))
        for _, data in message_events(peers.talk)
    ]
    assert found == [(1, "HEADERS", None), (2, "PUSH_PROMISE", None), (1, None, 4), (2, None, 5)]


def test_head_and_statuses_without_a_body():
    peers = Peers().begin().ask(1, [(":method", "HEAD"), *GET[1:]]).ask(3).ask(5)
    peers.answer(1, [*OK, ("content-length", "9")], None)
    peers.answer(3, [(":status", "304")], None).answer(5, [(":status", "204")], None)

    assert lengths(peers.talk)[3:] == [9, None, 0]


def test_a_reset_stream_is_emitted_as_far_as_it_went():
    peers = Peers().begin().ask(1).ask(3)
    peers.server.send_headers(1, OK)
    peers.server.send_data(1, b"abc")
    peers.speak()
    peers.client.reset_stream(1)
    peers.client.reset_stream(3)
    peers.speak().ask(5).answer(5)

    assert names(peers.talk) == ["GET /a?b", "GET /a?b", "200 GET /a?b", "GET /a?b", "200 GET /a?b"]
    assert lengths(peers.talk)[2] == 3


def test_a_server_that_goes_away_leaves_requests_unanswered():
    peers = Peers().begin().ask(1).ask(3)
    peers.server.close_connection(last_stream_id=1)

    assert names(peers.speak().talk) == ["GET /a?b"] * 2


def test_what_is_not_served_is_not_answered_and_all_else_is():
    promise = PushPromiseFrame(1, 2, hpack.Encoder().encode(GET), flags=["END_HEADERS"])
    talk = Talk("client") >> PREFACE + frames(headers(1), headers(3))
    talk << frames(promise, GoAwayFrame(0, last_stream_id=1))
    talk << frames(headers(3, OK), headers(2, OK), headers(1, OK))
    talk >> frames(GoAwayFrame(0, last_stream_id=0), headers(5)) << frames(headers(5, OK))

    answered = [data["http_stream"] for kind, data in message_events(talk) if kind == "resp"]
    assert answered == [2, 1, 5]


def test_a_tunnel_has_no_length():
    peers = Peers().begin()
    peers.client.send_headers(1, [(":method", "CONNECT"), (":authority", "h:443")])
    peers.speak()
    peers.server.send_headers(1, OK)
    peers.server.send_data(1, b"tunnelled")

    assert names(peers.speak().talk) == ["CONNECT h:443", "200 CONNECT h:443"]
    assert lengths(peers.talk) == [None, None]

    tunnel = frames(headers(1, [(":method", "CONNECT"), (":authority", "h")]), DataFrame(1, b"x"))
    assert lengths(Talk() >> PREFACE + tunnel) == [None]


@pytest.mark.parametrize("role", ["client", "server", ""])
def test_an_upgrade_answers_its_request_on_the_first_stream(role):
    peers = Peers(role)
    settings = peers.client.initiate_upgrade_connection()
    peers.server.initiate_upgrade_connection(settings)
    peers.talk >> (
        b"GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: " + settings + b"\r\n\r\n"
    )
    assert base64.urlsafe_b64decode(settings)
    (
        peers.talk
        << b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + peers.server.data_to_send()
    )
    peers.speak().answer(1, body=b"up").ask(3).answer(3)

    found = [
        (data["http_flavor"], data.get("http_stream"), length_of(data))
        for _, data in message_events(peers.talk)
    ]
    assert names(peers.talk) == ["GET /up", "200 GET /up", "GET /a?b", "200 GET /a?b"]
    assert found == [("1.1", None, None), ("2.0", 1, 2), ("2.0", 3, None), ("2.0", 3, 0)]


def test_a_server_may_speak_first():
    peers = Peers("server")
    peers.client.initiate_connection()
    peers.server.initiate_connection()
    peers.talk << peers.server.data_to_send()

    assert names(peers.speak().ask(1).talk) == ["GET /a?b"]


def test_missing_bytes_in_data_are_counted():
    peers = Peers().begin().ask(1)
    head = peers.server
    head.send_headers(1, OK)
    peers.speak()
    data = frames(DataFrame(1, b"x" * 100, flags=["END_STREAM"]))
    peers.talk << data[:20] << 80 << data[100:]

    assert lengths(peers.ask(3).talk) == [None, 100, None]
    assert emitted(peers.talk).notices == []


@pytest.mark.parametrize("missing", [9, 81])
def test_missing_bytes_of_anything_else_end_the_reading(missing):
    peers = Peers().begin().ask(1)
    peers.server.send_headers(1, OK)
    peers.speak()
    data = frames(DataFrame(1, b"x" * 100, flags=["END_STREAM"]))
    peers.talk << (data[:29] if missing > 80 else b"") << missing << b"anything"

    assert lengths(peers.talk) == [None, None]
    assert names(peers.talk) == ["GET /a?b", "200 GET /a?b"]
    ((message, _, count),) = emitted(peers.talk).notices
    assert message.endswith("could not be read further: bytes are missing that may be headers")
    assert count == 1


def test_a_start_in_mid_stream_has_one_notice():
    peers = Peers().begin()
    for stream in (1, 3, 5):
        peers.ask(stream, [*GET, ("x-known", "by then")])
    (_, last) = peers.talk.steps[-1]
    talk = Talk("client") >> PREFACE + last >> last

    assert names(talk) == []
    assert [message.rpartition(": ")[2] for message, _, _ in emitted(talk).notices] == [
        "a header depends on others that were not seen"
    ]


def headers(stream: int, fields=GET, flags=("END_HEADERS",), **more) -> HeadersFrame:
    return HeadersFrame(stream, hpack.Encoder().encode(fields), flags=list(flags), **more)


TOO_MUCH = "more of it is under way than flowmemory allows"
PARTS = [ContinuationFrame(1, b"x" * 16_000)] * 5
DEPENDS = "a header depends on others that were not seen"


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (frames(headers(1), headers(1, flags=[]), headers(3)), "a header is not whole"),
        (frames(headers(1), ContinuationFrame(1, b"")), "a header is not whole"),
        (frames(headers(1, flags=[]), ContinuationFrame(3, b"")), "a header is not whole"),
        (frames(headers(3), headers(1)), "a stream was begun twice"),
        (frames(headers(1, flags=[]), *PARTS), "a header is too long"),
        (b"\x01\x00\x01\x01\x04\x00\x00\x00\x01", "a header is too long"),
        (frames(headers(1, [*GET, *[("x", "y" * 1000)] * 70])), "a header is too long"),
        (b"\x00\x00\x01\x00\x08\x00\x00\x00\x01\x09", "a frame makes no sense"),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00", "a frame makes no sense"),
        (b"\x00\x00\x01\x03\x00\x00\x00\x00\x01\x09", "a frame makes no sense"),
        (b"\x00\x00\x01\x01\x08\x00\x00\x00\x01\x09", "a frame makes no sense"),
        (b"\x00\x00\x02\x01\x04\x00\x00\x00\x03\xff\x61", DEPENDS),
    ],
)
def test_what_is_no_http2_ends_the_reading(sent, why):
    seen = emitted(Talk("client") >> PREFACE + sent >> frames(headers(99)))

    assert [message.rpartition(": ")[2] for message, _, _ in seen.notices] == [why]
    assert all(data["http_stream"] != 99 for _, data in seen.messages)


def test_a_client_that_promises_ends_the_reading():
    promise = b"\x00\x00\x04\x05\x04\x00\x00\x00\x01\x00\x00\x00\x02"

    assert len(emitted(Talk("client") >> PREFACE + promise).notices) == 1


@pytest.mark.parametrize("role", ["client", "server", ""])
def test_a_client_of_http1_that_meets_a_server_of_http2(role):
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"

    assert names(Talk(role) << settings >> b"GET / HTTP/1.1\r\n\r\n") == ["GET /"]


def test_an_upgrade_without_a_preface_ends_the_reading():
    asked = b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"
    talk = Talk() >> asked << b"HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n" >> asked

    assert [message.rpartition(": ")[2] for message, _, _ in emitted(talk).notices] == [
        "its beginning was not seen"
    ]


def test_frames_of_any_kind_are_passed():
    other = b"\x00\x00\x05\xee\xff\x00\x00\x00\x07hello"
    priority = PriorityFrame(1, depends_on=3)
    padded = headers(
        1, flags=["END_HEADERS", "END_STREAM", "PADDED", "PRIORITY"], pad_length=9, depends_on=3
    )

    assert names(Talk("client") >> PREFACE + other + frames(priority, padded)) == ["GET /a?b"]


def test_streams_that_are_not_held_make_no_messages():
    answer = frames(
        headers(7, OK), DataFrame(7, b"x"), headers(7, [("a", "b")], ["END_HEADERS", "END_STREAM"])
    )
    talk = (
        Talk("client") >> PREFACE + frames(headers(9, [("a", "b")]), DataFrame(9, b"x")) << answer
    )

    assert message_events(talk) == []
    assert emitted(talk).notices == []


def test_no_response_asks():
    assert message_events(Talk("client") >> PREFACE << frames(headers(7))) == []


def test_the_host_may_be_named_as_before():
    ((_, data),) = message_events(
        Talk() >> PREFACE + frames(headers(1, [*GET[:3], ("host", "h:81")]))
    )

    assert data["http_host"] == "h:81"


def test_what_a_closed_connection_cuts_is_emitted_as_far_as_it_went():
    talk = Talk() >> PREFACE + frames(headers(1), DataFrame(1, b"abc"))

    assert lengths(talk) == [3]
    assert lengths(talk << frames(headers(1, OK), DataFrame(1, b"ab"))) == [3, 2]


def test_a_request_that_goes_on_after_its_response_has_no_length_yet():
    ended = DataFrame(1, b"ab", flags=["END_STREAM"])
    talk = Talk() >> PREFACE + frames(headers(1), DataFrame(1, b"abc"))

    assert lengths(talk << frames(headers(1, OK), ended) >> frames(ended)) == [None, 2]


def test_thousands_of_answered_streams_are_no_burden():
    asked = PREFACE + frames(*(headers(stream) for stream in range(1, 1001, 2)))
    talk = Talk() >> asked << frames(*(headers(stream, OK, ENDS) for stream in range(1, 1001, 2)))
    talk >> frames(*(headers(stream) for stream in range(1001, 3001, 2)))

    assert len(talk.read().events) == 2000
    assert talk.read().notices == []


def test_too_many_open_streams_end_the_reading():
    sent = frames(*(headers(stream) for stream in range(1, 2300, 2)))
    seen = (Talk("client") >> PREFACE + sent).read()

    assert len(seen.events) == (2**20 - 2 * TABLE) // messages.LEAST_WEIGHT
    assert len(seen.notices) == 1


def test_open_responses_weigh_too():
    """Each holds a message of 12,000 bytes that its end may still replace."""
    said = [*OK, ("grpc-message", "y" * 12_000)]
    talk = Talk() >> PREFACE + frames(*(headers(stream, CALL) for stream in range(1, 199, 2)))
    talk << frames(*(headers(stream, said) for stream in range(1, 199, 2)))
    seen = talk.read()

    answers = [data for kind, data in seen.messages if kind == "resp"]
    assert 60 < len(answers) < 2**20 / 12_000
    assert [message.rpartition(": ")[2] for message, _, _ in seen.notices] == [TOO_MUCH]


def test_what_a_side_may_hold_is_given_back():
    calls = []
    for stream in range(1, 299, 2):
        said = [*OK, ("grpc-message", "y" * 12_000)]
        calls.append((headers(stream, CALL), [headers(stream, said), headers(stream, OK, ENDS)]))
    talk = Talk() >> PREFACE
    for asked, answered in calls:
        talk >> frames(asked) << frames(*answered)

    assert len(talk.read().events) == 298
    assert talk.read().notices == []


def resized(size: int) -> bytes:
    """Return the field that sets the size of a table (RFC 7541, 6.3)."""
    encoder = hpack.Encoder()
    encoder.header_table_size = size
    return encoder.encode([])


def test_both_tables_are_of_one_budget():
    half = HeadersFrame(1, resized(2**19 + 1) + b"\x82", flags=["END_HEADERS"])
    talk = Talk("client") >> PREFACE + frames(half)
    assert emitted(talk).notices == []

    seen = emitted(talk << frames(half))
    assert [message.rpartition(": ")[2] for message, _, _ in seen.notices] == [TOO_MUCH]


SMALL_FIELDS = b"".join(b"\x40\2%02d\2%02d" % (n // 99, n % 99) for n in range(1500))


@pytest.mark.parametrize("memory", [65_536, 1_048_576])
def test_no_connection_holds_much(memory):
    """All that a client may have held: a large table of small fields, open streams, a header."""
    config = EVENTS + NO_METRICS + f"scopetrace: {{flowmemory: {memory}}}\n"
    reader = FlowReader("server", config)
    stream = iter(range(1, 10_000_000, 2))
    first = resized(memory // 2) + SMALL_FIELDS
    blocks = [first, *[SMALL_FIELDS] * (memory // 60_000)]
    said = [PREFACE]
    said += [frames(HeadersFrame(next(stream), block, flags=["END_HEADERS"])) for block in blocks]
    said += [frames(headers(next(stream))) for _ in range(memory // 2048 - 20)]
    said += [frames(headers(next(stream), flags=[]))]
    tracemalloc.start()
    try:
        for data in said:
            reader.feed(False, data)
        reader.emitted.events.clear()
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert reader.emitted.notices == []
    assert held < 4 * memory + 100_000
    assert peak < 4 * memory + 600_000


def test_the_first_stream_is_the_upgraded_one():
    assert http2.UPGRADED == 1


@pytest.mark.parametrize("size", [3, 12])
def test_what_the_end_of_a_flow_cuts_is_counted(size):
    whole = frames(headers(1))
    client = FlowReader("client")
    client.feed(True, PREFACE + whole + frames(headers(3))[:size])
    client.close()

    assert [count for _, _, count in client.emitted.notices] == [size]
    assert len(client.emitted.events) == 1
