"""Reasons that follow from an error and the arguments of its call."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import pytest

from scopetrace.explain.certain import OF_ANY_MODE, certain_reason
from scopetrace.syscalls.call import Piece
from scopetrace.syscalls.descriptors import positions
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import named
from support.packed_builder import call


def reason(name: str, *args: int, result: int, memory: Iterable[Piece] = ()) -> str:
    made = call(name, *args, result=result, memory=memory)
    return certain_reason(Recorded(1, made.time_ns, 1000, 1, 70, "cat", *made[3:]))


def test_no_kernel_has_a_call_of_such_a_number():
    made = call("read", 3, 0, 1, result=-38)
    for number, expected in ((9999, "the kernel does not have this call"), (0, "")):
        recorded = Recorded(1, made.time_ns, 1000, 1, 70, "cat", *made[3:])._replace(number=number)
        assert certain_reason(recorded) == expected


@pytest.mark.parametrize(
    ("name", "args", "result", "expected"),
    [
        ("close", (99,), -9, "no file is open as descriptor 99"),
        ("dup", (98,), -9, "no file is open as descriptor 98"),
        ("dup2", (98, 1), -9, ""),
        ("ioctl", (50, 0x5401, 0), -9, "descriptor 50 is not open, or for its name only (O_PATH)"),
        ("ioctl", (50, 0x40049409, 0), -9, ""),
        ("ioctl", (5, 0x5410, 0), -25, "it is not the controlling terminal of the process"),
        ("mmap", (0, 9, 1, 2, 9), -9, "descriptor 9 is not open, or for its name only (O_PATH)"),
        (
            "mmap",
            (0, 9, 1, 2, 2**64 - 1),
            -9,
            "the flags lack MAP_ANONYMOUS, and -1 is no descriptor",
        ),
        ("readlink", (0, 0, 2**64 - 1), -22, "but the size of the memory for the answer is -1"),
        ("readlink", (0, 0, 9), -22, "nowhere, it is no symbolic link"),
        ("wait4", (7, 0, 0, 0), -10, "process 7 is no child of this one, or is not any more"),
        ("wait4", (2**64 - 1, 0, 0, 0), -10, "there is none to wait for"),
        ("wait4", (2**64 - 7, 0, 0, 0), -10, "no child is in the process group 7"),
        ("kill", (2**64 - 7, 15), -3, "there is no such process group"),
        ("kill", (7, 15), -3, ""),
        ("unshare", (0x10000000,), -22, "that takes a process with a single thread"),
        ("unshare", (0x20000,), -22, ""),
        (
            "mprotect",
            (4096, 4096, 3),
            -13,
            "a shared mapping of a file that is not open for writing stays read-only",
        ),
        ("mprotect", (4096, 4096, 5), -13, "the file is on a file system that is mounted noexec"),
        ("mmap", (0, 1 << 50, 3, 0x22, 0, 0), -12, "a process does not have so many addresses"),
        ("mmap", (0, 4096, 3, 0x22, 0, 0), -12, ""),
        ("mq_timedsend", (3, 0, 1, 32768, 0), -22, "the priority is not below 32768"),
        ("membarrier", (8, 0, 0), -1, "the process has not registered for this command"),
        ("clock_nanosleep", (3, 4, 0, 0), -22, ""),
        ("mknod", (0, 0o40600, 0), -1, "folders are made by mkdir"),
        ("mknod", (0, 0o20600, 0), -1, ""),
        ("munmap", (4096, 0), -22, "the length is zero"),
        ("setuid", (0xFFFFFFFF,), -22, "-1 is the number of no user or group"),
        ("setuid", (5,), -22, ""),
        ("setsockopt", (3, 1, 13, 0, 4), -22, "the value has fewer than 8 bytes"),
        ("setsockopt", (3, 1, 13, 0, 8), -22, ""),
        ("setsockopt", (3, 1, 3, 0, 4), -92, "it can only be asked for"),
        ("shmctl", (3, 77, 0), -22, "there is no command 77"),
        ("shmctl", (3, 0x102, 0), -22, ""),
        ("semctl", (3, 0, 77, 0), -22, "there is no command 77"),
        ("renameat2", (0, 0, 0, 0, 2), -2, "one of the two is not there"),
        ("renameat2", (0, 0, 0, 0, 1), -2, ""),
        ("fcntl", (98, 1), -9, "no file is open as descriptor 98"),
        ("fcntl", (98, 6), -9, ""),
        ("prctl", (23, 63), -22, "the kernel has no capability of this number"),
        ("prctl", (24, 99), -22, "the kernel has no capability of this number"),
        ("prctl", (1, 65), -22, "there is no signal 65"),
        ("prctl", (1, 64), -22, ""),
        ("mmap", (0, 0, 1, 0x22), -22, "the length is zero"),
        ("mmap", (0, 9, 1, 0x20), -22, "the mapping is neither MAP_SHARED nor MAP_PRIVATE"),
        ("mmap", (0, 9, 1, 2, 3, 100), -22, "the offset is no multiple of 4096"),
        ("read", (99, 0, 9), -9, ""),
        ("lseek", (3, 2**64 - 1, 0), -22, "the position would lie before the beginning"),
        ("lseek", (3, 2**62, 0), -22, "the position would lie behind the largest one"),
        ("lseek", (3, 1, 77), -22, "whence is 77, which has no name"),
        ("lseek", (3, 1, 0), -29, ""),
        ("close", (3,), 0, ""),
        ("epoll_ctl", (3, 1, 3, 0), -22, "a list cannot be on itself"),
        ("epoll_ctl", (3, 9, 4, 0), -22, "op is 9, which has no name"),
        ("epoll_ctl", (3, 1, 4, 0), -22, "descriptor 3 is no epoll"),
        ("epoll_ctl", (3, 1, 99, 0), -9, "of the descriptors 3 and 99 one is not open"),
        ("rt_sigprocmask", (0, 0, 0, 4), -22, "sigsetsize is 4, not 8"),
        ("writev", (1, 4096, 2000), -22, "2000 buffers are not within 0 to 1024"),
        ("writev", (1, 4096, 2), -22, ""),
        (
            "pread64",
            (3, 0, 9, 2**63 - 5),
            -22,
            "the bytes would lie behind the largest position of a file",
        ),
        ("pread64", (3, 0, 9, 5), -22, ""),
        ("futex", (9, 0), -22, "the address is no multiple of 4"),
        ("futex", (8, 0), -22, ""),
        ("mmap", (5, 9, 1, 0x32), -22, "the address is no multiple of 4096"),
        ("msync", (4096, 9, 5), -22, "MS_ASYNC and MS_SYNC exclude each other"),
        ("msync", (4096, 9, 4), -22, ""),
        ("openat2", (3, 0, 0, 4), -22, "the structure has 4 bytes, fewer than 24"),
        ("timer_settime", (7, 0, 0, 0), -22, "there is no timer 7"),
        ("timer_settime", (7, 9, 0, 0), -22, "there is no timer 7"),
        ("epoll_ctl", (3, 1, 4, 0), -17, "it is on the list already"),
        ("madvise", (4096, 10, 999), -22, "advice is 999, which has no name"),
        ("eventfd2", (0, 1 << 20), -22, "0x100000 in flags is no known flag"),
        ("mprotect", (4097, 10, 1), -22, "the address is no multiple of 4096"),
        ("mprotect", (4096, 10, 1), -22, ""),
        ("rt_sigaction", (9, 0, 0, 8), -22, "what this signal does cannot be changed"),
        ("rt_sigaction", (99, 0, 0, 8), -22, "there is no signal 99"),
        ("select", (2**64 - 1, 0, 0, 0, 0), -22, "the number of descriptors is negative"),
        (
            "fcntl",
            (3, 1031, 1 << 30),
            -1,
            "it is more than fs.pipe-max-size or the limits of the user",
        ),
        ("fcntl", (3, 1033, 1), -1, "it cannot be written, or takes no seals any more"),
        ("fcntl", (3, 8, 0), -1, ""),
        ("fsmount", (-1, 0, 0), -9, "no file is open as descriptor -1"),
        ("ioctl", (3, 0x5413, 0), -25, "it is no terminal"),
        ("ioctl", (3, 0x8927, 0), -25, ""),
    ],
)
def test_a_reason_is_given_where_there_is_only_one(name, args, result, expected):
    assert reason(name, *args, result=result) == expected


@pytest.mark.parametrize(
    ("name", "argument", "parts", "expected"),
    [
        ("nanosleep", 0, (1, 2 * 10**9), "2000000000 nanoseconds are not within 0 to 999999999"),
        ("nanosleep", 0, (-1, 0), "the time is negative"),
        ("nanosleep", 0, (1, 0), ""),
        ("setitimer", 1, (0, 0, 0, 10**6), "1000000 microseconds are not within 0 to 999999"),
    ],
)
def test_a_time_that_cannot_be(name, argument, parts, expected):
    piece = Piece(argument, 0, 0x1000, struct.pack(f"={len(parts)}q", *parts))

    assert reason(name, 0, 0x1000, 0, result=-22, memory=[piece]) == expected


@pytest.mark.parametrize("name", sorted(OF_ANY_MODE))
def test_calls_for_which_the_mode_does_not_matter_have_a_descriptor(name):
    for row in named(name):
        for abi, number in enumerate(row.numbers):
            assert number is None or positions(abi, number).fds


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"trusted.a", "to change trusted.… takes CAP_SYS_ADMIN"),
        (b"security.capability", "to change security.capability… takes CAP_SETFCAP"),
        (b"user.a", ""),
    ],
)
def test_an_attribute_that_takes_a_capability(name: bytes, expected: str) -> None:
    memory = [Piece(1, 0, 0x2000, name + b"\0")]

    assert reason("setxattr", 0, 0x2000, 0, 0, 0, result=-1, memory=memory) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, "si_code says that the kernel or kill() sent it"),
        (-6, "si_code says that the kernel or kill() sent it"),
        (-1, "the process is of another user, which takes CAP_KILL"),
    ],
)
def test_who_may_not_send_a_signal_with_information(code: int, expected: str) -> None:
    memory = [Piece(2, 0, 0x2000, struct.pack("<iii", 15, 0, code))]

    assert reason("rt_sigqueueinfo", 1, 15, 0x2000, result=-1, memory=memory) == expected
