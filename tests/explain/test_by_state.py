"""Reasons that follow from what the calls of a session did with a descriptor."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

import pytest

from scopetrace.explain.by_state import reason_by_state
from scopetrace.model.whole_call import WholeCall
from scopetrace.syscalls.call import Piece
from scopetrace.syscalls.descriptors import Descriptors, Files
from scopetrace.syscalls.recorded import Recorded
from support.packed_builder import call, text

Made = Callable[..., WholeCall]
STREAM, UNIX, INET = 1, 1, 2


def recorded(made: WholeCall) -> Recorded:
    return Recorded(1, made.time_ns, 1000, 1, 70, "cat", *made[3:])


def after(calls: Iterable[WholeCall]) -> Files:
    descriptors = Descriptors({70: "/w"})
    for number, made in enumerate(calls, 1):
        descriptors.follow(recorded(made)._replace(id=number))
    return descriptors.of(70)


def pair(name: str, *args: int, at: int) -> WholeCall:
    """A call that opens descriptors 3 and 4, which it stores where its argument `at` points."""
    return call(name, *args, memory=[Piece(at, 1, 0x100, struct.pack("=ii", 3, 4))])


SOCKET = call("socket", INET, STREAM, 0, result=3)
PAIR = pair("socketpair", UNIX, STREAM, 0, 0x100, at=3)
PIPE = pair("pipe", 0x100, at=0)
BIND, LISTEN = call("bind", 3, 0, 16), call("listen", 3, 5)
FILE = call("open", 0x100, 2, 0, result=3, memory=[text(0, "/w/m/f")])


@pytest.mark.parametrize(
    ("before", "failed", "reason"),
    [
        ([SOCKET, BIND, LISTEN], call("connect", 3, 0, 16, result=-106), "the socket listens"),
        ([SOCKET, BIND], call("connect", 3, 0, 16, result=-106), ""),
        ([SOCKET, BIND], call("bind", 3, 0, 16, result=-22), "the socket is bound already"),
        ([SOCKET], call("bind", 3, 0, 16, result=-22), ""),
        ([SOCKET], call("bind", 3, 0, 4, result=-22), "the address has 4 bytes, fewer than 16"),
        ([SOCKET], call("listen", 3, 5, result=-22), "the socket is bound to no address"),
        ([PAIR], call("listen", 3, 5, result=-22), "the socket is connected"),
        ([PAIR], call("sendto", 3, 0, 1, 0, result=-32), "the other end has gone"),
        (
            [PAIR, call("dup", 3, result=5), call("shutdown", 5, 1)],
            call("sendto", 3, 0, 1, 0, result=-32),
            "it was shut down for sending",
        ),
        ([PAIR, call("shutdown", 3, 0)], call("write", 3, 0, 1, result=-32), "the other end has"),
        ([PIPE], call("write", 4, 0, 1, result=-32), ""),
        ([], call("sendto", 3, 0, 1, 0, result=-32), ""),
        ([PAIR], call("lseek", 3, 0, 0, result=-29), "it has no positions, since it is a socket"),
        ([FILE], call("lseek", 3, 0, 0, result=-29), ""),
        (
            [call("open", 0x100, 2, 0, result=3, memory=[text(0, "/dev/ptmx")])],
            call("lseek", 3, 0, 0, result=-29),
            "it has no positions, since it is a terminal",
        ),
        (
            [call("pidfd_open", 9, 0, result=3)],
            call("read", 3, 0, 4, result=-22),
            "nothing can be read from it: it is of the kind pidfd",
        ),
        ([PIPE], call("tee", 3, 4, 9, 0, result=-22), "both are ends of the same pipe"),
        ([FILE], call("tee", 3, 4, 9, 0, result=-22), "descriptor 3 is none"),
        (
            [PIPE, call("open", 0x100, 0o2001, 0, result=5, memory=[text(0, "/f")])],
            call("splice", 3, 0, 5, 0, 9, 0, result=-22),
            "descriptor 5 is open with O_APPEND",
        ),
        ([FILE], call("copy_file_range", 3, 0, 3, 0, 9, 0, result=-22), ""),
        ([PIPE], call("copy_file_range", 3, 0, 9, 0, 9, 0, result=-22), "no regular file"),
        ([FILE], call("setns", 3, 0, result=-22), "the descriptor is no namespace, but a file"),
        (
            [FILE],
            call("umount2", 0x100, 0, result=-16, memory=[text(0, "m")]),
            "the process has /w/m/f open as descriptor 3",
        ),
        (
            [],
            call("umount2", 0x100, 0, result=-16, memory=[text(0, "/w")]),
            "the process has its working folder there, /w",
        ),
        ([FILE], call("umount2", 0x100, 0, result=-16, memory=[text(0, "/x")]), ""),
        ([FILE], call("epoll_ctl", 3, 1, 9, 0, result=-9), "no file is open as descriptor 9"),
        ([], call("epoll_ctl", 3, 1, 9, 0, result=-9), ""),
        (
            [FILE],
            call("mq_timedsend", 3, 0, 1, 0, 0, result=-9),
            "descriptor 3 is no message queue",
        ),
        ([], call("mq_timedsend", 3, 0, 1, 0, 0, result=-9), ""),
    ],
)
def test_what_was_done_with_a_descriptor_leaves_one_reason(before, failed, reason):
    found = reason_by_state(recorded(failed), after(before))

    assert found == reason or (reason and reason in found)


@pytest.mark.parametrize(
    ("flags", "failed", "reason"),
    [
        (0, "mq_timedsend", "the queue is open for reading only"),
        (1, "mq_timedreceive", "the queue is open for writing only"),
        (2, "mq_timedsend", ""),
    ],
)
def test_a_queue_is_used_as_it_was_opened(flags, failed, reason):
    queue = call("mq_open", 0x100, flags, 0, 0, result=3, memory=[text(0, "q")])

    assert (
        reason_by_state(recorded(call(failed, 3, 0, 1, 0, 0, result=-9)), after([queue])) == reason
    )


@pytest.mark.parametrize(
    ("path", "asked", "reason"),
    [
        ("/proc/self/ns/net", 0x20000, "the descriptor is of a namespace of the type net, not mnt"),
        ("/proc/self/ns/user", 0, "the process is in this user namespace already"),
        ("/proc/9/ns/user", 0, ""),
        ("/proc/self/ns/net", 0x40000000, ""),
    ],
)
def test_the_name_of_a_namespace_tells_its_type(path, asked, reason):
    opened = call("open", 0x100, 0, 0, result=3, memory=[text(0, path)])

    assert reason_by_state(recorded(call("setns", 3, asked, result=-22)), after([opened])) == reason


def test_an_address_of_the_right_length_is_refused_by_a_route():
    address = Piece(1, 0, 0x100, b"\2\0\0\t\x0a\1\2\3" + bytes(8))
    failed = call("connect", 3, 0x100, 16, result=-22, memory=[address])

    assert "blackhole" in reason_by_state(recorded(failed), after([SOCKET]))
    assert not reason_by_state(recorded(failed), after([]))
