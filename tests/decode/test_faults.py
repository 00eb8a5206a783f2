"""What is said of wrong arguments; of those next to them that are right, nothing is."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterable

import pytest

from scopetrace.decode.faults import O_PATH, Faulty, fault_of, may_have_fault
from scopetrace.model.raw import EXCESS, Part, RawKind, RawRecord, unpack_batch
from support.raw_builder import pack_record

EXCLUDE = "exclude each other"
NO_LEASE = "only regular files can be leased"
LIMITED = "the soft limit is larger than the hard limit"
NO_OFFSET = "the offset is negative"
DIRECT = "with O_DIRECT address, length and position have to be multiples of the block size"
MOUNTS = b"1 2 0:1 / / rw - ext4 a rw\n3 2 0:2 / /m rw - tmpfs b rw\n"


def failed(
    error: int, args: Iterable[int] = (), parts: Iterable[tuple[int, bytes]] = ()
) -> RawRecord:
    """Return the record of a call that failed."""
    packed = pack_record(RawKind.SYSCALL, args=args, result=-error, parts=parts)
    (record,) = unpack_batch(packed)
    return record


def opened(flags: int) -> tuple[int, bytes]:
    """Return what /proc says of an fd that is open with these flags."""
    return Part.FDINFO, b"pos:\t0\nflags:\t%o\nmnt_id:\t1\n" % flags


CLOSED = (Part.FDINFO, b"")


@pytest.mark.parametrize(
    ("op", "args", "said"),
    [
        ("kill", (7, 64), None),
        ("kill", (7, 65), "there is no signal 65"),
        ("kill", (7, -1), "there is no signal -1"),
        ("tgkill", (7, 99, 0), None),
        ("tgkill", (7, 0, 99), "there is no signal 99"),
        ("setrlimit", (15,), LIMITED),
        ("setrlimit", (16,), "there is no limit 16"),
        ("setrlimit", (-1,), "there is no limit -1"),
        ("prlimit64", (16, 15), LIMITED),
        ("prlimit64", (0, 16), "there is no limit 16"),
        ("dup3", (5, 5), "both descriptors are 5"),
        ("dup3", (5, 6, os.O_CLOEXEC), None),
        ("dup3", (5, 6, 0x40), "0x40 in flags is no known flag"),
        ("close_range", (4, 3), "the first descriptor, 4, is behind the last, 3"),
        ("close_range", (3, 3), None),
        ("epoll_create", (0,), "the size is zero"),
        ("epoll_create", (-1,), "the size is -1"),
        ("epoll_create", (1,), None),
        ("io_uring_setup", (0,), "the number of entries is zero"),
        ("fallocate", (3, 0, -1, 5), NO_OFFSET),
        ("fallocate", (3, 0, 0, 0), "the length is zero"),
        ("fallocate", (3, 0, 0, -2), "the length is -2"),
        ("fallocate", (3, 0, 0, 1), None),
        ("ftruncate", (3, -1), "the length is negative"),
        ("ftruncate", (3, (1 << 63) - 1), "it is no regular file"),
        ("mlockall", (4,), "the flags have neither MCL_CURRENT nor MCL_FUTURE"),
        ("mlockall", (1,), None),
        ("mlockall", (2,), None),
        ("inotify_add_watch", (3, 0, 0), "the mask names no event"),
        ("inotify_add_watch", (3, 0, 1), "the descriptor is no inotify"),
        ("statx", (3, 0, 0x6000), f"AT_STATX_FORCE_SYNC and AT_STATX_DONT_SYNC {EXCLUDE}"),
        ("statx", (3, 0, 0x2000), None),
        ("socket", (2, 6), None),
        ("socket", (2, 7), "there is no socket type 7"),
        ("socket", (2, 0), "there is no socket type 0"),
        ("socket", (2, 0x80801), None),
        ("socket", (2, 0x10001), "0x10000 in type is no known flag"),
        ("socket", (2, 1, 999), "there is no protocol 999"),
        ("socket", (2, 1, 262), None),
        ("socket", (17, 1, 999), None),
        ("flock", (3, 2 | 4), None),
        ("flock", (3, 8), None),
        ("flock", (3, 3), "operation 3 is none of LOCK_SH, LOCK_EX and LOCK_UN"),
        ("munmap", (8192,), None),
        ("munmap", (8193,), "the address is no multiple of 4096"),
        ("pread64", (3, 0, 0, -1), NO_OFFSET),
        ("pread64", (3, 0, 0, 0), None),
        ("umount2", (0, 4 | 1), "MNT_EXPIRE excludes MNT_FORCE and MNT_DETACH"),
        ("umount2", (0, 4 | 2), "MNT_EXPIRE excludes MNT_FORCE and MNT_DETACH"),
        ("umount2", (0, 3), "it is no mount point, or one that belongs to another namespace"),
        ("fcntl", (3, 0, -1), "descriptor -1 is negative"),
        ("fcntl", (3, 1030, 99), "descriptor 99 is not below RLIMIT_NOFILE"),
        ("fcntl", (3, 1024), NO_LEASE),
        ("fcntl", (3, 6), "the lock has no such type, or starts before the file"),
        ("clone", (0x10000,), "CLONE_THREAD needs CLONE_SIGHAND"),
        ("clone", (0x10800,), "CLONE_SIGHAND needs CLONE_VM"),
        ("clone", (0x20200,), f"CLONE_FS and CLONE_NEWNS {EXCLUDE}"),
        ("clone", (0x10000200,), f"CLONE_FS and CLONE_NEWUSER {EXCLUDE}"),
        ("clone", (0x10010900,), f"CLONE_THREAD and CLONE_NEWUSER {EXCLUDE}"),
        ("clone", (0x20010900,), f"CLONE_THREAD and CLONE_NEWPID {EXCLUDE}"),
        ("clone", (0x10F00,), None),
        ("sched_setscheduler", (0, 99), "there is no policy 99"),
        ("sched_setscheduler", (0, 0x40000001), "the priority is none of this policy"),
        ("open", (0, os.O_CREAT | os.O_DIRECTORY), f"O_CREAT and O_DIRECTORY {EXCLUDE}"),
        ("open", (0, os.O_DIRECT), "the file system may not support O_DIRECT"),
        ("open", (0, os.O_TMPFILE), "O_TMPFILE needs O_WRONLY or O_RDWR"),
        ("open", (0, os.O_TMPFILE | os.O_WRONLY), None),
    ],
)
def test_arguments_that_are_wrong_and_those_beside_them(op, args, said):
    record = failed(errno.EINVAL, args)

    assert may_have_fault(record)
    assert fault_of(Faulty(record, {}, op, "", "")) == said


@pytest.mark.parametrize(
    ("op", "flags", "names", "said"),
    [
        ("rename", 0, ("/a", "/a/b"), "the new name is inside the folder itself"),
        ("rename", 3, ("/a", "/ab"), None),
        ("renameat2", 3, ("/a", "/b"), f"RENAME_NOREPLACE and RENAME_EXCHANGE {EXCLUDE}"),
        ("renameat2", 9, ("/a", "/b"), "0x8 in flags is no known flag"),
        ("renameat2", 1, ("/a", "/b"), None),
    ],
)
def test_renames(op, flags, names, said):
    record = failed(errno.EINVAL, (0, 0, 0, 0, flags))

    assert fault_of(Faulty(record, {}, op, *names)) == said


@pytest.mark.parametrize(
    ("op", "args", "fds", "said"),
    [
        ("read", (7,), [CLOSED], "no file is open as descriptor 7"),
        ("read", (7,), [opened(os.O_WRONLY)], "it is open for writing only"),
        ("write", (7,), [opened(os.O_RDONLY)], "it is open for reading only"),
        ("write", (7,), [opened(os.O_RDWR)], None),
        ("read", (7,), [opened(O_PATH | os.O_WRONLY)], "it is open for its name only (O_PATH)"),
        ("openat", (-100,), [CLOSED], None),
        ("mmap", (0, 9, 1, 2, 7), [CLOSED], "no file is open as descriptor 7"),
        ("linkat", (3, 0, 7), [opened(0)], "no file is open as descriptor 7"),
        ("symlinkat", (0, 7), [], "no file is open as descriptor 7"),
        ("fchdir", (7,), [opened(0)], "no file is open as descriptor 7"),
        ("dup2", (3, 5000), [opened(2)], "descriptor 5000 is not below RLIMIT_NOFILE"),
        ("dup2", (3, 5000), [CLOSED], "no file is open as descriptor 3"),
        ("pidfd_send_signal", (7,), [opened(2)], "descriptor 7 is no pidfd"),
        (
            "pidfd_getfd", (7, 8), [opened(2)],
            "descriptor 7 is no pidfd, or descriptor 8 is not open in that process",
        ),
        ("splice", (7, 0, 8), [opened(0), CLOSED], "no file is open as descriptor 8"),
        ("splice", (7, 0, 8), [opened(1), opened(1)], "descriptor 7 is open for writing only"),
        ("splice", (7, 0, 8), [opened(0), opened(0)], "descriptor 8 is open for reading only"),
        (
            "splice", (7, 0, 8), [opened(0), opened(os.O_APPEND | 1)],
            "descriptor 8 is open with O_APPEND",
        ),
        (
            "sendfile", (8, 7), [opened(O_PATH), opened(1)],
            "descriptor 7 is open for its name only (O_PATH)",
        ),
        ("sendfile", (8, 7), [opened(2), opened(2)], None),
    ],
)  # fmt: skip
def test_descriptors_that_are_not_open_or_not_for_this(op, args, fds, said):
    record = failed(errno.EBADF, args, fds)

    assert fault_of(Faulty(record, record.parts(), op, "", "")) == said


@pytest.mark.parametrize(
    ("op", "error", "mode", "parts", "said"),
    [
        ("execve", errno.EACCES, stat.S_IFDIR, [], "it is a folder"),
        ("execve", errno.EACCES, stat.S_IFIFO, [], "it is no regular file"),
        ("execve", errno.EACCES, stat.S_IFREG, [], None),
        ("execve", errno.EACCES, 0, [], None),
        ("openat", errno.EACCES, stat.S_IFDIR, [], None),
        ("link", errno.EPERM, stat.S_IFDIR, [], "it is a folder"),
        ("link", errno.EPERM, stat.S_IFIFO, [], None),
        ("mmap", errno.EACCES, 0, [opened(os.O_WRONLY)], "it is open for writing only"),
        ("munmap", errno.EACCES, 0, [opened(os.O_WRONLY)], None),
        (
            "mq_open", errno.EACCES, 0, [(Part.PATH, b"a/b")],
            "the name of a queue has no / but the first",
        ),
        ("mq_open", errno.EACCES, 0, [(Part.PATH, b"ab")], None),
        ("rmdir", errno.EINVAL, 0, [(Part.PATH, b"a/./")], "the last name of the path is ."),
        ("rmdir", errno.EBUSY, 0, [(Part.PATH, b"a/..")], "the last name of the path is .."),
        ("rmdir", errno.EINVAL, 0, [(Part.PATH, b"a/.b")], None),
        (
            "fsetxattr", errno.EPERM, stat.S_IFIFO, [],
            "only files and folders can have attributes of the user",
        ),
        ("fsetxattr", errno.EPERM, stat.S_IFDIR, [], None),
        ("fsetxattr", errno.EPERM, stat.S_IFREG, [], None),
        ("fsetxattr", errno.EPERM, 0, [], None),
        ("ftruncate", errno.EINVAL, 0, [opened(os.O_RDONLY)], "it is open for reading only"),
        ("write", errno.EINVAL, 0, [opened(os.O_DIRECT | 1)], DIRECT),
        ("write", errno.EINVAL, 0, [opened(1)], None),
        ("pread64", errno.EINVAL, 0, [opened(os.O_DIRECT)], DIRECT),
        (
            "execve", errno.ENOEXEC, 0, [(Part.HEAD, b"#! \n/bin/sh\n")],
            "its first line, #!, names no interpreter",
        ),
        ("execve", errno.ENOEXEC, 0, [(Part.HEAD, b"#!/bin/sh\n")], None),
        (
            "execve", errno.ELOOP, 0, [(Part.HEAD, b"#!/a\n")],
            "its interpreter is a script, and so on, more than 4 times",
        ),
        ("execve", errno.ELOOP, 0, [(Part.HEAD, b"\x7fELF")], None),
    ],
)  # fmt: skip
def test_files_that_are_not_of_the_kind(op, error, mode, parts, said):
    record = failed(error, (), parts)

    assert fault_of(Faulty(record, record.parts(), op, "", "", mode)) == said


@pytest.mark.parametrize(
    ("command", "said"),
    [(1024, "the file is open elsewhere, so it cannot be leased"), (6, None)],
)
def test_a_lease_that_has_to_wait(command, said):
    record = failed(errno.EAGAIN, (3, command))

    assert fault_of(Faulty(record, {}, "fcntl", "", "")) == said
    assert fault_of(Faulty(record, {}, "flock", "", "")) is None


def test_names_on_different_file_systems():
    record = failed(errno.EXDEV, (), [(Part.MOUNTS, MOUNTS)])
    parts = record.parts()

    assert (
        fault_of(Faulty(record, parts, "rename", "/a", "/m/a"))
        == "the two are on different file systems: / and /m"
    )
    assert fault_of(Faulty(record, parts, "rename", "/a", "/b")) is None


def test_names_on_different_mounts_of_one_file_system():
    table = MOUNTS.replace(b"0:2 / /m", b"0:1 /a /m")
    faulty = Faulty(failed(errno.EXDEV, ()), {Part.MOUNTS: table}, "link", "/a", "/m/a")

    assert fault_of(faulty) == "the two are on different mounts of one file system: / and /m"


@pytest.mark.parametrize(
    ("key", "size", "said"),
    [
        (5, 2**32, "the segment with this key is smaller"),
        (0, 2**64 - 1, "the size is beyond kernel.shmmax"),
        (5, 2**64 - 1, "the size is beyond kernel.shmmax"),
    ],
)
def test_a_segment_is_too_small_or_would_be_too_large(key, size, said):
    assert fault_of(Faulty(failed(errno.EINVAL, (key, size)), {}, "shmget", "", "")) == said


def test_without_the_limits_of_the_kernel_both_reasons_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("scopetrace.decode.faults.SYSCTL_KERNEL", str(tmp_path))
    faulty = Faulty(failed(errno.EINVAL, (5, 2**32)), {}, "shmget", "", "")

    said = "the segment with this key is smaller, or the size is beyond kernel.shmmax"
    assert fault_of(faulty) == said


@pytest.mark.parametrize(
    ("op", "flags", "name", "said"),
    [
        ("umount2", 0, b"/m", "its mount came from another user namespace"),
        ("umount2", 0, b"/m/d", "it is no mount point"),
        ("mount", 0x20, b"/m", "the file system takes no such option"),
        ("mount", 0x20, b"/m/d", "it is no mount point"),
        ("mount", 0, b"/m/d", "the source has no such file system, or an option is wrong"),
    ],
)
def test_what_is_no_mount_point(op, flags, name, said):
    parts = [(Part.NAME, name), (Part.NAME2, name), (Part.MOUNTS, MOUNTS)]
    record = failed(errno.EINVAL, (0, 0, 0, flags) if op == "mount" else (0, flags), parts)

    found = fault_of(Faulty(record, record.parts(), op, "", ""))
    assert found is not None
    assert found.startswith(said)


@pytest.mark.parametrize(
    ("op", "parts", "said"),
    [
        ("stat", [(Part.PATH, b"a/" * 2048)], "the path is longer than 4095 bytes"),
        ("stat", [(Part.PATH, b"a/" + b"x" * 256)], "a name in the path is longer than 255 bytes"),
        ("link", [(Part.PATH, b"a"), (Part.PATH2, b"x" * 256)], "a name in the path is longer"),
        ("symlink", [(Part.PATH, b"x" * 300), (Part.PATH2, b"x" * 256)], "a name in the path is"),
        ("symlink", [(Part.PATH, b"x" * 300), (Part.PATH2, b"x")], ""),
    ],
)
def test_which_name_is_too_long(op, parts, said):
    record = failed(errno.ENAMETOOLONG, (), parts)

    found = fault_of(Faulty(record, record.parts(), op, "", "")) or ""
    assert found.startswith(said)
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (
            EXCESS.pack(1, 3, 200000, 131071) + b"a=xx",
            "argument 3 has 200000 bytes, more than 131071",
        ),
        (
            EXCESS.pack(2, 3, 200000, 131071) + b"LS_COLORS=a=b",
            "the variable LS_COLORS has 200000 bytes, more than 131071",
        ),
        (EXCESS.pack(2, 3, 9, 8) + b"x" * 64, "variable 3 has 9 bytes, more than 8"),
        (
            EXCESS.pack(0, 3, 9, 8),
            "the 3 arguments and variables have 9 bytes with their pointers, more than 8"
            " (a quarter of RLIMIT_STACK, 128 KiB to 6 MiB)",
        ),
        (
            EXCESS.pack(0, 0, 9, 8),
            "the arguments and variables have more bytes than 8"
            " (a quarter of RLIMIT_STACK, 128 KiB to 6 MiB)",
        ),
        (b"", None),
    ],
)
def test_what_of_the_strings_of_an_exec_is_too_long(part, said):
    record = failed(errno.E2BIG, (), [(Part.EXCESS, part)])

    assert fault_of(Faulty(record, record.parts(), "execve", "", "")) == said


def status(process: int, session: int) -> tuple[int, bytes]:
    text = f"NStgid:\t1\t{process}\nNSpid:\t1\t{process}\nNSpgid:\t1\t3\nNSsid:\t1\t{session}\n"
    return Part.STATUS, text.encode()


@pytest.mark.parametrize(
    ("args", "parts", "said"),
    [
        ((0, 0), [status(5, 5)], "the process leads a session"),
        ((0, 8), [status(5, 4)], "its session has no process group 8"),
        ((7, 7), [status(7, 7), status(5, 4)], "process 7 is of another session"),
        ((7, 8), [status(7, 4), status(5, 4)], "its session has no process group 8"),
        ((7, 8), [status(5, 4)], None),
        ((0, 8), [(Part.STATUS, b"")], None),
    ],
)
def test_why_a_process_does_not_come_into_a_group(args, parts, said):
    record = failed(errno.EPERM, args, parts)

    assert fault_of(Faulty(record, record.parts(), "setpgid", "", "")) == said


@pytest.mark.parametrize(
    ("args", "count", "said"),
    [
        ((9, 0, 2), 0, "there is no set of the id 9"),
        ((9, 1, 12), 1, "the set has semaphore 0 only, and no 1"),
        ((9, 3, 12), 3, "the set has the semaphores 0 to 2, and no 3"),
        ((9, -1, 0x100 | 16), 3, "the set has the semaphores 0 to 2, and no -1"),
        ((9, 2, 12), 3, None),
        ((9, 3, 17), 3, None),
        ((9, 3, 18), 0, None),
    ],
)
def test_which_semaphore_is_not_there(args, count, said):
    record = failed(errno.EINVAL, args, [(Part.VALUE, struct.pack("=i", count))])

    assert fault_of(Faulty(record, record.parts(), "semctl", "", "")) == said


def test_a_process_does_not_trace_itself():
    for request, pid, said in (
        (16, 100, "a process cannot trace itself"),
        (16, 9, None),
        (0, 100, None),
    ):
        record = failed(errno.EPERM, (request, pid))
        assert fault_of(Faulty(record, {}, "ptrace", "", "")) == said


def test_of_names_that_are_not_there_nothing_is_wrong():
    assert not may_have_fault(failed(errno.ENOENT))


INET, INET6 = b"\2\0\0\t", b"\x0a\0\0\t"
NO_GROUP = "there is no such segment, or it cannot be at that address"
LINK_LOCAL = "a link-local address needs sin6_scope_id, or the socket is bound already"
NEITHER = "the socket is bound already, or the address is none of its family"


@pytest.mark.parametrize(
    ("length", "address", "said"),
    [
        (15, INET, "the address has 15 bytes, fewer than 16"),
        (16, INET, NEITHER),
        (23, INET6, "the address has 23 bytes, fewer than 24"),
        (24, INET6, NEITHER),
        (0, b"\1\0", NEITHER),
        (28, INET6 + bytes(4) + b"\xfe\x80" + bytes(18), LINK_LOCAL),
        (28, INET6 + bytes(4) + b"\xfe\xbf" + bytes(18), LINK_LOCAL),
        (28, INET6 + bytes(4) + b"\xfe\xc0" + bytes(18), NEITHER),
        (28, INET6 + bytes(4) + b"\xff\x80" + bytes(18), NEITHER),
        (28, INET6 + bytes(4) + b"\xfe\x80" + bytes(14) + b"\1\0\0\0", NEITHER),
        (28, INET6 + bytes(4) + b"\xfe\x80" + bytes(17) + b"\1", NEITHER),
    ],
)
def test_what_is_wrong_with_an_address_to_bind_to(length, address, said):
    record = failed(errno.EINVAL, (3, 0, length), [(Part.ADDRESS, address)])

    assert fault_of(Faulty(record, record.parts(), "bind", "", "")) == said


@pytest.mark.parametrize(
    ("op", "args", "said"),
    [
        ("shmat", (3, 4095, 0), "the address is no multiple of 4096"),
        ("shmat", (3, 4095, 0o20000), NO_GROUP),
        ("shmat", (3, 4096, 0), NO_GROUP),
        ("shmat", (3, 0, 0o40000), NO_GROUP),
        ("shmat", (3, 0, 0), "there is no segment of this id"),
        ("mmap", (0, 0, 1, 2, 3, 0), "the length is zero"),
        ("mmap", (0, 1, 1, 2, 3, 1), "the offset is no multiple of 4096"),
        ("mmap2", (0, 1, 1, 0, 3, 1), "the mapping is neither MAP_SHARED nor MAP_PRIVATE"),
        ("umount2", (0, 16), "0x10 in flags is no known flag"),
        ("umount2", (0, 5), "MNT_EXPIRE excludes MNT_FORCE and MNT_DETACH"),
        ("umount2", (0, 3), "it is no mount point, or one that belongs to another namespace"),
        ("umount2", (0, 8), "it is no mount point, or one that belongs to another namespace"),
        ("umount", (0, 16), "it is no mount point, or one that belongs to another namespace"),
        ("socket", (2, 1, 262), None),
        ("socket", (2, 1, 263), "there is no protocol 263"),
        ("socket", (10, 1, -1), "there is no protocol -1"),
        ("socket", (1, 1, 263), None),
        ("socket", (2, 7, 0), "there is no socket type 7"),
        ("socket", (2, 6, 0), None),
        ("socket", (2, 10, 0), None),
        ("socket", (2, 1 | 0x80800, 0), None),
        ("socket", (2, 1 | 0x10, 0), "0x10 in type is no known flag"),
        ("flock", (3, 1), None),
        ("flock", (3, 2 | 4), None),
        ("flock", (3, 8), None),
        ("flock", (3, 4), "operation 4 is none of LOCK_SH, LOCK_EX and LOCK_UN"),
        ("flock", (3, 3), "operation 3 is none of LOCK_SH, LOCK_EX and LOCK_UN"),
        ("pread64", (3, 0, 1, -1), NO_OFFSET),
        ("pread64", (3, 0, 1, 0), None),
        ("fcntl", (3, 0, -1), "descriptor -1 is negative"),
        ("fcntl", (3, 1030, 5000), "descriptor 5000 is not below RLIMIT_NOFILE"),
        ("fcntl", (3, 6, 0), "the lock has no such type, or starts before the file"),
        ("fcntl", (3, 38, 0), "the lock has no such type, or starts before the file"),
        ("statx", (0, 0, 0x6000), "AT_STATX_FORCE_SYNC and AT_STATX_DONT_SYNC exclude each other"),
        ("statx", (0, 0, 0x4000), None),
        ("statx", (0, 0, 0x2000), None),
        ("mlockall", (4,), "the flags have neither MCL_CURRENT nor MCL_FUTURE"),
        ("mlockall", (0,), "the flags have neither MCL_CURRENT nor MCL_FUTURE"),
        ("mlockall", (1,), None),
        ("mlockall", (2,), None),
        ("munmap", (4096, 0), None),
        ("msync", (4097, 0), "the address is no multiple of 4096"),
        ("sched_setscheduler", (0, 9), "there is no policy 9"),
        ("sched_setscheduler", (0, 3), "the priority is none of this policy"),
    ],
)
def test_more_arguments_that_are_wrong_and_those_beside_them(op, args, said):
    record = failed(errno.EINVAL, args)

    assert fault_of(Faulty(record, record.parts(), op, "", "")) == said


@pytest.mark.parametrize(
    ("op", "mode", "said"),
    [
        ("fallocate", 2, "FALLOC_FL_PUNCH_HOLE needs FALLOC_FL_KEEP_SIZE"),
        ("fallocate", 3, None),
        ("fallocate", 1, None),
        ("fsync", 2, None),
    ],
)
def test_an_operation_that_is_not_supported(op, mode, said):
    record = failed(errno.EOPNOTSUPP, (3, mode))

    assert fault_of(Faulty(record, {}, op, "", "")) == said


@pytest.mark.parametrize(
    ("op", "file", "kind", "said"),
    [
        ("openat", "/a", stat.S_IFIFO, "no process has the fifo open for reading"),
        ("open", "/a", stat.S_IFSOCK, "it is a socket, which is connected to and not opened"),
        ("open", "/a", stat.S_IFCHR, "there is no such device"),
        ("open", "/a", stat.S_IFBLK | 0o600, "there is no such device"),
        ("open", "/a", stat.S_IFREG, None),
        ("open", "/dev/tty", stat.S_IFCHR, None),
        ("lseek", "/a", stat.S_IFIFO, None),
    ],
)
def test_a_special_file_that_cannot_be_opened(op, file, kind, said):
    record = failed(errno.ENXIO)

    assert fault_of(Faulty(record, {}, op, file, "", kind)) == said


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (0, None),
        (stat.S_IFSOCK, None),
        (stat.S_IFDIR, None),
        (stat.S_IFREG | 0o644, "it is no socket"),
        (stat.S_IFIFO, "it is no socket"),
    ],
)
def test_what_was_connected_to_is_no_socket(kind, said):
    record = failed(errno.ECONNREFUSED)

    assert fault_of(Faulty(record, {}, "connect", "/a", "", kind)) == said
