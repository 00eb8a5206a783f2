"""Reasons that follow from what the calls of a session did with a descriptor."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

import pytest

from scopetrace.explain.by_state import reason_by_state, restricted_reason
from scopetrace.model.whole_call import WholeCall
from scopetrace.syscalls.call import Piece
from scopetrace.syscalls.descriptors import Descriptors, Files
from scopetrace.syscalls.recorded import Recorded
from support.packed_builder import call, text

Made = Callable[..., WholeCall]
WCLONE, TIOCSCTTY = 0x80000000, 0x540E
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


def submit(fd: int) -> WholeCall:
    """An io_submit whose only operation is about a descriptor."""
    operation = Piece(2, 0, 0x200, bytes(20) + struct.pack("=i", fd) + bytes(40))
    pointers = Piece(2, 0, 0x100, struct.pack("=Q", 0x200))
    return call("io_submit", 8, 1, 0x100, result=-9, memory=[pointers, operation])


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
        ([FORK], call("wait4", 71, 0, WCLONE, 0, result=-10), "with __WCLONE it waits only"),
        ([FORK, waited(0)], call("wait4", 71, 0, WCLONE, 0, result=-10), "was waited for"),
        ([], call("wait4", 71, 0, WCLONE, 0, result=-10), ""),
        ([], call("ioctl", 3, TIOCSCTTY, 0, result=-1), ""),
        ([FILE], call("mq_notify", 3, 0, result=-9), "descriptor 3 is no message queue"),
        ([FILE], submit(9), "no file is open as descriptor 9"),
        ([FILE], submit(3), ""),
        ([], submit(9), ""),
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


INET6, DGRAM = 10, 2
EVENTFD = call("eventfd2", 0, 0, result=3)
TTY = call("open", 0x100, 2, 0, result=3, memory=[text(0, "/dev/tty")])


def opens(path: str, flags: int = 2, fd: int = 3) -> WholeCall:
    return call("open", 0x100, flags, 0, result=fd, memory=[text(0, path)])


@pytest.mark.parametrize(
    ("family", "kind", "length", "reason"),
    [
        (INET, STREAM, 15, "the address has 15 bytes, fewer than 16"),
        (INET, STREAM, 128, ""),
        (INET, DGRAM, 129, "the address has 129 bytes, more than 128"),
        (INET6, STREAM, 23, "the address has 23 bytes, fewer than 24"),
        (INET6, DGRAM, 24, ""),
        (INET6, DGRAM, 129, "the address has 129 bytes, more than 128"),
        (UNIX, STREAM, 2, "the address has 2 bytes, fewer than 3"),
        (UNIX, STREAM, 3, ""),
        (UNIX, DGRAM, 110, ""),
        (UNIX, DGRAM, 111, "the address has 111 bytes, more than 110"),
        (9, STREAM, 1, ""),
    ],
)
def test_an_address_has_a_length_that_its_family_takes(
    family: int, kind: int, length: int, reason: str
) -> None:
    known = after([call("socket", family, kind, 0, result=3)])
    calls = [
        call("bind", 3, 0x100, length, result=-22),
        call("connect", 3, 0x100, length, result=-22),
        call("sendto", 3, 0x100, 1, 0, 0x200, length, result=-22),
    ]

    assert [reason_by_state(recorded(failed), known) for failed in calls] == [reason] * 3


def test_an_address_that_was_not_given_to_sendto_is_not_too_short() -> None:
    failed = call("sendto", 3, 0x100, 1, 0, 0, 0, result=-22)

    assert reason_by_state(recorded(failed), after([SOCKET])) == ""


@pytest.mark.parametrize(
    ("before", "failed", "reason"),
    [
        (
            [call("epoll_create1", 0, result=3)],
            call("write", 3, 0, 8, result=-22),
            "nothing can be written to it: it is a list of epoll",
        ),
        *[
            (
                [call(name, *args, result=3)],
                call("write", 3, 0, 8, result=-22),
                f"nothing can be written to it: it is of the kind {kind}",
            )
            for name, args, kind in (
                ("timerfd_create", (1, 0), "timerfd"),
                ("signalfd4", (-1, 0, 8, 0), "signalfd"),
                ("inotify_init1", (0,), "inotify"),
                ("pidfd_open", (9, 0), "pidfd"),
            )
        ],
        ([EVENTFD], call("write", 3, 0, 7, result=-22), "an eventfd takes 8 bytes at once"),
        ([EVENTFD], call("write", 3, 0, 8, result=-22), "an eventfd does not take 2**64 - 1"),
        ([FILE], call("write", 3, 0, 7, result=-22), ""),
        (
            [call("epoll_create1", 0, result=3)],
            call("read", 3, 0, 8, result=-22),
            "nothing can be read from it: it is a list of epoll",
        ),
        (
            [call("inotify_init1", 0, result=3)],
            call("read", 3, 0, 8, result=-22),
            "the next event is longer than the memory for it",
        ),
        ([FILE], call("read", 3, 0, 8, result=-22), ""),
        (
            [PIPE],
            call("sendfile", 9, 3, 0, 8, result=-22),
            "descriptor 3 is a pipe, from which sendfile cannot copy",
        ),
        (
            [TTY],
            call("sendfile", 9, 3, 0, 8, result=-22),
            "descriptor 3 is a terminal, from which sendfile cannot copy",
        ),
        (
            [FILE, opens("/f", 0o2001, 5)],
            call("sendfile", 5, 3, 0, 8, result=-22),
            "descriptor 5 is open with O_APPEND",
        ),
        ([FILE, opens("/f", 0o1, 5)], call("sendfile", 5, 3, 0, 8, result=-22), ""),
        (
            [FILE, opens("/f", 1, 5)],
            call("splice", 3, 0, 5, 0, 8, 0, result=-22),
            "neither of the two is a pipe",
        ),
        ([FILE], call("splice", 3, 0, 5, 0, 8, 0, result=-22), ""),
        ([PIPE, FILE], call("splice", 4, 0, 3, 0, 8, 0, result=-22), ""),
        (
            [PIPE],
            call("splice", 3, 0, 4, 0, 8, 0, result=-22),
            "both are ends of the same pipe",
        ),
        (
            [PIPE, call("pipe", 0x100, memory=[Piece(0, 1, 0x100, struct.pack("=ii", 5, 6))])],
            call("tee", 3, 6, 9, 0, result=-22),
            "",
        ),
        (
            [PIPE, opens("/f", 2, 5)],
            call("tee", 3, 5, 9, 0, result=-22),
            "it copies from pipe to pipe, and descriptor 5 is none",
        ),
        (
            [FILE, PIPE],
            call("copy_file_range", 9, 0, 4, 0, 9, 0, result=-22),
            "descriptor 4 is a pipe, no regular file",
        ),
        (
            [FILE],
            call("epoll_ctl", 9, 1, 3, 0, result=-9),
            "no file is open as descriptor 9",
        ),
        ([FILE], call("epoll_ctl", 3, 1, 3, 0, result=-9), ""),
        (
            [TTY],
            call("lseek", 3, 0, 0, result=-29),
            "it has no positions, since it is a terminal",
        ),
        (
            [PIPE],
            call("lseek", 3, 0, 0, result=-29),
            "it has no positions, since it is a pipe",
        ),
        (
            [PIPE, opens("/f", 2, 5)],
            call("sendfile", 5, 3, 0x100, 8, result=-29),
            "descriptor 3 has no positions, since it is a pipe",
        ),
        ([PIPE], call("sendfile", 4, 3, 0x100, 8, result=-29), ""),
        ([FORK], WAIT, ""),
    ],
)
def test_a_descriptor_is_not_fit_for_a_call(
    before: list[WholeCall], failed: WholeCall, reason: str
) -> None:
    assert reason_by_state(recorded(failed), after(before)) == reason


@pytest.mark.parametrize(
    ("start", "scope", "lacks"),
    [
        (b"\xfe\x80", bytes(4), True),
        (b"\xfe\xbf", bytes(4), True),
        (b"\xfe\xc0", bytes(4), False),
        (b"\xfe\x40", bytes(4), False),
        (b"\xff\x80", bytes(4), False),
        (b"\xfe\x80", b"\1\0\0\0", False),
        (b"\xfe\x80", b"\0\0\0\1", False),
    ],
)
def test_only_a_link_local_address_needs_a_scope(start: bytes, scope: bytes, lacks: bool) -> None:
    address = Piece(1, 0, 0x100, b"\x0a\0\0\t" + bytes(4) + start + bytes(14) + scope)
    failed = call("bind", 3, 0x100, 28, result=-22, memory=[address])
    found = reason_by_state(recorded(failed), after([call("socket", INET6, STREAM, 0, result=3)]))

    assert found == ("a link-local address needs sin6_scope_id" if lacks else "")


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        (0x80, "time"),
        (0x20000, "mnt"),
        (0x2000000, "cgroup"),
        (0x4000000, "uts"),
        (0x8000000, "ipc"),
        (0x10000000, "user"),
        (0x20000000, "pid"),
        (0x40000000, "net"),
    ],
)
def test_each_flag_of_setns_asks_for_one_type_of_namespaces(flag: int, kind: str) -> None:
    failed = recorded(call("setns", 3, flag, result=-22))
    other = "uts" if kind == "ipc" else "ipc"

    assert reason_by_state(failed, after([opens(f"/proc/9/ns/{kind}")])) == ""
    assert reason_by_state(failed, after([opens(f"/proc/9/ns/{other}")])) == (
        f"the descriptor is of a namespace of the type {other}, not {kind}"
    )


def test_a_file_of_proc_may_be_a_namespace() -> None:
    failed = recorded(call("setns", 3, 0, result=-22))

    assert reason_by_state(failed, after([opens("/proc/9/maps")])) == ""


def test_a_socket_that_listens_is_not_refused_by_a_route() -> None:
    address = Piece(1, 0, 0x100, b"\2\0\0\t\x0a\1\2\3" + bytes(8))
    failed = recorded(call("connect", 3, 0x100, 16, result=-22, memory=[address]))

    assert reason_by_state(failed, after([SOCKET, BIND, LISTEN])) == ""


def test_a_child_leads_no_session_before_it_makes_one():
    takes = call("ioctl", 3, TIOCSCTTY, 0, result=-1)
    descriptors = Descriptors({})
    descriptors.follow(recorded(FORK))

    assert reason_by_state(recorded(takes), descriptors.of(71)) == "the process leads no session"
    descriptors.follow(recorded(call("setsid", result=71))._replace(pid=71))
    assert reason_by_state(recorded(takes), descriptors.of(71)) == ""


def test_landlock_refuses_what_its_rules_are_about_to_the_process_and_its_children():
    about = Piece(0, 0, 0x100, struct.pack("=Q", 0x80))
    made = call("landlock_create_ruleset", 0x100, 8, 0, result=3, memory=[about])
    descriptors = Descriptors({})
    for row in (made, call("landlock_restrict_self", 3, 0), FORK):
        descriptors.follow(recorded(row))
    files = descriptors.of(71)

    assert "Landlock" in restricted_reason(recorded(call("mkdir", 0x100, 0, result=-13)), files)
    assert restricted_reason(recorded(call("mkdir", 0x100, 0, result=-1)), files) == ""
    assert restricted_reason(recorded(call("rmdir", 0x100, result=-13)), files) == ""
    assert restricted_reason(recorded(call("mkdir", 0x100, 0, result=-13)), Files()) == ""
