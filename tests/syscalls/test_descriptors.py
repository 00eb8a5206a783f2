"""What descriptors are, from the calls that made them."""

from __future__ import annotations

import socket
import struct

import pytest

from scopetrace.model.whole_call import FOUND, WholeCall
from scopetrace.syscalls.call import Piece
from scopetrace.syscalls.descriptors import Descriptors, address_text, touches
from scopetrace.syscalls.recorded import Recorded
from support.packed_builder import call, text

CLOEXEC = 0o2000000
INET = struct.pack("=H", socket.AF_INET) + b"\x1f\x90\x7f\x00\x00\x01" + bytes(8)
INET6 = struct.pack("=H", socket.AF_INET6) + b"\x00\x50" + bytes(19) + b"\x01" + bytes(4)


def recorded(row: WholeCall, pid: int = 70) -> Recorded:
    time_ns, duration_ns, process, tid, *rest = row
    return Recorded(1, time_ns, duration_ns, process, pid, "prog", tid, *rest)


def follow(*rows: WholeCall, pid: int = 70) -> Descriptors:
    descriptors = Descriptors({70: "/work"})
    for row in rows:
        descriptors.follow(recorded(row, pid))
    return descriptors


def names(*rows: WholeCall) -> dict[int, str]:
    return follow(*rows).of(70).names


def opened(fd: int, path: str, flags: int = 0, base: int = -100) -> WholeCall:
    return call("openat", base, 0x2000, flags, 0, result=fd, memory=[text(1, path)])


def test_a_path_is_absolute():
    assert names(opened(3, "a/../b"), opened(4, "/etc/passwd"), opened(5, "c", base=3)) == {
        3: "/work/b",
        4: "/etc/passwd",
        5: "/work/b/c",
    }


def test_a_path_starts_where_the_program_went():
    rows = [call("chdir", 0x1000, memory=[text(0, "sub")]), opened(3, "a")]

    assert names(*rows) == {3: "/work/sub/a"}


def test_what_failed_or_did_not_return_changes_nothing():
    assert names(opened(-2, "a"), call("openat", -100, 0x2000, 0, result=None)) == {}


def test_copies_and_closes():
    rows = [
        opened(3, "a"),
        call("dup", 3, result=4),
        call("dup2", 3, 1, result=1),
        call("fcntl", 3, 0, 10, result=10),
        call("close", 3),
    ]

    assert names(*rows) == {4: "/work/a", 1: "/work/a", 10: "/work/a"}


def test_an_exec_closes_what_is_to_be_closed_by_it():
    rows = [
        opened(3, "a", CLOEXEC),
        opened(4, "b"),
        opened(5, "c"),
        call("fcntl", 5, 2, 1),
        call("execve", 0x1000, memory=[text(0, "/bin/sh")]),
    ]

    assert names(*rows) == {4: "/work/b"}


def test_a_child_has_copies_and_a_thread_the_same():
    descriptors = follow(opened(3, "a"), call("fork", result=71))
    descriptors.follow(recorded(call("close", 3), pid=71))

    assert descriptors.of(70).names == {3: "/work/a"}
    assert descriptors.of(71).names == {}


def test_pipes_say_which_end_they_are():
    pair = Piece(0, 1, 0x1000, struct.pack("=ii", 3, 4))

    assert names(call("pipe", 0x1000, memory=[pair])) == {
        3: "pipe: read end of 4",
        4: "pipe: write end of 3",
    }


def test_a_socket_says_what_it_is_connected_to():
    peer = Piece(1, 0, 0x2000, INET)
    rows = [
        call("socket", socket.AF_INET, socket.SOCK_STREAM | CLOEXEC, 0, result=3),
        call("connect", 3, 0x2000, 16, result=-115, memory=[peer]),
    ]

    assert names(*rows) == {3: "TCP→127.0.0.1:8080"}


def test_an_accepted_socket_says_both_ends():
    own, peer = Piece(1, 0, 0x2000, INET), Piece(1, 1, 0x2000, INET6)
    rows = [
        call("socket", socket.AF_INET6, socket.SOCK_STREAM, 0, result=3),
        call("bind", 3, 0x2000, 16, memory=[own]),
        call("accept", 3, 0x2000, 0x3000, result=4, memory=[peer]),
    ]

    assert names(*rows)[4] == "TCPv6 127.0.0.1:8080←[::1]:80"


def test_a_descriptor_that_was_inherited_is_known():
    row = WholeCall(0, 0, 1, 70, FOUND, 1, None, b"/dev/pts/3")

    assert names(row) == {1: "/dev/pts/3"}


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (INET, "127.0.0.1:8080"),
        (INET6, "[::1]:80"),
        (b"\x01\x00/run/s\0", "/run/s"),
        (b"\x01\x00\0abstract", "@abstract"),
        (b"\x02\x00", ""),
        (b"", ""),
        (b"\x10\x00" + bytes(10), ""),
    ],
)
def test_an_address_is_text(data, shown):
    assert address_text(data) == shown


def test_a_call_touches_its_descriptors_and_paths():
    descriptors = follow(opened(3, "a"))
    files, read = descriptors.of(70), recorded(call("read", 3, 0x1000, 5, result=5))

    assert touches(read, files, [3], [])
    assert touches(read, files, [], ["/work/a"])
    assert not touches(read, files, [4], ["/work/b"])
    assert touches(recorded(opened(-2, "b")), files, [], ["/work/b"])


def test_a_call_that_a_filter_refused_changes_nothing():
    refused = Piece(15, 1, -1, b"\1")
    files = follow(call("chdir", 0x1000, result=80, memory=[text(0, "/tmp"), refused])).of(70)

    assert files.cwd == "/work"


@pytest.mark.parametrize(
    ("op", "flags", "bit"),
    [
        ("epoll_create1", 0, CLOEXEC),
        ("eventfd2", 1, CLOEXEC),
        ("timerfd_create", 1, CLOEXEC),
        ("signalfd4", 3, CLOEXEC),
        ("inotify_init1", 0, CLOEXEC),
        ("userfaultfd", 0, CLOEXEC),
        ("fanotify_init", 0, 1),
        ("perf_event_open", 4, 8),
        ("memfd_create", 1, 1),
    ],
)
def test_an_exec_closes_what_was_made_so(op, flags, bit):
    def after_exec(value: int) -> dict[int, str]:
        args = [~bit] * 5
        args[flags] = value
        return names(call(op, *args, result=3), call("execve", 0x1000, 0, 0))

    assert after_exec(bit) == {}
    assert [*after_exec(0)] == [3]


@pytest.mark.parametrize("op", ["pidfd_open", "io_uring_setup", "bpf"])
def test_an_exec_closes_what_the_kernel_always_makes_so(op):
    made = call(op, 0, 0, 0, result=3)

    assert [*names(made)] == [3]
    assert names(made, call("execve", 0x1000, 0, 0)) == {}
