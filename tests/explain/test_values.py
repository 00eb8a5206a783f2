"""Arguments and results in words."""

from __future__ import annotations

import pytest

from scopetrace.explain.subject import Subject
from scopetrace.explain.values import Values
from scopetrace.syscalls.call import Piece
from scopetrace.syscalls.descriptors import Files
from scopetrace.syscalls.recorded import Recorded
from support.packed_builder import call


def values(name: str, *args: int, **facts) -> Values:
    made = call(name, *args, **facts)
    return Values(Subject(Recorded(1, made.time_ns, 1, 1, 70, "cat", *made[3:]), Files("/")))


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [(-1 & 0xFFFFFFFF, ""), (0, "at once"), (1500, "at most 1.5 s")],
)
def test_how_long_poll_waits(timeout, expected):
    assert values("poll", 0x2000, 1, timeout)["limit"] == expected


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
