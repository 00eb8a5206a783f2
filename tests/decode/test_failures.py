from __future__ import annotations

import errno

import pytest

from scopetrace.decode.failures import CALLS
from scopetrace.model.operation import Failed, FlowFailed, ProcessFailed
from scopetrace.model.raw import Part
from support.raw_builder import ROWS

BIG = 1 << 40


@pytest.mark.parametrize(
    ("row", "args", "op", "what"),
    [
        ("setgroups", (3, 0), "setgroups", "3 groups"),
        ("prctl__rights", (24, 7), "prctl", "PR_CAPBSET_DROP"),
        ("prctl", (22, 2), "prctl", "PR_SET_SECCOMP"),
        ("prctl", (99,), "prctl", "99"),
        ("seccomp", (1,), "seccomp", "SECCOMP_SET_MODE_FILTER"),
        ("ptrace", (0, 0), "ptrace", "PTRACE_TRACEME"),
        ("ptrace", (16, 5), "ptrace", "PTRACE_ATTACH of 5"),
        ("setrlimit", (7,), "setrlimit", "RLIMIT_NOFILE"),
        ("prlimit64", (5, 6), "prlimit64", "RLIMIT_NPROC of process 5"),
        ("prlimit64", (0, 7), "prlimit64", "RLIMIT_NOFILE"),
        ("setpriority", (0, 9, -20), "setpriority", "priority -20 of process 9"),
        ("ioprio_set", (3, 9, 1), "ioprio_set", "priority 1 of user 9"),
        ("ioprio_set", (0, 9, 1), "ioprio_set", "priority 1 of -1 9"),
        ("sched_setaffinity", (9,), "sched_setaffinity", "process 9"),
        ("perf_event_open", (0, -1, 3), "perf_event_open", "process -1, CPU 3"),
        ("unshare__any", (0x50000000,), "unshare", "CLONE_NEWUSER|CLONE_NEWNET"),
        ("unshare", (0x20000,), "unshare", "CLONE_NEWNS"),
        ("setns", (9,), "setns", "fd 9"),
        ("bpf", (5,), "bpf", "BPF_PROG_LOAD"),
        ("bpf", (28,), "bpf", "28"),
        ("io_setup", (65536,), "io_setup", "65536 operations"),
        ("keyctl", (11,), "keyctl", "operation 11"),
        ("mlock", (0, 4096), "mlock", "4096 bytes"),
        ("mmap__large", (0, BIG, 3, 0x22, -1), "mmap", f"{BIG} bytes"),
        ("mmap__any", (0, BIG, 3, 2, 0), "mmap", f"{BIG} bytes of /dev/pts/0"),
        ("mremap__large", (0, 1, BIG), "mremap", f"{BIG} bytes"),
        ("brk", (BIG + 5, BIG), "brk", "5 bytes more"),
        ("shmat", (5,), "shmat", "segment 5"),
        ("semget", (0, 32001), "semget", "32001 semaphores"),
        ("personality", (8,), "personality", "0x8"),
        ("io_uring_setup", (64,), "io_uring_setup", "64 entries"),
        ("pipe2", (), "pipe2", ""),
        ("dup2", (5, 6), "dup2", "fd 5"),
        ("fcntl", (5, 0), "fcntl", "fd 5"),
        ("pidfd_getfd", (5, 6), "pidfd_getfd", "fd 6"),
        ("setuid", (0,), "setuid", "user 0"),
        ("setregid", (-1, 5), "setregid", "groups -1, 5"),
        ("setresuid32", (1, 2, 3), "setresuid32", "users 1, 2, 3"),
        ("fork", (17,), "fork", "process"),
        ("vfork", (), "vfork", "process"),
        ("clone__any", (0x01200011,), "fork", "process"),
        ("clone__any", (0x3D0F00,), "clone", "thread"),
        ("clone3__any", (0x4100,), "vfork", "process"),
    ],
)
def test_a_failure_says_what_it_was_about(row, args, op, what, tracee, decoding):
    tracee.fail(row, *args, error=errno.EPERM)

    failed = decoding.one(ProcessFailed)

    assert (failed.op, failed.what, failed.errno) == (op, what, errno.EPERM)


@pytest.mark.parametrize(
    ("row", "paths", "args", "what"),
    [
        ("mount", ("/dev/sda1", "mnt"), (), "/dev/sda1 on /home/me/mnt"),
        ("mount", ("", "/mnt"), (), "/mnt"),
        ("umount2", ("mnt",), (), "/home/me/mnt"),
        ("swapon", ("/swap",), (), "/swap"),
        ("fsopen", ("ext4",), (), "ext4"),
        ("mq_open", ("queue",), (), "queue"),
        ("memfd_create", ("name",), (), "name"),
        ("open_tree", ("x",), (-100,), "/home/me/x"),
    ],
)
def test_paths_are_absolute_and_words_stay_as_they_are(row, paths, args, what, tracee, decoding):
    parts = dict(zip((Part.PATH, Part.PATH2), map(str.encode, paths), strict=False))
    tracee.fail(row, *args, error=errno.EPERM, parts=parts)

    assert decoding.one(ProcessFailed).what == what


@pytest.mark.parametrize(
    ("row", "op", "kind"),
    [
        ("flock", "flock", "lock"),
        ("fcntl__lock", "fcntl", "lock"),
        ("fsync", "fsync", "read_write"),
        ("fsetxattr", "fsetxattr", "attr"),
    ],
)
def test_what_is_done_to_an_fd_is_about_its_file(row, op, kind, tracee, decoding):
    tracee.open("/log", 5)
    tracee.fail(row, 5, error=errno.EDEADLK)

    failed = decoding.one(Failed)

    assert (failed.op, failed.kind, failed.file) == (op, kind, "/log")


@pytest.mark.parametrize(
    ("row", "args", "kind"),
    [
        ("utimensat", (-100,), "attr"),
        ("setxattr", (), "attr"),
        ("statfs", (), "stat"),
        ("inotify_add_watch", (9,), "watch"),
        ("fanotify_mark", (9, 0, 0, -100), "watch"),
    ],
)
def test_what_is_done_to_a_path_is_about_it(row, args, kind, tracee, decoding):
    tracee.fail(row, *args, error=errno.ENOENT, path="x")

    failed = decoding.one(Failed)

    assert (failed.op, failed.kind, failed.file) == (row, kind, "/home/me/x")


def test_a_folder_that_is_gone_is_named_as_it_was(tracee, decoding):
    tracee.fail("getcwd", error=errno.ENOENT)

    failed = decoding.one(Failed)

    assert (failed.kind, failed.file) == ("cwd", "/home/me")


@pytest.mark.parametrize(("row", "transport"), [("socket", "IP.TCP"), ("socketpair", "IP.TCP")])
def test_a_socket_that_could_not_be_made_has_a_transport(row, transport, tracee, decoding):
    tracee.fail(row, 2, 1, 0, error=errno.EMFILE)

    failed = decoding.one(FlowFailed)

    assert (failed.op, failed.kind, failed.transport) == (row, "connection", transport)
    assert (failed.errno, failed.local, failed.peer) == (errno.EMFILE, None, None)


@pytest.mark.parametrize("row", ["shutdown", "setsockopt"])
def test_what_a_socket_refuses_is_emitted_with_its_peer(row, tracee, decoding):
    tracee.socket(5)
    tracee.connect(5)
    tracee.fail(row, 5, error=errno.ENOTCONN)

    failed = decoding.one(FlowFailed)

    assert (failed.op, failed.peer.port) == (row, 80)


@pytest.mark.parametrize("row", sorted(CALLS))
def test_what_succeeds_or_goes_on_is_not_emitted(row, tracee, decoding):
    assert row in ROWS
    tracee.call(row, 1, 2, 3, result=3)
    tracee.call(row, 1, 2, 3, result=-512)

    assert not any(isinstance(each, ProcessFailed | Failed) for each in decoding.go())


@pytest.mark.parametrize("row", ["io_uring_enter__openat", "io_uring_enter__openat2"])
def test_a_file_that_a_ring_could_not_open_is_named(row, tracee, decoding):
    tracee.fail(row, -100, 0, 0, error=errno.ENOENT, path="x")

    failed = decoding.one(Failed)

    assert (failed.op, failed.kind, failed.file) == ("io_uring_enter", "open_close", "/home/me/x")
