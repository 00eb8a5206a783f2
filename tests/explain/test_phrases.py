"""Values of arguments in words, by their kinds."""

from __future__ import annotations

import struct

import pytest

from scopetrace.explain.phrases import permissions, phrase, seconds, size
from scopetrace.explain.subject import Subject
from scopetrace.syscalls.call import Piece
from scopetrace.syscalls.descriptors import Files
from scopetrace.syscalls.recorded import Recorded
from support.packed_builder import call


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
    made = call("timerfd_settime", 3, flags, 0x2000, 0, memory=[times])
    subject = Subject(Recorded(1, made.time_ns, 1, 1, 70, "cat", *made[3:]), Files("/"))

    assert phrase(subject, "new_value") == expected
