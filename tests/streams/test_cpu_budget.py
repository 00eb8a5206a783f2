"""What a stranger can make the recorder do, in calls of functions: these no machine changes.

The clock of CPU time is replaced by a count of the functions that are called, at a price that is
that of a slow machine.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns, thread_time_ns

import pytest

from scopetrace.model.flow import Flow
from scopetrace.model.operation import ImageEnded
from scopetrace.streams.cpu_budget import (
    FIRST_NS,
    LEAST_NS,
    PER_BYTE_NS,
    PER_ITEM_NS,
    PER_PIECE_NS,
    CpuBudget,
)
from scopetrace.streams.flows import Flows
from support.flow_reading import CLIENT, image, rules
from support.flow_run import IN, OUT, FlowRun, PayloadOutlet

NS_PER_CALL = 500


def test_what_is_earned_can_be_taken():
    budget = CpuBudget()

    for _ in range(10_000):
        assert budget.pay(PER_PIECE_NS + 100 * PER_BYTE_NS + 3 * PER_ITEM_NS, 100, 3)

    assert budget.bytes == 1_000_000


def counting_cpu_time(given_up: int = 0) -> CpuBudget:
    """Return a budget by which time was used up that may have been that of others."""
    budget = CpuBudget(given_up)
    assert budget.clock_ns is monotonic_ns
    assert budget.pay(FIRST_NS + PER_PIECE_NS + 9 * PER_BYTE_NS + 1, 9, 0)
    assert budget.clock_ns is thread_time_ns
    assert (budget.bytes, budget.taken_ns) == (0, 0)
    return budget


def test_it_must_be_used_up_twice():
    budget = counting_cpu_time()

    assert budget.pay(FIRST_NS + PER_PIECE_NS + 1, 0, 0)
    assert budget.pay(FIRST_NS // 2 + PER_PIECE_NS, 0, 0)
    assert not budget.pay(PER_PIECE_NS + 1, 0, 0)


def test_what_was_used_up_once_is_forgotten_when_as_much_was_earned():
    budget = counting_cpu_time()
    for _ in range(5):
        assert budget.pay(FIRST_NS + PER_PIECE_NS + 1, 0, 0)
        assert budget.pay(0, FIRST_NS // PER_BYTE_NS, 0)


def test_no_more_is_saved_than_there_was_at_first():
    budget = counting_cpu_time()
    budget.pay(0, 1_000_000_000, 0)

    assert budget.pay(FIRST_NS * 2, 0, 0)
    assert not budget.pay(FIRST_NS, 0, 0)


@pytest.mark.parametrize(("given_up", "most"), [(1, FIRST_NS // 2), (9, LEAST_NS), (99, LEAST_NS)])
def test_a_flow_has_less_where_others_were_given_up(given_up, most):
    budget = counting_cpu_time(given_up)

    assert budget.pay(most + PER_PIECE_NS, 0, 0)
    assert budget.pay(PER_PIECE_NS + 1, 0, 0)
    assert not budget.pay(most, 0, 0)


class Clock:
    """A clock that counts function calls."""

    def __init__(self) -> None:
        self.calls = 0

    def count(self, _frame: object, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            self.calls += 1

    def __call__(self) -> int:
        return self.calls * NS_PER_CALL


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("scopetrace.streams.cpu_budget.monotonic_ns", clock)
    monkeypatch.setattr("scopetrace.streams.cpu_budget.thread_time_ns", clock.__call__)
    return clock


@contextmanager
def counting(clock: Clock) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(clock.count)
    try:
        yield
    finally:
        sys.setprofile(before)


def frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return len(body).to_bytes(3, "big") + struct.pack(">BBL", kind, flags, stream) + body


def over_tcp(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
GET = bytes((0x82, 0x84, 0x86)) + b"\x41\x01h"
HEAD = PREFACE + frame(HEADERS, 4, 1, GET)
POST = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
QUERY = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\2ok\7example\3com\0\0\1\0\1"
DEEP = b"\1a" * 126 + b"\0"
POINTERS = (
    struct.pack(">6H", 7, 0x8100, 1, 4000, 0, 0)
    + DEEP
    + b"\0\1\0\1"
    + (b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 0)) * 4000
)

CHEAP = {
    "empty DATA": HEAD + frame(DATA, 0, 1) * 30_000,
    "PING": HEAD + frame(PING, 0, 0, bytes(8)) * 30_000,
    "SETTINGS": HEAD + frame(SETTINGS, 1, 0) * 30_000,
    "WINDOW_UPDATE": HEAD + frame(WINDOW, 0, 0, bytes(4)) * 30_000,
    "small chunks": POST + b"1\r\nx\r\n" * 30_000,
    "empty lines": b"GET / HTTP/1.1\r\n\r\n" + b"\r\n" * 30_000,
}
"""What may come in any number: passed at less than a function for ten bytes."""


@pytest.mark.parametrize("case", CHEAP)
def test_what_may_come_in_any_number_costs_next_to_nothing(clock, case):
    data = CHEAP[case]
    FlowRun(rules(""), "server").transfer(IN, data[:100])  # imports what it needs
    flow = FlowRun(rules(""), "server")
    with counting(clock):
        for at in range(0, len(data), 16_384):
            flow.transfer(IN, data[at : at + 16_384])

    assert clock.calls < len(data) / 10
    assert flow.outlet.notices == []
    assert flow.flow.protocol == "HTTP"


COSTLY = {
    "HEADERS": HEAD + frame(HEADERS, 4, 1) * 300_000,
    "RST_STREAM": HEAD + frame(RESET, 0, 3, bytes(4)) * 300_000,
    "fields out of the table": HEAD + frame(HEADERS, 4, 1, b"\x82" * 1000) * 3000,
    "empty messages of DNS": over_tcp(QUERY) + over_tcp(b"") * 500_000,
    "garbage of DNS": over_tcp(QUERY) + over_tcp(b"xyz") * 300_000,
}


@pytest.mark.parametrize("case", COSTLY)
def test_what_takes_more_than_it_is_worth_is_given_up(clock, monkeypatch, case):
    monkeypatch.setattr("scopetrace.streams.cpu_budget.FIRST_NS", 50_000_000)
    data = COSTLY[case]
    flow = FlowRun(rules("event: {watch: [{type: http}, {type: dns}, {type: net}]}\n"), "server")
    with counting(clock):
        for at in range(0, len(data), 16_384):
            flow.transfer(IN, data[at : at + 16_384])
            if flow.muted:
                break

    (reason, count, message), *others = flow.outlet.notices[::-1]
    assert (reason, count, flow.muted) == ("cputime", 1, [3])
    assert message.startswith(f"{flow.flow.protocol} between dig (70) and 10.0.0.2:80 is read no")
    assert {reason for reason, *_ in others} <= {"malformed"}
    assert len(flow.outlet.of("http.req") + flow.outlet.of("dns.req")) == 1
    flow.close()
    assert flow.outlet.of("dns.error") == []


def test_many_connections_take_less_and_less(clock):
    flow, taken = FlowRun(rules(""), "server"), []
    data = COSTLY["fields out of the table"]
    for _ in range(7):
        clock.calls, flow.muted[:] = 0, []
        with counting(clock):
            for at in range(0, len(data), 1000):
                flow.transfer(IN, data[at : at + 1000])
                if flow.muted:
                    break
        taken.append(clock())
        flow.flow = Flow("IP.TCP", CLIENT, CLIENT, "server", 6)

    assert len(flow.outlet.notices) == 7
    assert taken[-1] < taken[0] / 8


def test_a_process_that_ended_is_forgotten():
    flows = Flows(PayloadOutlet(), [], lambda _stream: None)
    program = image(rules(""))
    flows._given_up[program] = 3

    flows.handlers()[ImageEnded](ImageEnded(program, 0, None, None, False))

    assert flows._given_up == {}


def test_a_header_of_endless_parts_has_an_end():
    flow = FlowRun(rules(""), "server")
    flow.transfer(IN, PREFACE + frame(HEADERS, 0, 1, GET) + frame(CONTINUATION, 0, 1) * 7300)

    ((reason, _, message),) = flow.outlet.notices
    assert reason == "http"
    assert message.endswith("could not be read further: a header is too long")


def grown(clock: Clock, feed: list[bytes], role: str, outgoing: bool) -> int:
    """Return how many functions it takes to read all this."""
    clock.calls = 0
    flow = FlowRun(rules(""), role)
    with counting(clock):
        for piece in feed:
            flow.transfer(outgoing, piece)
    return clock.calls


def bytewise_head(size: int) -> list[bytes]:
    return [bytes((byte,)) for byte in b"GET /" + b"u" * size + b" HTTP/1.1\nA: b\n\n"]


def many_pointers(size: int) -> list[bytes]:
    return [over_tcp(QUERY), over_tcp(POINTERS)] * (size // 1000)


def goaways(size: int) -> list[bytes]:
    heads = b"".join(frame(HEADERS, 4, 2 * n + 1, GET) for n in range(900))
    return [PREFACE + heads, *[frame(GOAWAY, 0, 0, b"\0\0\0\1" + bytes(4)) * 100] * (size // 100)]


def unasked(size: int) -> list[bytes]:
    asked = [over_tcp(n.to_bytes(2, "big") + QUERY[2:]) for n in range(1900)]
    return [b"".join(asked), *[over_tcp(b"\xff\xffx") * 100] * (size // 100)]


@pytest.mark.parametrize(
    ("make", "role", "outgoing"),
    [
        (bytewise_head, "server", IN),
        (many_pointers, "client", OUT),
        (goaways, "server", IN),
        (unasked, "server", IN),
    ],
)
def test_twice_as_much_costs_twice_as_much(clock, make, role, outgoing):
    small, large = (grown(clock, make(size), role, outgoing) for size in (4000, 8000))

    assert large < 2.2 * small


def test_ordinary_talk_is_never_given_up(clock, monkeypatch):
    monkeypatch.setattr("scopetrace.streams.cpu_budget.FIRST_NS", 10_000_000)
    """No two messages are the same: heads that were read before would cost nothing."""
    flow = FlowRun(rules(""), "server")
    request = b"GET /%d HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n"
    response = b"HTTP/1.1 204 No Content\r\nETag: %d\r\nA: b\r\n\r\n"
    with counting(clock):
        for turn in range(500):
            tens = range(10 * turn, 10 * turn + 10)
            flow.transfer(IN, b"".join(request % number for number in tens))
            flow.transfer(OUT, b"".join(response % number for number in tens))

    assert flow.outlet.notices == []
    assert len(flow.outlet.of("http.resp")) == 5000
    assert clock() > 10 * 10_000_000
