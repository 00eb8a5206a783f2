"""Reasons that follow from the structures that a program gave."""

from __future__ import annotations

import socket
import struct

import pytest

from scopetrace.explain.by_memory import reason_by_memory
from scopetrace.syscalls.call import Piece
from scopetrace.syscalls.recorded import Recorded
from support.packed_builder import call, text


def reason(name: str, *args: int, result: int, memory: tuple[Piece, ...] = ()) -> str:
    made = call(name, *args, result=result, memory=memory)
    return reason_by_memory(Recorded(1, made.time_ns, 1000, 1, 70, "cat", *made[3:]))


def lock(kind: int, whence: int = 0, start: int = 0, length: int = 0, pid: int = 0) -> Piece:
    return Piece(2, 0, 0x100, struct.pack("=hh4xqqi4x", kind, whence, start, length, pid))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("x" * 256, "a name in the path is longer than 255 bytes"),
        ("a/" * 2048, "the path is longer than 4095 bytes"),
        ("a/b", ""),
    ],
)
def test_a_path_or_a_name_in_it_is_too_long(path, expected):
    assert reason("open", 0x100, 0, 0, result=-36, memory=(text(0, path),)) == expected


@pytest.mark.parametrize(
    ("command", "given", "expected"),
    [
        (6, lock(7), "there is no type of lock 7"),
        (5, lock(2), "F_UNLCK is no lock that could be asked about"),
        (6, lock(1, start=-5), "the lock would begin before the file"),
        (6, lock(1, start=5, length=-9), "the lock would begin before the file"),
        (37, lock(1, pid=4), "l_pid is 4, and has to be 0"),
        (6, lock(1, pid=4), ""),
        (6, lock(1, whence=1, start=-5), ""),
        (4, lock(7), ""),
        (6, Piece(2, 0, 0x100, b"\7\0"), ""),
    ],
)
def test_a_lock_is_wrong(command, given, expected):
    assert reason("fcntl", 3, command, 0x100, result=-22, memory=(given,)) == expected


@pytest.mark.parametrize(
    ("number", "notify", "expected"),
    [
        (99, 0, "there is no signal 99"),
        (99, 1, ""),
        (10, 7, "there is no way to notify 7"),
        (10, 0, ""),
    ],
)
def test_a_timer_cannot_notify_so(number, notify, expected):
    event = Piece(1, 0, 0x100, struct.pack("=Qii", 0, number, notify) + bytes(48))

    assert reason("timer_create", 1, 0x100, 0x200, result=-22, memory=(event,)) == expected


def message(buffers: int = 0, control: bytes = b"", length: int | None = None) -> tuple[Piece, ...]:
    size = len(control) if length is None else length
    header = struct.pack("=QI4xQQQQI4x", 0, 0, 0x200, buffers, 0x300, size, 0)
    return Piece(1, 0, 0x100, header), Piece(1, 0, 0x300, control)


@pytest.mark.parametrize(
    ("result", "memory", "expected"),
    [
        (-90, message(buffers=5000), "there are 5000 buffers, more than 1024"),
        (-90, message(buffers=1), ""),
        (
            -22,
            message(control=struct.pack("=Qii", 16 + 4 * 300, 1, 1) + bytes(1200)),
            "300 descriptors are passed, more than 253",
        ),
        (
            -22,
            message(control=struct.pack("=Qii", 3, 1, 1)),
            "the length of a control message is 3",
        ),
        (-22, message(control=struct.pack("=Qii", 16, 1, 2)), ""),
        (-22, message(), ""),
    ],
)
def test_a_message_is_wrong(result, memory, expected):
    assert reason("sendmsg", 3, 0x100, 0, result=result, memory=memory) == expected


@pytest.mark.parametrize(
    ("level", "option", "value", "expected"),
    [
        (6, 4, struct.pack("=i", 0), "0 is not within 1 to 32767"),
        (6, 4, struct.pack("=i", 9), ""),
        (0, 33, struct.pack("=i", -2), "-2 is not within -1 to 255"),
        (77, 4, struct.pack("=i", 0), ""),
        (6, 4, b"\0", ""),
        (0, 35, socket.inet_aton("10.0.0.1") + bytes(4), "10.0.0.1 is no multicast address"),
        (0, 35, socket.inet_aton("224.0.0.1") + bytes(4), ""),
        (0, 35, bytes(4), "the value has 4 bytes, fewer than 8"),
        (41, 20, bytes(20), ":: is no multicast address"),
        (41, 20, b"\xff" + bytes(19), ""),
    ],
)
def test_an_option_does_not_take_a_value(level, option, value, expected):
    given = Piece(3, 0, 0x100, value)
    args = (3, level, option, 0x100, len(value))

    assert reason("setsockopt", *args, result=-22, memory=(given,)) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [(b"\2\0\0\0", "its port is 0"), (b"\2\0\0\1", ""), (b"\1\0\0\0", ""), (b"", "")],
)
def test_a_datagram_for_port_0(address, expected):
    given = Piece(4, 0, 0x100, address)

    assert reason("sendto", 3, 0, 1, 0, 0x100, 16, result=-22, memory=(given,)) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [((0, 0), "a semaphore would be larger than 32767"), ((0, 0x1000), ""), ((), "")],
)
def test_a_semaphore_would_be_too_large(flags, expected):
    given = Piece(1, 0, 0x100, b"".join(struct.pack("=HhH", 0, 9, flag) for flag in flags))

    assert reason("semop", 3, 0x100, 2, result=-34, memory=(given,)) == expected


@pytest.mark.parametrize(
    ("flags", "mode", "resolve", "expected"),
    [
        (1 << 40, 0, 0, "how.flags has an unknown flag, 0x10000000000"),
        (0o4000000, 0, 0, ""),
        (0, 0, 0x80, "how.resolve has an unknown flag, 0x80"),
        (0, 0, 0x18, "RESOLVE_BENEATH and RESOLVE_IN_ROOT exclude each other"),
        (0o100, 0o100644, 0, "how.mode is 0o100644, more than permissions"),
        (0, 0o644, 0, "how.mode is 0o644, which takes O_CREAT or O_TMPFILE"),
        (0o100, 0o644, 0, ""),
        (0o200100, 0o644, 0, "O_CREAT and O_DIRECTORY exclude each other"),
        (0o20000001, 0o644, 0, "O_TMPFILE lacks its O_DIRECTORY"),
        (0o20200000, 0o644, 0, "O_TMPFILE needs O_WRONLY or O_RDWR"),
        (0o10000001, 0, 0, "O_PATH takes no flags but O_DIRECTORY, O_NOFOLLOW and O_CLOEXEC"),
        (0o12600000, 0, 0, ""),
    ],
)
def test_which_field_of_open_how_is_wrong(flags, mode, resolve, expected):
    how = Piece(2, 0, 0x100, struct.pack("=QQQ", flags, mode, resolve))

    assert reason("openat2", 0, 0, 0x100, 24, result=-22, memory=(how,)) == expected
    assert not reason("openat2", 0, 0, 0x100, 8, result=-22, memory=(how,))


@pytest.mark.parametrize(
    ("path", "resolve", "expected"),
    [
        ("/a", 8, "the path is absolute, and RESOLVE_BENEATH allows none"),
        ("..", 8, "the path leads out of the folder where it starts (RESOLVE_BENEATH)"),
        ("/a", 1, "the path leads to another mount (RESOLVE_NO_XDEV)"),
        ("a", 9, ""),
        ("a", 16, ""),
    ],
)
def test_which_flag_a_path_leads_out_of(path, resolve, expected):
    how = Piece(2, 0, 0x100, struct.pack("=QQQ", 0, 0, resolve))
    memory = (text(1, path), how)

    assert reason("openat2", 0, 0, 0x100, 24, result=-18, memory=memory) == expected


def test_a_key_is_too_long_for_its_type():
    args = (0x100, 0, 0, 40000, 0)
    expected = "a key of this type has 1 to 32767 bytes, not 40000"

    assert reason("add_key", *args, result=-22, memory=(text(0, "user"),)) == expected
    assert not reason("add_key", *args, result=-22, memory=(text(0, "keyring"),))


@pytest.mark.parametrize(
    ("most", "size", "expected"),
    [(0, 9, "mq_maxmsg is 0"), (9, -1, "mq_msgsize is -1"), (9, 9, "")],
)
def test_a_queue_of_no_messages(most, size, expected):
    given = Piece(3, 0, 0x100, struct.pack("=qqq", 0, most, size))

    assert reason("mq_open", 0, 66, 0, 0x100, result=-22, memory=(given,)) == expected


@pytest.mark.parametrize(
    ("family", "expected"),
    [(1, "as many wait there"), (2, "no port is left"), (10, "no port is left"), (40, "")],
)
def test_what_a_connection_would_wait_for(family, expected):
    given = Piece(1, 0, 0x100, struct.pack("=H14x", family))

    found = reason("connect", 3, 0x100, 16, result=-11, memory=(given,))
    assert found.startswith(expected)
    assert bool(found) == bool(expected)


def test_the_length_of_an_option_is_negative():
    for length, expected in ((-4, "its length is -4"), (4, "")):
        given = Piece(4, 0, 0x100, struct.pack("=i", length))
        assert reason("getsockopt", 3, 1, 4, 0, 0x100, result=-22, memory=(given,)) == expected


def test_only_a_mount_can_be_changed_or_moved():
    assert "no mount point" in reason("mount", 0, 0, 0, 0x40000, 0, result=-22)
    assert not reason("mount", 0, 0, 0, 0x40020, 0, result=-22)
    assert "the source is no mount point" in reason("mount", 0, 0, 0, 0x2000, 0, result=-22)
    assert not reason("mount", 0, 0, 0, 0, 0, result=-22)
