from __future__ import annotations

import os
import struct

import pytest

from scopetrace.model.operation import Closed, Failed, Opened, ProcessFailed, Written
from scopetrace.model.raw import Part, RawKind
from support.raw_builder import FOLDER, PIPE, REGULAR, pack_stat, pack_tally


def rights(*fds: int) -> bytes:
    data = struct.pack(f"={len(fds)}i", *fds)
    return struct.pack("=Qii", 16 + len(data), 1, 1) + data


def test_an_open_is_known_by_the_kernels_link(tracee, decoding):
    tracee.open("../data/x", 3, link="/home/data/x", flags=os.O_RDWR | os.O_CLOEXEC)

    opened = decoding.one(Opened)

    assert (opened.op, opened.fd, opened.flags) == ("openat", 3, os.O_RDWR | os.O_CLOEXEC)
    assert opened.file.path == "/home/data/x"
    assert opened.passed == "../data/x"
    assert opened.file.opened_ns == opened.time_ns


def test_a_path_passed_as_the_kernel_spells_it_is_not_emitted_twice(tracee, decoding):
    tracee.open("/etc/passwd", 3)

    assert decoding.one(Opened).passed == ""


def test_0_is_the_fd_of_a_file_as_any_other_number_is(tracee, decoding):
    """As in a program that has closed its standard input."""
    tracee.close(0)
    tracee.open("/etc/passwd", 0)
    tracee.close(0)
    tracee.open("/etc/group", 3)
    tracee.call("dup", 3, result=0)
    tracee.call("fcntl", 3, 0, 0, result=10)
    tracee.close(3)
    tracee.close(10)
    tracee.close(0)

    operations = [each for each in decoding.go() if isinstance(each, Opened | Closed | Failed)]
    assert [type(each) for each in operations[-4:]] == [Opened, Closed, Opened, Closed]
    assert [each.file.path for each in operations[-4::2]] == ["/etc/passwd", "/etc/group"]


def test_without_a_link_the_passed_path_is_made_absolute(tracee, decoding):
    tracee.call("open", 0, os.O_RDONLY, result=3, parts={Part.PATH: b"a/./b"})

    assert decoding.one(Opened).file.path == "/home/me/a/b"


@pytest.mark.parametrize(
    ("passed", "links", "expected"),
    [
        ("/tmp", 0, "/tmp/#12"),
        ("/tmp/x (deleted)", 1, "/tmp/#12 (deleted)"),
        ("/tmp/x", 1, "/tmp/#12"),
    ],
)
def test_a_deleted_file_has_the_name_it_had(tracee, decoding, passed, links, expected):
    parts = {
        Part.PATH: passed.encode(),
        Part.LINK: b"/tmp/#12 (deleted)",
        Part.STAT: pack_stat(links=links),
    }
    tracee.call("openat", -100, 0, os.O_TMPFILE | os.O_RDWR, result=3, parts=parts)

    assert decoding.one(Opened).file.path == expected


@pytest.mark.parametrize(
    ("name", "args", "parts", "flags"),
    [
        ("open", (0, os.O_APPEND), {}, os.O_APPEND),
        ("creat", (0, 0o644), {}, os.O_CREAT | os.O_WRONLY | os.O_TRUNC),
        ("openat", (-100, 0, os.O_EXCL), {}, os.O_EXCL),
        ("openat2", (-100, 0, 0, 24), {Part.HOW: struct.pack("=QQQ", 65, 0, 0)}, 65),
        ("openat2", (-100, 0, 0, 24), {}, 0),
        ("open_by_handle_at", (3, 0, os.O_RDWR), {}, os.O_RDWR),
    ],
)
def test_each_way_to_open_has_its_flags(tracee, decoding, name, args, parts, flags):
    parts = {Part.LINK: b"/x", Part.STAT: pack_stat(), **parts}
    tracee.call(name, *args, result=3, parts=parts)

    opened = decoding.one(Opened)

    assert (opened.op, opened.flags) == (name, flags)


def test_a_failed_open_is_emitted_with_the_path_it_meant(tracee, decoding):
    tracee.fail("openat", 4, error=2, path="x.ini", parts={Part.NAME: b"/etc/app/conf/x.ini"})
    tracee.fail("open", error=13, path="y")

    first, second = decoding.only(Failed)

    assert (first.op, first.kind, first.file, first.errno) == (
        "openat",
        "open_close",
        "/etc/app/conf/x.ini",
        2,
    )
    assert (second.file, second.errno) == ("/home/me/y", 13)


def test_an_open_of_nothing_failed_on_nothing(tracee, decoding):
    tracee.call("open", result=-2, parts={Part.PATH: b""})

    assert decoding.one(Failed).file == ""


def test_a_closed_file_says_what_was_done_with_it(tracee, decoding):
    tracee.open("/a", 3)
    tracee.tally(3, 1, 5, 50)
    tracee.close(3, 2, 10, 100, 3, 30, 300)

    closed = decoding.one(Closed)

    assert (closed.op, closed.file.path) == ("close", "/a")
    usage = closed.usage
    assert (usage.reads, usage.read_bytes, usage.read_ns) == (3, 15, 150)
    assert (usage.writes, usage.write_bytes, usage.write_ns) == (3, 30, 300)


def test_a_number_that_is_closed_twice_closes_once(tracee, decoding):
    tracee.open("/a", 3)
    tracee.close(3)
    tracee.close(3)
    tracee.call("close", -1, result=-9)

    assert len(decoding.only(Closed)) == 1


def test_duplicates_are_one_open_file(tracee, decoding):
    tracee.open("/a", 3)
    tracee.call("dup", 3, result=4)
    tracee.call("fcntl", 3, 1030, 10, result=10)
    tracee.close(3)
    tracee.close(4)
    assert decoding.only(Closed) == []

    tracee.close(10)
    assert decoding.one(Closed).file.path == "/a"


def test_dup2_over_a_file_closes_it(tracee, decoding):
    tracee.open("/a", 3)
    tracee.open("/b", 4)
    tracee.tally(4, 0, 0, 0, 1, 7, 9)
    tracee.call("dup2", 3, 4, result=4)

    closed = decoding.one(Closed)

    assert (closed.op, closed.file.path, closed.usage.write_bytes) == ("dup2", "/b", 7)


def test_a_failed_call_changes_nothing(tracee, decoding):
    tracee.open("/a", 3)
    tracee.fail("dup2", 3, 4, error=9)
    tracee.fail("dup3", 3, 3, error=22)
    tracee.fail("close_range", 0, 100, error=22)
    tracee.fail("pipe", error=24)
    tracee.fail("recvmsg", 5, error=11, parts={Part.CONTROL: rights(3)})
    refused = [ProcessFailed] * 4
    assert [type(operation) for operation in decoding.go()] == [Opened, *refused]

    tracee.close(3)
    assert decoding.one(Closed).file.path == "/a"


def test_a_dup_of_an_unknown_fd_is_known_by_its_link(tracee, decoding):
    tracee.call("dup", 7, result=8, parts={Part.LINK: b"/old", Part.STAT: pack_stat()})
    tracee.tally(7, 1, 1, 1)
    tracee.close(8)
    tracee.close(7)

    assert decoding.one(Closed).file.path == "/old"


def test_a_range_is_closed_but_its_ends_are_kept_to(tracee, decoding):
    for fd in range(3, 8):
        tracee.open(f"/f{fd}", fd)
    tracee.call("close_range", 4, 6, 0)

    assert [closed.file.path for closed in decoding.only(Closed)] == ["/f4", "/f5", "/f6"]
    tracee.call("close_range", 3, 0xFFFFFFFF, 0)
    assert [closed.file.path for closed in decoding.only(Closed)] == ["/f3", "/f7"]


def test_a_range_may_be_marked_to_close_at_exec(tracee, decoding):
    tracee.open("/a", 3)
    tracee.open("/b", 4)
    tracee.call("close_range", 4, 9, 4)
    assert decoding.only(Closed) == []

    tracee.exec("/bin/next")
    assert [(c.op, c.file.path) for c in decoding.only(Closed)] == [("execve", "/b")]


def test_a_range_may_be_closed_in_a_table_of_its_own(tracee, decoding):
    tracee.open("/a", 3)
    tracee.fork(101, group=100, flags=0x50F00)
    tracee.call("close_range", 3, 9, 2, tid=101)
    tracee.write(3, b"still open")

    assert decoding.one(Written).file.path == "/a"


def test_pipes_sockets_and_counters_are_no_files(tracee, decoding):
    tracee.call("pipe2", 0, os.O_CLOEXEC, result=0, parts={Part.PAIR: struct.pack("=ii", 3, 4)})
    tracee.call("socketpair", result=0, parts={Part.PAIR: struct.pack("=ii", 5, 6)})
    link = {Part.LINK: b"anon_inode:[eventfd]", Part.STAT: pack_stat(0o600)}
    tracee.call("eventfd2", result=7, parts=link)
    tracee.call("memfd_create", result=8, parts={Part.LINK: b"/memfd:x (deleted)"})
    assert decoding.only(Opened) == []

    for fd in range(3, 9):
        tracee.close(fd, 1, 1, 1)
    assert [closed.file.named for closed in decoding.only(Closed)] == [False] * 6


def test_a_pair_that_could_not_be_read_is_no_pair(tracee, decoding):
    tracee.call("pipe", result=0, parts={Part.PAIR: b"\0\0"})

    assert decoding.go() == []


def test_a_folder_is_opened_like_a_file(tracee, decoding):
    tracee.open("/etc", 3, mode=FOLDER)

    assert decoding.one(Opened).file.named


def test_fds_that_come_in_a_message_are_opened_by_it(tracee, decoding):
    tracee.call("recvmsg", 5, 0, 0, result=1, parts={Part.CONTROL: rights(3, 4)})
    tracee.found(3, "/received")
    tracee.found(4, "socket:[77]", 0o140777)
    tracee.close(3)

    opened, closed = decoding.go()

    assert isinstance(opened, Opened)
    assert (opened.op, opened.fd, opened.flags, opened.passed) == ("recvmsg", 3, None, "")
    assert opened.file.path == "/received"
    assert isinstance(closed, Closed)


def test_each_message_of_recvmmsg_may_bring_fds(tracee, decoding):
    parts = [(Part.CONTROL, rights(3)), (Part.CONTROL, rights(4))]
    tracee.call("recvmmsg", 5, 0, 2, 0, result=2, parts=parts)
    tracee.found(3, "/three")
    tracee.found(4, "/four")

    opened = decoding.only(Opened)

    assert [(o.op, o.file.path) for o in opened] == [("recvmmsg", "/three"), ("recvmmsg", "/four")]


def test_an_fd_taken_from_another_process_is_opened_by_that(tracee, decoding):
    tracee.call("pidfd_getfd", 5, 3, 0, result=9, parts={Part.LINK: b"/theirs"})

    opened = decoding.one(Opened)

    assert (opened.op, opened.file.path, opened.fd) == ("pidfd_getfd", "/theirs", 9)


def test_an_fd_found_in_use_was_not_opened_before_our_eyes(tracee, decoding):
    tracee.found(9, "/inherited")
    tracee.close(9, 1, 1, 1)

    (closed,) = decoding.go()

    assert isinstance(closed, Closed)
    assert not closed.usage.opened


def test_an_fd_found_again_is_still_the_open_file_it_was(tracee, decoding):
    tracee.open("/a", 3)
    opened = decoding.one(Opened)
    tracee.found(3, "/renamed", ino=tracee.inode)
    tracee.close(3)

    assert decoding.one(Closed).file is opened.file


def test_an_fd_found_to_be_another_file_was_closed_unseen(tracee, decoding):
    tracee.open("/a", 3)
    tracee.found(3, "/b", ino=99)
    tracee.close(3, 1, 1, 1)

    assert [(c.op, c.file.path) for c in decoding.only(Closed)] == [
        ("unseen", "/a"),
        ("close", "/b"),
    ]


def test_an_open_over_an_open_number_closed_it_unseen(tracee, decoding):
    tracee.open("/a", 3)
    tracee.open("/b", 3)

    assert [(c.op, c.file.path) for c in decoding.only(Closed)] == [("unseen", "/a")]


def test_stdout_and_stderr_are_what_the_session_started_with(tracee, decoding):
    tracee.call("dup2", 1, 5, result=5)
    tracee.open("/log", 3)
    tracee.call("dup2", 3, 1, result=1)
    for fd in (1, 2, 5):
        tracee.write(fd, b"x")

    consoles = [written.file.console for written in decoding.only(Written)]

    assert consoles == ["", "stderr", "stdout"]


def test_a_pipe_end_is_identified_when_it_is_found_in_use(tracee, decoding):
    tracee.call("pipe", result=0, parts={Part.PAIR: struct.pack("=ii", 3, 4)})
    tracee.found(4, "pipe:[12]", PIPE)
    tracee.write(4, b"x")

    assert decoding.one(Written).file.path == "pipe:[12]"


def test_a_thread_with_its_own_table_closes_its_own(tracee, decoding):
    tracee.open("/a", 3)
    tracee.fork(101, group=100, flags=0x50F00)
    tracee.call("unshare", 0x400, result=0, tid=101)
    tracee.close(3, tid=101)
    tracee.write(3, b"x")
    tracee.close(3)

    kinds = [type(operation) for operation in decoding.go()]

    assert kinds == [Opened, Written, Closed]


def test_an_unknown_kind_of_record_means_nothing(tracee, decoding):
    tracee.add(RawKind.TALLY, args=(77,), parts={Part.TALLY: pack_tally(1)})
    tracee.add(99)

    assert decoding.go() == []


def test_ten_thousand_files_open_at_once_are_closed_one_by_one(tracee, decoding):
    for fd in range(3, 10_003):
        tracee.open(f"/f{fd}", fd, mode=REGULAR)
    tracee.fork(200)
    for fd in range(3, 10_003):
        tracee.close(fd)
    tracee.exit(pid=200)

    assert len(decoding.only(Closed)) == 10_000
