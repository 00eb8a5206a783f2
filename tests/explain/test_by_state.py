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
FORK, WAIT = call("fork", result=71), call("wait4", 71, 0, 0, result=-10)
ADD_SEALS = call("fcntl", 3, 1033, 8, result=-1)


def memfd(flags: int) -> WholeCall:
    return call("memfd_create", 0x100, flags, result=3, memory=[text(0, "m")])


def waited(status: int) -> WholeCall:
    """A wait that says what has become of the child."""
    return call(
        "wait4", 71, 0x100, 2, 0, result=71, memory=[Piece(1, 1, 0x100, struct.pack("=i", status))]
    )


def action(handler: int, flags: int) -> WholeCall:
    """What is done with SIGCHLD."""
    return call(
        "rt_sigaction",
        17,
        0x100,
        0,
        8,
        memory=[Piece(1, 0, 0x100, struct.pack("=4Q", handler, flags, 0, 0))],
    )


IGNORES = action(1, 0)
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
        ([FILE], call("lseek", 9, 0, 0, result=-9), "no file is open as descriptor 9"),
        ([], call("lseek", 9, 0, 0, result=-9), ""),
        ([FILE], call("lseek", 3, 0, 0, result=-9), "descriptor 3 is open for its name only"),
        ([FILE], call("lseek", 2**32 - 1, 0, 0, result=-9), ""),
        ([FILE], call("ioctl", 9, 0x5401, 0, result=-9), "no file is open as descriptor 9"),
        ([FILE], call("write", 9, 0, 0, result=-9), ""),
        ([SOCKET], call("sendmsg", 3, 0, 0, result=-9), "was to be passed is not open"),
        ([], call("sendmsg", 3, 0, 0, result=-9), ""),
        ([call("signalfd", -1, 0, 8, result=3)], call("read", 3, 0, 9, result=-22), "128 bytes"),
        ([memfd(0)], ADD_SEALS, "it was made without MFD_ALLOW_SEALING"),
        ([memfd(2)], ADD_SEALS, ""),
        ([memfd(8), call("fcntl", 3, 1033, 3)], ADD_SEALS, "F_SEAL_SEAL, which was added before"),
        ([memfd(2), call("fcntl", 3, 1033, 2)], ADD_SEALS, ""),
        (
            [call("open", 0x100, 0, 0, result=3, memory=[text(0, "/f")])],
            ADD_SEALS,
            "it is open for reading only",
        ),
        ([FILE], ADD_SEALS, ""),
        ([memfd(0)], call("fcntl", 3, 1031, 9, result=-1), ""),
        ([FORK, waited(0)], WAIT, "process 71 was waited for already"),
        ([FORK, waited(0x137F)], WAIT, ""),
        ([FORK, IGNORES], WAIT, "as SIGCHLD is ignored"),
        ([IGNORES, FORK], call("wait4", 2**32 - 1, 0, 0, result=-10), "as SIGCHLD is ignored"),
        ([IGNORES], WAIT, ""),
        ([FORK, IGNORES, action(0, 0)], WAIT, ""),
        ([FORK, action(0, 2)], WAIT, "as SIGCHLD is ignored"),
        ([call("clone", 0x10000, result=71), IGNORES], WAIT, ""),
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


def test_a_link_local_address_lacks_its_scope():
    address = Piece(1, 0, 0x100, b"\x0a\0\0\t" + bytes(4) + b"\xfe\x80" + bytes(18))
    failed = call("bind", 3, 0x100, 28, result=-22, memory=[address])
    socket = call("socket", 10, STREAM, 0, result=3)

    assert reason_by_state(recorded(failed), after([socket])).endswith("needs sin6_scope_id")
    assert not reason_by_state(recorded(failed), after([]))


def test_an_address_of_the_right_length_is_refused_by_a_route():
    address = Piece(1, 0, 0x100, b"\2\0\0\t\x0a\1\2\3" + bytes(8))
    failed = call("connect", 3, 0x100, 16, result=-22, memory=[address])

    assert "blackhole" in reason_by_state(recorded(failed), after([SOCKET]))
    assert not reason_by_state(recorded(failed), after([]))
