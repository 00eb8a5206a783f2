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


EXEC = call("execve", 0x1000, 0, 0)
FDS = Piece(0, 1, 0x3000, struct.pack("=ii", 3, 4))


def socket_of(family: int, kind: int) -> WholeCall:
    return call("socket", family, kind, 0, result=3)


@pytest.mark.parametrize(
    ("family", "kind", "name"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, "TCP"),
        (socket.AF_INET, socket.SOCK_DGRAM | CLOEXEC, "UDP"),
        (socket.AF_INET6, socket.SOCK_STREAM, "TCPv6"),
        (socket.AF_INET6, socket.SOCK_DGRAM, "UDPv6"),
        (socket.AF_UNIX, socket.SOCK_STREAM, "UNIX-STREAM"),
        (socket.AF_UNIX, socket.SOCK_DGRAM, "UNIX-DGRAM"),
        (socket.AF_UNIX, socket.SOCK_SEQPACKET, "UNIX-SEQPACKET"),
        (socket.AF_NETLINK, socket.SOCK_RAW, "NETLINK"),
        (socket.AF_NETLINK, socket.SOCK_DGRAM, "NETLINK"),
        (socket.AF_INET, socket.SOCK_RAW, "socket"),
        (socket.AF_PACKET, socket.SOCK_STREAM, "socket"),
    ],
)
def test_a_socket_has_the_name_of_its_transport(family: int, kind: int, name: str) -> None:
    assert names(socket_of(family, kind)) == {3: name}


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (INET[:8], "127.0.0.1:8080"),
        (INET[:7], ""),
        (INET6[:24], "[::1]:80"),
        (INET6[:23], ""),
        (b"\x01\x00/", "/"),
        (b"\x01\x00", ""),
    ],
)
def test_an_address_is_text_once_all_that_is_shown_of_it_is_there(data: bytes, shown: str) -> None:
    assert address_text(data) == shown


def test_an_openat2_takes_its_flags_from_memory() -> None:
    def after_exec(flags: int) -> dict[int, str]:
        how = Piece(2, 0, 0x3000, struct.pack("=3Q", flags, 0, 0))
        path = text(1, "a")
        return names(call("openat2", -100, 0x2000, 0x3000, 24, result=3, memory=[path, how]), EXEC)

    assert after_exec(0) == {3: "/work/a"}
    assert after_exec(~CLOEXEC & 2**64 - 1) == {3: "/work/a"}
    assert after_exec(CLOEXEC) == {}
    assert names(call("openat2", -100, 0x2000, 0x3000, 24, result=3, memory=[text(1, "a")])) == {
        3: "/work/a"
    }


@pytest.mark.parametrize(
    ("op", "args", "closed"),
    [
        ("dup", (3,), False),
        ("dup2", (3, 5), False),
        ("dup3", (3, 5, CLOEXEC), True),
        ("dup3", (3, 5, 0), False),
        ("fcntl", (3, 0, 5), False),
        ("fcntl", (3, 1030, 5), True),
    ],
)
def test_an_exec_closes_a_copy_only_if_it_was_asked_to(
    op: str, args: tuple[int, ...], closed: bool
) -> None:
    rows = [opened(3, "a"), call(op, *args, result=5), EXEC]

    assert names(*rows) == {3: "/work/a"} | ({} if closed else {5: "/work/a"})


def test_a_copy_onto_itself_keeps_what_it_is() -> None:
    rows = [opened(3, "a", CLOEXEC), call("dup2", 3, 3, result=3), EXEC]

    assert names(*rows) == {}


def test_a_copy_of_what_is_not_known_replaces_what_was() -> None:
    assert names(opened(3, "a"), call("dup2", 9, 3, result=3)) == {}


@pytest.mark.parametrize(
    ("op", "command", "value", "kept"),
    [(0, 2, 1, []), (CLOEXEC, 2, 0, [3]), (0, 1, 1, [3]), (0, 2, 2, [3]), (CLOEXEC, 4, 0, [])],
)
def test_fcntl_says_whether_an_exec_closes(
    op: int, command: int, value: int, kept: list[int]
) -> None:
    assert [*names(opened(3, "a", op), call("fcntl", 3, command, value), EXEC)] == kept


@pytest.mark.parametrize(
    ("first", "last", "kept"), [(4, 5, [3, 6]), (3, 3, [4, 5, 6]), (7, 9, [3, 4, 5, 6])]
)
@pytest.mark.parametrize("at_exec", [False, True])
def test_a_range_is_closed_with_both_its_ends(
    first: int, last: int, kept: list[int], at_exec: bool
) -> None:
    rows = [opened(fd, "a") for fd in (3, 4, 5, 6)]
    rows.append(call("close_range", first, last, 4 if at_exec else 0))

    assert [*names(*rows)] == ([3, 4, 5, 6] if at_exec else kept)
    assert [*names(*rows, EXEC)] == kept


@pytest.mark.parametrize(
    ("op", "args", "at", "cloexec"),
    [
        ("pipe", (0x3000,), 0, False),
        ("pipe2", (0x3000, CLOEXEC), 0, True),
        ("pipe2", (0x3000, 0o4000), 0, False),
        ("socketpair", (1, 1, 0, 0x3000), 3, False),
        ("socketpair", (1, 1 | CLOEXEC, 0, 0x3000), 3, True),
    ],
)
def test_both_of_a_pair_are_closed_by_an_exec_or_none(
    op: str, args: tuple[int, ...], at: int, cloexec: bool
) -> None:
    made = call(op, *args, memory=[FDS._replace(argument=at)])

    assert [*names(made)] == [3, 4]
    assert [*names(made, EXEC)] == ([] if cloexec else [3, 4])


def test_a_pair_that_was_not_copied_whole_is_not_known() -> None:
    assert names(call("pipe", 0x3000, memory=[FDS._replace(data=bytes(7))])) == {}


@pytest.mark.parametrize(
    ("op", "args", "cloexec"),
    [
        ("accept", (3, 0, 0), False),
        ("accept4", (3, 0, 0, CLOEXEC), True),
        ("accept4", (3, 0, 0, 0o4000), False),
    ],
)
def test_what_was_accepted_is_closed_by_an_exec_if_asked(
    op: str, args: tuple[int, ...], cloexec: bool
) -> None:
    rows = [socket_of(socket.AF_INET, socket.SOCK_STREAM), call(op, *args, result=4)]

    assert names(*rows) == {3: "TCP", 4: "TCP"}
    assert [*names(*rows, EXEC)] == ([3] if cloexec else [3, 4])


def test_a_socket_that_is_connected_anew_has_its_last_peer() -> None:
    peers = [Piece(1, 0, 0x2000, data) for data in (INET, INET6)]
    rows = [call("connect", 3, 0x2000, 16, memory=[peer]) for peer in peers]

    assert names(socket_of(socket.AF_INET6, socket.SOCK_DGRAM), *rows) == {3: "UDPv6→[::1]:80"}


@pytest.mark.parametrize(
    ("op", "name"),
    [
        ("epoll_create", "epoll"),
        ("epoll_create1", "epoll"),
        ("eventfd", "eventfd"),
        ("eventfd2", "eventfd"),
        ("timerfd_create", "timerfd"),
        ("signalfd", "signalfd"),
        ("signalfd4", "signalfd"),
        ("inotify_init", "inotify"),
        ("inotify_init1", "inotify"),
        ("fanotify_init", "fanotify"),
        ("pidfd_open", "pidfd"),
        ("userfaultfd", "userfaultfd"),
        ("io_uring_setup", "io_uring"),
        ("bpf", "bpf"),
        ("perf_event_open", "perf_event"),
    ],
)
def test_a_descriptor_of_no_file_has_the_name_of_its_kind(op: str, name: str) -> None:
    assert names(call(op, 0, 0, 0, 0, 0, result=3)) == {3: name}


def test_a_queue_and_a_memory_file_have_names() -> None:
    rows = [
        call("mq_open", 0x1000, 0, 0, 0, result=3, memory=[text(0, "q")]),
        call("memfd_create", 0x1000, 0, result=4, memory=[text(0, "m")]),
    ]

    assert names(*rows) == {3: "/q", 4: "memfd:m"}
    assert names(*rows, EXEC) == {4: "memfd:m"}


def test_the_working_folder_is_that_of_a_descriptor() -> None:
    rows = [opened(3, "sub"), call("fchdir", 3), opened(4, "a")]

    assert names(*rows) == {3: "/work/sub", 4: "/work/sub/a"}
    assert names(call("fchdir", 9), opened(4, "a")) == {4: "/work/a"}


@pytest.mark.parametrize(
    ("flags", "child", "parent"),
    [(0, [3], [3, 4]), (0x400, [3, 4], [3, 4]), (0x11, [3], [3, 4])],
)
@pytest.mark.parametrize("op", ["clone", "clone3"])
def test_a_child_shares_descriptors_if_asked(
    op: str, flags: int, child: list[int], parent: list[int]
) -> None:
    args = Piece(0, 0, 0x1000, struct.pack("=8Q", flags, *[2**64 - 1] * 7))
    made = call(op, flags if op == "clone" else 0x1000, 64, result=71, memory=[args])
    descriptors = follow(opened(3, "a"), made, opened(4, "b"))

    assert [*descriptors.of(71).names] == child
    assert [*descriptors.of(70).names] == parent


def test_a_thread_has_no_descriptors_of_its_own() -> None:
    descriptors = follow(opened(3, "a"), call("clone", 0x10000, result=71))

    assert descriptors.of(71).names == {}
    assert descriptors.of(70).children == {}


def test_what_a_child_did_before_its_birth_was_told_is_kept() -> None:
    descriptors = follow(opened(3, "a"))
    descriptors.follow(recorded(opened(4, "/b"), pid=71))
    descriptors.follow(recorded(call("fork", result=71)))

    assert descriptors.of(71).names == {3: "/work/a", 4: "/b"}


def test_a_call_that_returns_a_descriptor_of_another_kind_replaces_the_name() -> None:
    assert names(opened(3, "a"), call("fsopen", 0x1000, 0, result=3)) == {}
