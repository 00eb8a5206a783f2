"""Arguments and results in words."""

from __future__ import annotations

import struct

import pytest

from scopetrace.explain.subject import Subject
from scopetrace.explain.values import Values, permissions, seconds, size
from scopetrace.syscalls.call import Piece
from scopetrace.syscalls.descriptors import Files
from scopetrace.syscalls.recorded import Recorded
from support.packed_builder import call


def values(name: str, *args: int, **facts) -> Values:
    made = call(name, *args, **facts)
    return Values(Subject(Recorded(1, made.time_ns, 1, 1, 70, "cat", *made[3:]), Files("/")))


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 bytes"), (1, "1 byte"), (10239, "10239 bytes"), (10240, "10 KB"), (3 << 29, "1.5 GB")],
)
def test_sizes(count, expected):
    assert size(count) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 s"), (2.5, "2.5 s"), (0.003, "3 ms"), (1e-5, "10 µs"), (-1, "-1 s")],
)
def test_times(count, expected):
    assert seconds(count) == expected


def test_permissions_as_ls_shows_them():
    assert permissions(0o640) == "rw-r-----"


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [(-1 & 0xFFFFFFFF, ""), (0, "at once"), (1500, "at most 1.5 s")],
)
def test_how_long_poll_waits(timeout, expected):
    assert values("poll", 0x2000, 1, timeout)["limit"] == expected


@pytest.mark.parametrize(
    ("flags", "parts", "expected"),
    [
        (0, (0, 0, 0, 50_000_000), "ends in 50 ms"),
        (0, (1, 0, 2, 500_000_000), "ends in 2.5 s, and then every 1 s"),
        (0, (1, 0, 0, 0), "is stopped"),
        (1, (0, 0, 90, 0), "ends when its clock shows 90 s"),
    ],
)
def test_when_a_timer_ends(flags, parts, expected):
    times = Piece(2, 0, 0x2000, struct.pack("=4q", *parts))

    assert values("timerfd_settime", 3, flags, 0x2000, 0, memory=[times])["new_value"] == expected


def test_a_socket_and_its_peer():
    address = Piece(1, 0, 0x2000, bytes([2, 0, 0, 80, 127, 0, 0, 1]) + bytes(8))

    assert values("connect", 3, 0x2000, 16, memory=[address])["addr"] == "127.0.0.1:80"
    assert values("socket", 2, 0x80001, 0, result=3)["socket_kind"] == "a TCP socket (IPv4)"
    assert values("socket", 38, 1, 0, result=3)["socket_kind"] == "a socket (AF_ALG, SOCK_STREAM)"


def test_a_write_that_took_less_than_was_given():
    assert values("write", 1, 0x2000, 10, result=4)["partly"].startswith("10 bytes were given")
    assert values("write", 1, 0x2000, 10, result=10)["partly"] == ""


def test_what_a_call_does_not_have_is_empty():
    assert values("getpid")["pathname"] == values("getpid")["text_flags"] == ""
