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
        ("ioctl", (3, 0x80081272, 0), -25, "it is no block device"),
        ("ioctl", (3, 0xC0101282, 0), -25, ""),
        ("io_getevents", (8, 5, 1, 0, 0), -22, "min_nr, 5, is larger than nr, 1"),
        ("io_getevents", (8, 1, 5, 0, 0), -22, ""),
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


SHARED_WRITE = "a shared mapping that may be written needs a file open for reading and writing"
READ = "a mapping needs a file that is open for reading"
LEADER = "the process leads no session, or has a terminal, or another session has this one"
STAYS = "behind it there is no room, and without MREMAP_MAYMOVE it stays where it is"
URGENT = "this socket has no urgent data (MSG_OOB)"
NOT_COME = "no urgent data (MSG_OOB) have come"
SET_LIMITS = "only its user, or CAP_SYS_RESOURCE, may {} the limits of a process"
PERM, NOENT, NXIO, BADF, NOMEM, EXIST, CHILD = -1, -2, -6, -9, -12, -17, -10
ACCES, NODEV, NOTDIR, INVAL, NOTTY, RANGE, NOSYS = -13, -19, -20, -22, -25, -34, -38
NOPROTOOPT, OPNOTSUPP, BUSY = -92, -95, -16
MINUS = 2**64


@pytest.mark.parametrize(
    ("name", "args", "result", "expected"),
    [
        ("mmap", (0, 9, 2, 1, 3), ACCES, SHARED_WRITE),
        ("mmap", (0, 9, 3, 0x8001, 3), ACCES, SHARED_WRITE),
        ("mmap", (0, 9, 1, 1, 3), ACCES, READ),
        ("mmap", (0, 9, 2, 2, 3), ACCES, READ),
        ("mmap", (0, 9, 4, 2, 3), ACCES, READ),
        ("mmap", (0, 9, 1, 0x22, 3), PERM, "addresses below vm.mmap_min_addr take CAP_SYS_RAWIO"),
        ("mmap", (0, 9, 4, 2, 3), PERM, "it is on a file system that is mounted noexec"),
        ("mmap", (0, 9, 3, 2, 3), PERM, "the file is sealed, or append-only"),
        ("mmap", (0, 9, 3, 0x40022), NOMEM, "no huge pages are free (vm.nr_hugepages)"),
        ("mmap", (0, 1 << 47, 3, 0x22), NOMEM, "a process does not have so many addresses"),
        ("mmap", (0, (1 << 47) - 1, 3, 0x22), NOMEM, ""),
        ("mmap", (0, 9, 1, 2, 0), BADF, "descriptor 0 is not open, or for its name only (O_PATH)"),
        ("mmap", (0, 9, 1, 2, 3), NODEV, "what the descriptor is cannot be mapped into memory"),
        ("mprotect", (4096, 4096, 1), ACCES, ""),
        ("mremap", (4096, 4096, 8192, 0), NOMEM, STAYS),
        ("mremap", (4096, 4096, 8192, 2), NOMEM, STAYS),
        ("mremap", (4096, 4096, 8192, 1), NOMEM, ""),
        ("io_setup", (0, 0x1000), INVAL, "nr_events is not positive"),
        ("io_setup", (1, 0x1000), INVAL, "the memory for the id of the context does not hold 0"),
        ("pidfd_open", (0, 0), INVAL, "the number of a process has to be positive"),
        ("pidfd_open", (MINUS - 1, 0), INVAL, "the number of a process has to be positive"),
        ("pidfd_open", (1, 0), INVAL, ""),
        ("ioctl", (3, 0x8914, 0), PERM, "to change an interface takes CAP_NET_ADMIN"),
        ("ioctl", (3, 0x89FF, 0), PERM, "to change an interface takes CAP_NET_ADMIN"),
        (
            "ioctl",
            (3, 0x40086602, 0),
            PERM,
            "only the owner may set attributes, and some of them take CAP_LINUX_IMMUTABLE",
        ),
        ("ioctl", (3, 0x540E, 0), PERM, LEADER),
        ("ioctl", (3, 0x5401, 0), PERM, ""),
        ("ioctl", (3, 0x540F, 0), NOTTY, "it is not the controlling terminal of the process"),
        ("ioctl", (3, 0x5429, 0), NOTTY, "it is not the controlling terminal of the process"),
        ("ioctl", (3, 0x54FF, 0), NOTTY, "it is no terminal"),
        ("ioctl", (3, 0x5500, 0), NOTTY, ""),
        ("epoll_wait", (3, 0, 0, 0), INVAL, "maxevents is 0"),
        ("epoll_pwait", (3, 0, MINUS - 2, 0, 0, 8), INVAL, "maxevents is -2"),
        ("epoll_pwait2", (3, 0, 1, 0, 0, 8), INVAL, "the descriptor is no epoll"),
        ("clock_gettime", (12, 0), INVAL, "there is no clock 12"),
        ("clock_gettime", (11, 0), INVAL, ""),
        ("clock_getres", (MINUS - 6, 0), INVAL, ""),
        ("prctl", (1, MINUS - 1), INVAL, "there is no signal 18446744073709551615"),
        ("prctl", (1, 0), INVAL, ""),
        ("prctl", (4, 2), INVAL, "it may only be 0 or 1"),
        ("prctl", (8, 2), INVAL, "it may only be 0 or 1"),
        ("prctl", (38, 2), INVAL, "arg2 has to be 1, and all behind it 0: it cannot be given back"),
        ("prctl", (39, 2), INVAL, ""),
        ("setsockopt", (3, 1, 2, 0, 3), INVAL, "the value has fewer than 4 bytes"),
        ("setsockopt", (3, 1, 2, 0, 4), INVAL, ""),
        ("setsockopt", (3, 1, 20, 0, 15), INVAL, "the value has fewer than 16 bytes"),
        ("setsockopt", (3, 1, 21, 0, 15), INVAL, "the value has fewer than 16 bytes"),
        ("setsockopt", (3, 1, 66, 0, 15), INVAL, "the value has fewer than 16 bytes"),
        ("setsockopt", (3, 1, 67, 0, 15), INVAL, "the value has fewer than 16 bytes"),
        ("setsockopt", (3, 1, 67, 0, 16), INVAL, ""),
        ("setsockopt", (3, 6, 2, 0, 3), INVAL, ""),
        ("setsockopt", (3, 41, 26, 0, 4), INVAL, "the socket is bound already"),
        ("setsockopt", (3, 41, 26, 0, 3), INVAL, ""),
        ("setsockopt", (3, 41, 25, 0, 4), INVAL, ""),
        *[
            ("setsockopt", (3, 1, option, 0, 4), PERM, "it takes CAP_NET_ADMIN")
            for option in (12, 32, 33, 36)  # SO_PRIORITY, SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_MARK
        ],
        ("setsockopt", (3, 1, 11, 0, 4), PERM, ""),
        ("setsockopt", (3, 6, 12, 0, 4), PERM, ""),
        *[
            ("setsockopt", (3, 1, option, 0, 4), NOPROTOOPT, "it can only be asked for")
            for option in (3, 4, 30, 38, 39)
        ],
        ("setsockopt", (3, 1, 5, 0, 4), NOPROTOOPT, ""),
        ("setsockopt", (3, 2, 3, 0, 4), NOPROTOOPT, ""),
        ("prlimit64", (7, 7, 0, 0x1000), PERM, SET_LIMITS.format("read")),
        ("prlimit64", (7, 7, 0x1000, 0), PERM, SET_LIMITS.format("set")),
        ("read", (3, 0, 7), INVAL, "7 bytes are fewer than the descriptor gives at once"),
        ("read", (3, 0, 8), INVAL, ""),
        ("sendto", (3, 0, 9, 1), OPNOTSUPP, URGENT),
        ("sendto", (3, 0, 9, 0x4001), OPNOTSUPP, URGENT),
        ("sendto", (3, 0, 9, 0x4000), OPNOTSUPP, ""),
        ("sendmsg", (3, 0, 1), OPNOTSUPP, URGENT),
        ("sendmsg", (3, 0, 2), OPNOTSUPP, ""),
        ("recvfrom", (3, 0, 9, 1), INVAL, NOT_COME),
        ("recvfrom", (3, 1, 1, 2), INVAL, ""),
        ("recvmsg", (3, 0, 1), INVAL, NOT_COME),
        ("recvmsg", (1, 1, 2), INVAL, ""),
        ("waitid", (1, 7, 0, 4), CHILD, "process 7 is no child of this one, or is not any more"),
        ("waitid", (0, 7, 0, 4), CHILD, "there is none to wait for"),
        ("waitid", (2, 7, 0, 4), CHILD, "there is none to wait for"),
        ("wait4", (0, 0, 0, 0), CHILD, "there is none to wait for"),
        ("wait4", (1, 0, 0, 0), CHILD, "process 1 is no child of this one, or is not any more"),
        ("wait4", (MINUS - 2, 0, 0, 0), CHILD, "no child is in the process group 2"),
        ("waitid", (3, 7, 0, 4), BADF, "the descriptor is no pidfd"),
        ("process_mrelease", (7, 0), BADF, "descriptor 7 is no pidfd"),
        ("readahead", (7, 0, 9), BADF, "descriptor 7 is not open for reading"),
        ("readlinkat", (3, 0, 0, 1), INVAL, "nowhere, it is no symbolic link"),
        (
            "readlinkat",
            (3, 0, 1, 0),
            INVAL,
            "but the size of the memory for the answer is 0",
        ),
        ("readlink", (3, 0, 1), INVAL, "nowhere, it is no symbolic link"),
        ("mknodat", (3, 0, 0o40600, 0), PERM, "folders are made by mkdir"),
        ("mknodat", (3, 0o40600, 0o20600, 0), PERM, ""),
        ("shmctl", (3, 20, 0), INVAL, ""),
        ("shmctl", (3, 21, 0), INVAL, "there is no command 21"),
        ("msgctl", (3, 21, 0), INVAL, "there is no command 21"),
        ("semctl", (3, 21, 20, 0), INVAL, ""),
        ("setgid", (2**32 - 1,), INVAL, "-1 is the number of no user or group"),
        ("setgid", (2**32 - 2,), INVAL, ""),
        ("kill", (MINUS - 2, 15), -3, "there is no such process group"),
        ("kill", (MINUS - 1, 15), -3, ""),
        *[
            ("unshare", (flag,), INVAL, "that takes a process with a single thread")
            for flag in (0x100, 0x800, 0x10000, 0x10000000)
        ],
        ("mq_timedsend", (3, 0, 1, 32767, 0), INVAL, ""),
        ("fcntl", (98, 0), BADF, "no file is open as descriptor 98"),
        ("fcntl", (98, 2), BADF, "no file is open as descriptor 98"),
        ("fcntl", (98, 3), BADF, "no file is open as descriptor 98"),
        ("fcntl", (98, 1030), BADF, "no file is open as descriptor 98"),
        ("fcntl", (98, 1031), BADF, "it is no pipe, or not open"),
        ("fcntl", (98, 1032), BADF, "it is no pipe, or not open"),
        ("fcntl", (98, 1033), BADF, ""),
        ("fcntl", (3, 4), INVAL, "the file cannot be read and written directly (O_DIRECT)"),
        ("fcntl", (3, 10), INVAL, "there is no such signal"),
        *[
            (
                "fcntl",
                (3, command),
                INVAL,
                "the lock has no such type, starts before the file, or its l_pid is not 0",
            )
            for command in (36, 37, 38)
        ],
        ("fcntl", (3, 1033), INVAL, "only memory files (memfd_create) have seals"),
        ("fcntl", (3, 1034), INVAL, "only memory files (memfd_create) have seals"),
        ("fcntl", (3, 1026), NOTDIR, "it is no folder"),
        (
            "fcntl",
            (3, 4),
            PERM,
            "O_NOATIME is for the owner alone, and O_APPEND stays where chattr +a asks for it",
        ),
        ("fcntl", (3, 1031), BUSY, "more bytes than that are in the pipe"),
        ("fcntl", (3, 1033), BUSY, "it is mapped into memory that may be written"),
        ("lseek", (3, 1, 2), INVAL, "the position would lie behind the largest one"),
        ("lseek", (3, 1, 3), INVAL, ""),
        ("lseek", (3, 1, 4), NXIO, "the file has nothing of that kind behind this position"),
        ("readv", (1, 4096, 1024), INVAL, ""),
        ("readv", (1, 4096, 1025), INVAL, "1025 buffers are not within 0 to 1024"),
        ("preadv", (1, 4096, MINUS - 1), INVAL, "-1 buffers are not within 0 to 1024"),
        ("pwritev", (1, 4096, 0), INVAL, ""),
        ("pwrite64", (3, 0, 8, 2**63 - 9), INVAL, ""),
        (
            "pwrite64",
            (3, 0, 9, 2**63 - 9),
            INVAL,
            "the bytes would lie behind the largest position of a file",
        ),
        ("futex", (6, 0), INVAL, "the address is no multiple of 4"),
        ("futex", (8, 9, 0, 0, 0, 0), INVAL, "the set of bits in val3 is empty"),
        ("futex", (8, 10 | 0x80, 0, 0, 0, 0), INVAL, "the set of bits in val3 is empty"),
        ("futex", (8, 9, 0, 0, 0, 1), INVAL, ""),
        ("futex", (8, 11, 0, 0, 0, 0), INVAL, ""),
        ("futex", (8, 99), NOSYS, "the kernel has no such operation"),
        ("clone3", (0x1000, 63), INVAL, "the structure has 63 bytes, fewer than 64"),
        ("clone3", (0x1000, 64), INVAL, ""),
        ("openat2", (3, 0, 0, 23), INVAL, "the structure has 23 bytes, fewer than 24"),
        ("openat2", (3, 0, 0, 24), INVAL, ""),
        ("timer_delete", (7,), INVAL, "there is no timer 7"),
        ("timer_getoverrun", (7,), INVAL, "there is no timer 7"),
        ("timer_gettime", (7, 0), INVAL, "there is no timer 7"),
        ("munmap", (4096, 4096), INVAL, "the memory lies beyond what a process can have"),
        ("munmap", (1, 4096), INVAL, "the address is no multiple of 4096"),
        ("mincore", (4096, 9, 0), NOMEM, "a part of this memory is not mapped"),
        ("msync", (4096, 9, 4), NOMEM, "a part of this memory is not mapped"),
        ("msync", (4095, 9, 5), INVAL, "the address is no multiple of 4096"),
        ("msync", (4096, 9, 1), INVAL, ""),
        ("epoll_ctl", (3, 1, 4, 0), PERM, "a file or folder never has to be waited for"),
        ("epoll_ctl", (3, 2, 4, 0), NOENT, "it is not on the list"),
        ("inotify_rm_watch", (3, 7), INVAL, "there is no watch 7, or the descriptor is no inotify"),
        ("rt_sigaction", (0, 0, 0, 8), INVAL, "there is no signal 0"),
        ("rt_sigaction", (65, 0, 0, 8), INVAL, "there is no signal 65"),
        ("rt_sigaction", (64, 0, 0, 8), INVAL, ""),
        ("rt_sigaction", (1, 0, 0, 8), INVAL, ""),
        ("rt_sigaction", (19, 0, 0, 8), INVAL, "what this signal does cannot be changed"),
        ("pselect6", (MINUS - 1, 0, 0, 0, 0), INVAL, "the number of descriptors is negative"),
        ("pselect6", (0, 0, 0, 0, 0), INVAL, ""),
        (
            "getgroups",
            (1, 0),
            INVAL,
            "the size is negative, or there are more groups than that",
        ),
        ("fsync", (3,), INVAL, "it has nothing that could be on a disk"),
        ("fdatasync", (3,), INVAL, "it has nothing that could be on a disk"),
        ("getcwd", (0, 1), RANGE, "it does not fit into the memory that was given for it"),
        ("listxattr", (0, 0, 1), RANGE, "it does not fit into the memory that was given for it"),
    ],
)
def test_the_values_next_to_a_wrong_one_are_right(
    name: str, args: tuple[int, ...], result: int, expected: str
) -> None:
    assert reason(name, *args, result=result) == expected


@pytest.mark.parametrize(
    ("name", "args", "piece", "result", "expected"),
    [
        ("sendfile", (4, 3, 0x1000, 9), (2, 0, -1), INVAL, "the position is negative"),
        ("sendfile", (4, 3, 0x1000, 9), (2, 0, 0), INVAL, ""),
        ("sendfile", (4, 3, 0x1000, 9), (1, 0, -1), INVAL, ""),
        (
            "msgsnd",
            (3, 0x1000, 1, 0),
            (1, 0, 0),
            INVAL,
            "the type of the message is 0, which is not positive",
        ),
        (
            "msgsnd",
            (3, 0x1000, 1, 0),
            (1, 0, -5),
            INVAL,
            "the type of the message is -5, which is not positive",
        ),
        ("msgsnd", (3, 0x1000, 1, 0), (1, 0, 1), INVAL, ""),
        ("msgsnd", (3, 0x1000, 1, 0), (2, 0, 0), INVAL, ""),
    ],
)
def test_a_number_in_memory_that_is_wrong(
    name: str, args: tuple[int, ...], piece: tuple[int, int, int], result: int, expected: str
) -> None:
    argument, phase, number = piece
    memory = [Piece(argument, phase, 0x1000, struct.pack("=q", number))]

    assert reason(name, *args, result=result, memory=memory) == expected


def test_a_type_of_a_message_that_was_not_copied_whole_is_not_judged() -> None:
    memory = [Piece(1, 0, 0x1000, bytes(7))]

    assert reason("msgsnd", 3, 0x1000, 1, 0, result=INVAL, memory=memory) == ""


@pytest.mark.parametrize(("name", "at"), [("unlink", 0), ("unlinkat", 1)])
@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/b/", "its last name is a link, and / behind it asks for a folder"), ("a/b", "")],
)
def test_a_link_is_removed_without_a_slash(name: str, at: int, path: str, expected: str) -> None:
    memory = [Piece(at, 0, 0x1000, path.encode() + b"\0")]
    args = (*(0,) * at, 0x1000)

    assert reason(name, *args, result=NOTDIR, memory=memory) == expected


def test_information_of_a_signal_that_was_not_copied_is_not_judged() -> None:
    memory = [Piece(2, 0, 0x2000, struct.pack("<ii", 15, 0) + bytes(3))]

    assert reason("rt_sigqueueinfo", 1, 15, 0x2000, result=PERM, memory=memory) == ""


@pytest.mark.parametrize(
    ("events", "expected"), [(1, "descriptor 3 is no epoll"), (1 << 28 | 1, "")]
)
def test_who_waits_exclusively_may_be_wrong_in_other_ways(events: int, expected: str) -> None:
    memory = [Piece(3, 0, 0x1000, struct.pack("=IQ", events, 0))]

    assert reason("epoll_ctl", 3, 1, 4, 0x1000, result=INVAL, memory=memory) == expected


@pytest.mark.parametrize(
    ("at", "parts", "expected"),
    [
        ((0, 0), (0, 999_999_999), ""),
        ((0, 0), (0, 10**9), "1000000000 nanoseconds are not within 0 to 999999999"),
        ((0, 0), (0, -1), "-1 nanoseconds are not within 0 to 999999999"),
        ((0, 1), (0, -1), ""),
        ((1, 0), (0, -1), ""),
    ],
)
def test_only_a_time_that_is_asked_for_is_judged(
    at: tuple[int, int], parts: tuple[int, ...], expected: str
) -> None:
    argument, phase = at
    memory = [Piece(argument, phase, 0x1000, struct.pack("=2q", *parts))]

    assert reason("nanosleep", 0x1000, 0x1000, result=INVAL, memory=memory) == expected


@pytest.mark.parametrize("size", [7, 9])
def test_a_set_of_signals_has_the_size_of_the_kernels(size: int) -> None:
    assert reason("rt_sigsuspend", 0, size, result=INVAL) == f"sigsetsize is {size}, not 8"


def test_a_number_of_a_call_below_those_that_the_kernel_may_have() -> None:
    made = call("read", 3, 0, 1, result=NOSYS)
    recorded = Recorded(1, made.time_ns, 1000, 1, 70, "cat", *made[3:])
    texts = [certain_reason(recorded._replace(number=number)) for number in (1023, 1024)]

    assert texts == ["", "the kernel does not have this call"]
