from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from socket import SOCK_DGRAM

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.streams.flows import MOST_AT_ONCE
from support.flow_reading import (
    bytewise,
    pieces,
    rules,
)
from support.flow_run import IN, OUT, FlowRun, Step, read, whole
from support.protocol_samples import ANSWER, QUERY, SAMPLES, client_hello, over_tcp
from support.raw_builder import Tracee, pack_inet, started_program
from support.recording import Recording
from support.thorough import THOROUGH

GET = b"GET /page HTTP/1.1\r\nHost: here\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
PAYLOADS = "payload: {enable: true}\n"


@pytest.fixture
def tracee() -> Tracee:
    tracee = started_program()
    tracee.socket(3)
    tracee.connect(3)
    return tracee


def kept(recording: Recording) -> list[tuple[bool, bytes, int]]:
    return [(p.outgoing, p.data, p.missing) for p in recording.writer.payloads]


NEGOTIATION = 5
"""Questions and answers after which none follows a protocol that is not recognised."""


def test_what_shows_no_protocol_is_muted_and_goes_on_being_counted(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    for _ in range(NEGOTIATION):
        tracee.send(3, b"some bytes that mean nothing\n" * 5)
        tracee.receive(3, b"nor do these\n" * 10)
    tracee.close(3, 5, 650, 0, 5, 725, 0)

    (closed,) = recording.of("net.close")

    assert recording.muted == [1003]
    assert (closed.data["net_bytes_sent"], closed.data["net_bytes_recv"]) == (725, 650)
    assert "net_protocol" not in closed.data


NET = "{type: net}"
STDOUT, STDERR = "{type: console, name: stdout}", "{type: console, name: stderr}"


@pytest.mark.parametrize(
    ("payload", "watch", "muted"),
    [
        ("false", f"{NET}", [1000, 1001, 1002]),
        ("false", f"{NET}, {STDOUT}", [1000, 1002]),
        ("false", f"{NET}, {STDOUT}, {STDERR}", [1000]),
        ("true", f"{NET}", []),
        ("true", f"{STDOUT}, {STDERR}", []),
    ],
)
def test_a_socket_that_is_the_console_is_muted_where_neither_is_wanted(
    tmp_path, payload, watch, muted
):
    tracee = Tracee()
    tracee.inherit_socket(0, 1, 2)
    tracee.exec("/bin/prog")
    config = f"payload: {{enable: {payload}}}\nevent: {{watch: [{watch}]}}\n"
    recording = Recording(tracee, tmp_path, config)
    nothing = b"some bytes that mean nothing\n" * 40
    for _ in range(NEGOTIATION):
        tracee.receive(0, nothing)
        tracee.write(1, nothing)
        tracee.write(2, nothing)
    recording.go()
    recording.muted.clear()
    tracee.receive(0, nothing)
    tracee.write(1, nothing)
    tracee.write(2, nothing)
    recording.go()

    assert recording.muted == muted


@pytest.mark.parametrize("console", ["stdout", "nothing"])
def test_a_socket_that_is_the_console_is_read_both_ways(tmp_path, console):
    tracee = Tracee()
    tracee.inherit_socket(0, 1)
    tracee.exec("/bin/prog")
    watch = f"[{{type: http}}, {{type: console, name: {console}}}]"
    recording = Recording(tracee, tmp_path, f"event: {{watch: {watch}}}\n")
    for _ in range(2):
        tracee.receive(0, GET)
        tracee.write(1, OK + b"abc")
    tracee.exit()

    assert [event.source for event in recording.of("http")] == ["http.req", "http.resp"] * 2
    assert recording.muted == []


def test_a_protocol_shows_however_its_bytes_are_cut(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    for at in range(len(GET)):
        tracee.send(3, GET[at : at + 1])
    tracee.receive(3, OK + b"abc")

    events = recording.of("net.app", "http")

    assert [event.source for event in events] == ["net.app", "http.req", "http.resp"]
    assert events[0].data["protocol"] == "HTTP"
    assert events[1].data["http_target"] == "/page"
    assert len({event.channel for event in events}) == 1
    assert recording.muted == []


def test_the_close_of_a_flow_says_what_it_spoke_after_all_it_said(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    tracee.send(3, GET)
    tracee.receive(3, b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    tracee.close(3)

    events = recording.of("net.close", "http.resp")

    assert [event.source for event in events] == ["http.resp", "net.close"]
    assert events[0].data["http_response_content_length"] == 13
    assert events[1].data["net_protocol"] == "HTTP"


def test_a_body_sent_by_sendfile_is_no_gap_to_its_reader(tmp_path):
    tracee = started_program()
    tracee.socket(3)
    tracee.accept(3, 4)
    recording = Recording(tracee, tmp_path)
    for _ in range(2):
        tracee.receive(4, GET)
        tracee.send(4, OK)
        tracee.call("sendfile", 4, 9, 0, 3, result=3, transferred=3)

    assert [event.source for event in recording.of("http")] == ["http.req", "http.resp"] * 2


def test_payloads_are_kept_in_order_with_what_is_missing(tracee, tmp_path):
    recording = Recording(tracee, tmp_path, PAYLOADS)
    tracee.send(3, b"abc")
    tracee.receive(3, b"de", transferred=10)
    tracee.receive(3, b"")
    recording.go()

    assert kept(recording) == [(True, b"abc", 0), (False, b"de", 8)]
    (opened,) = [e for e in recording.writer.events if e.source == "net.open"]
    assert {payload.channel for payload in recording.writer.payloads} == {opened.channel}
    assert recording.muted == []


def test_payloads_of_one_protocol_are_kept_from_its_first_byte(tracee, tmp_path):
    config = "protocol: [{name: mine, regex: ^MINE, payload: true}]\n"
    recording = Recording(tracee, tmp_path, config)
    tracee.socket(4)
    tracee.connect(4)
    tracee.send(3, b"MI")
    tracee.send(4, b"something else " * 30)
    tracee.send(3, b"NE and more")
    tracee.send(3, b"!")
    recording.go()

    assert b"".join(data for _, data, _ in kept(recording)) == b"MINE and more!"


def test_flows_with_payloads_are_emitted_whatever_the_rules_say(tracee, tmp_path):
    nothing = "event: {enable: false}\nmetric: {enable: false}\n"
    recording = Recording(tracee, tmp_path, PAYLOADS + nothing)
    tracee.send(3, b"abc")
    tracee.call("close", 3)
    recording.go()

    assert kept(recording) == [(True, b"abc", 0)]
    assert [event.source for event in recording.writer.events] == ["net.open", "net.close"]


def test_more_payload_than_the_session_may_keep_is_counted(tracee, tmp_path):
    recording = Recording(tracee, tmp_path, PAYLOADS + "scopetrace: {payloadlimit: 5}\n")
    tracee.send(3, b"abc")
    tracee.send(3, b"defg")
    tracee.send(3, b"hi")
    tracee.exit()
    events = recording.finish()

    assert kept(recording) == [(True, b"abc", 0), (True, b"de", 2), (True, b"", 2)]
    (notice,) = [e for e in events if e.data.get("reason") == "payloadlimit"]
    assert notice.data["count"] == 4


def test_a_datagram_socket_is_never_muted_for_the_sake_of_one_peer(tmp_path):
    tracee = started_program()
    tracee.socket(3, 2)
    recording = Recording(tracee, tmp_path)
    for _ in range(3):
        tracee.send(3, b"\x01nothing known" * 30, to=pack_inet("10.0.0.1", 9))
    recording.go()

    assert recording.muted == []


def test_rules_decide_which_protocols_have_a_net_app(tracee, tmp_path):
    config = "event: {watch: [{type: net, name: close}]}\nmetric: {enable: false}\n"
    recording = Recording(tracee, tmp_path, config)
    tracee.send(3, GET)
    tracee.close(3)

    (closed,) = recording.go()

    assert closed.source == "net.close"
    assert closed.data["net_protocol"] == "HTTP"


def test_an_answer_that_is_recorded_before_its_question_waits_for_it(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    tracee.send(3, GET)
    tracee.receive(3, OK + b"abc")
    tracee.receive(3, OK, early=True)
    tracee.receive(3, b"abc", early=True)
    tracee.send(3, GET)

    events = recording.of("http")

    assert [event.source for event in events] == ["http.req", "http.resp"] * 2
    assert all(event.data["http_target"] == "/page" for event in events)


def test_what_waited_for_something_that_was_never_sent_is_read_all_the_same(tracee, tmp_path):
    recording = Recording(tracee, tmp_path, PAYLOADS)
    tracee.receive(3, b"early", early=True)
    tracee.receive(3, b"later")
    tracee.receive(3, b"last", early=True)
    tracee.close(3)
    recording.go()

    assert [data for _, data, _ in kept(recording)] == [b"early", b"later", b"last"]


@pytest.mark.parametrize(
    ("config", "size", "pieces"),
    [
        ("", 65536, 17),
        ("scopetrace: {flowmemory: 65536}\n", 65536, 2),
        ("scopetrace: {flowmemory: 65536}\n", 1, 3827),
    ],
)
def test_no_more_than_so_much_waits(config, size, pieces, tracee, tmp_path):
    recording = Recording(tracee, tmp_path, PAYLOADS + config)
    for piece in range(pieces):
        assert len(recording.writer.payloads) == 0, piece
        tracee.receive(3, b"x" * size, early=True)
        recording.go()

    assert len(recording.writer.payloads) == pieces


@pytest.mark.parametrize("before", [b"hello", b"\0" * 9, b"a.b:1|x\n"])
def test_a_datagram_that_shows_no_protocol_hides_none(tmp_path, before):
    tracee = started_program()
    tracee.socket(3, SOCK_DGRAM)
    recording, server = Recording(tracee, tmp_path), pack_inet("10.0.0.53", 53)
    tracee.send(3, before, to=server)
    tracee.send(3, QUERY, to=server)
    tracee.receive(3, b"what?", by=server)
    tracee.receive(3, ANSWER, by=server)
    tracee.close(3)

    events = recording.of("dns", "net.app", "notice")

    assert [event.source for event in events] == ["net.app", "dns.req", "dns.resp", "notice"]
    assert events[-1].data["message"] == "2 DNS messages of prog (100) could not be read"


def test_lines_of_statsd_are_found_after_what_is_none(tmp_path):
    tracee = started_program()
    tracee.socket(3, SOCK_DGRAM)
    recording = Recording(tracee, tmp_path)
    for message in b"hello", b"a.b:1|c", b"hello", b"a.b:2|c":
        tracee.send(3, message, to=pack_inet("10.0.0.1", 8125))
    tracee.close(3)
    recording.finish()

    assert [(s.name, s.value) for s in recording.writer.samples if s.name == "a.b"] == [("a.b", 3)]


@pytest.mark.parametrize(("port", "found"), [(53, True), (9999, False)])
def test_only_where_dns_is_expected_every_datagram_is_looked_at(port, found):
    flow = FlowRun(rules(""), transport="IP.UDP", port=port)
    for _ in range(70):
        flow.transfer(OUT, b"\1" * 1000)
    flow.transfer(OUT, QUERY)
    flow.close()

    assert flow.flow.protocol == ("DNS" if found else "")
    assert [count for reason, count, _ in flow.outlet.notices if reason == "malformed"] == (
        [66, 4] if found else []
    )


@pytest.mark.parametrize("size", [MOST_AT_ONCE - 1, MOST_AT_ONCE, MOST_AT_ONCE + 1, 500_000])
@pytest.mark.parametrize("missing", [0, 1, 10])
def test_a_large_piece_is_read_in_parts(size, missing):
    flow = FlowRun(rules(""))
    length = b"Content-Length: %d\r\n\r\n" % (size + missing)
    flow.transfer(OUT, GET)
    flow.transfer(IN, b"HTTP/1.1 200 OK\r\n" + length)
    flow.transfer(IN, b"x" * size, size + missing)
    flow.transfer(OUT, GET)
    flow.transfer(IN, OK + b"abc")
    flow.close()

    lengths = [data["http_response_content_length"] for data in flow.outlet.of("http.resp")]
    assert lengths == [size + missing, 3]
    assert flow.outlet.notices == []


@given(st.lists(st.sampled_from([b"hello", b"", QUERY, ANSWER, b"\1" * 30_000]), max_size=9))
def test_each_datagram_costs_itself_only(datagrams):
    flow = FlowRun(rules(""), transport="IP.UDP", port=53)
    for datagram in datagrams:
        flow.transfer(OUT, datagram)
    flow.close()

    assert len(flow.outlet.of("dns.req")) == datagrams.count(QUERY)


HTTP2 = [
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x05\x01\x05\x00\x00\x00\x01\x82\x84\x86\x41\x00",
    b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88",
]
CONVERSATIONS: dict[str, list[Step]] = {
    "HTTP": [(OUT, GET + GET), (IN, OK + b"abc"), (IN, OK), (IN, 3), (OUT, None)],
    "HTTP/2": [(OUT, HTTP2[0]), (IN, HTTP2[1])],
    "TLS": [(OUT, client_hello("a.test", ("x" * 200,) * 60)), (IN, b"\x16\x03\x03 and more")],
    "DNS": [(OUT, over_tcp(QUERY)), (IN, over_tcp(ANSWER)), (OUT, over_tcp(QUERY))],
    "STATSD": [(OUT, b"a.b:1|c\nlat:3.5|ms\n"), (OUT, b"a.b:2|c")],
    "SMTP": [(IN, b"220 a ESMTP\r\n"), (OUT, b"EHLO me\r\n"), (IN, b"250 a\r\n")],
    "none": [(OUT, b"\1hello, world\n" * 9), (IN, b"\2what?\n" * 9), (OUT, b"\1GET" + GET)],
}
CONFIGURED = [
    rules(text)
    for text in (
        "",
        PAYLOADS,
        "protocol: [{name: mine, regex: ^GET, len: 40, payload: true}]\n",
        "protocol: [{name: TLS, regex: ^1603, binary: true, len: 5, detect: false}]\n",
    )
]
ROLES = ["client", "server", ""]
STEPS = [step for steps in CONVERSATIONS.values() for _, step in steps]
LONG = 4000
"""Bytes that are too many to be given one by one in each of hundreds of flows."""
PIECES = st.one_of(
    st.sampled_from([step for step in STEPS if not isinstance(step, bytes) or len(step) < LONG]),
    st.sampled_from([data for _, data, _ in SAMPLES if len(data) < LONG]),
    st.binary(max_size=20),
    st.integers(1, 30),
)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_the_same_byte_by_byte(name, role):
    for chosen in CONFIGURED:
        *said, protocol, _ = read(chosen, role, CONVERSATIONS[name], whole)

        assert [*said, protocol] == list(read(chosen, role, CONVERSATIONS[name], bytewise)[:-1])
        if chosen is CONFIGURED[0] and role != "server":
            assert protocol == name.partition("/")[0].replace("none", "")


@given(
    st.sampled_from(CONFIGURED),
    st.sampled_from(ROLES),
    st.lists(st.tuples(st.booleans(), PIECES), max_size=6),
    st.sets(st.integers(1, 60)),
)
def test_anything_at_all_is_the_same_however_it_is_cut(chosen, role, steps, places):
    def cut(data: bytes) -> list[bytes]:
        return pieces(data, [place for place in places if place < len(data)])

    said = read(chosen, role, steps, whole)

    assert read(chosen, role, steps, cut) == said
    assert read(chosen, role, steps, bytewise) == said


def alternately(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Say the same from both sides, a byte each in turn."""
    return ((way, data[at : at + 1]) for at in range(len(data)) for way in (OUT, IN))


ENDLESS: dict[str, Callable[[], Iterator[tuple[bool, bytes]]]] = {
    "a request": lambda: ((OUT, byte) for byte in bytewise(b"GET /" + b"x" * 70_000)),
    "two requests": lambda: alternately(b"GET /" + b"x" * 15_000),
    "a hello": lambda: ((OUT, byte) for byte in bytewise(hello(16_384))),
    "small records": lambda: ((OUT, byte) for byte in bytewise(SMALL_RECORDS)),
    "large pieces": lambda: ((OUT, b"GET /" + b"x" * 10_000 + bytes([n])) for n in range(99)),
    "nothing": lambda: ((IN, b"") for _ in range(70_000)),
}
SMALL_RECORDS = b"\x16\x03\x01\0\1\1" + b"\x16\x03\x01\0\1\0" * 2700


def hello(size: int) -> bytes:
    """Return a ClientHello that is so long."""
    whole = client_hello("a.test")
    grown = bytearray(whole + bytes(size - len(whole)))
    grown[3:5], grown[6:9] = (size - 5).to_bytes(2, "big"), (size - 9).to_bytes(3, "big")
    return bytes(grown)


@pytest.mark.parametrize("memory", [65_536, 1_048_576] if THOROUGH else [65_536])
@pytest.mark.parametrize("endless", ENDLESS)
def test_no_flow_holds_much(endless, memory):
    """The larger memory, of which these flows fill a small part, is tried by THOROUGH=1."""
    config = f"scopetrace: {{flowmemory: {memory}}}\n"
    moves = list(ENDLESS[endless]())
    another = FlowRun(rules(config))
    for outgoing, data in moves[:99]:  # imports what it needs
        another.transfer(outgoing, data)
    flow = FlowRun(rules(config))
    tracemalloc.start()
    try:
        for outgoing, data in moves:
            flow.transfer(outgoing, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2 * memory + 300_000
