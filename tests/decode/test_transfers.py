from __future__ import annotations

import errno
import struct

import pytest

from scopetrace.model.operation import Closed, Failed, Noticed, Written
from scopetrace.model.raw import PART_UNREADABLE, RESULT_UNKNOWN, Part


def test_bytes_written_come_with_their_open_file_and_stream(tracee, decoding):
    tracee.open("/a", 3)
    tracee.write(3, b"hello", fd_serial=77)

    written = decoding.one(Written)

    assert (written.file.path, written.data, written.transferred, written.fd_serial) == (
        "/a",
        b"hello",
        5,
        77,
    )


def test_only_bytes_that_went_out_were_written(tracee, decoding):
    tracee.open("/a", 3)
    tracee.write(3, b"hello", transferred=2)

    assert decoding.one(Written).data == b"he"


def test_a_copy_that_was_cut_says_how_much_there_was(tracee, decoding):
    tracee.open("/a", 3)
    tracee.write(3, b"hello", transferred=500)

    written = decoding.one(Written)

    assert (written.data, written.transferred) == (b"hello", 500)


def test_a_copy_that_failed_says_so(tracee, decoding):
    tracee.open("/a", 3)
    parts = [(Part.DATA, b"", PART_UNREADABLE)]
    tracee.call("write", 3, 0, 5, result=5, transferred=5, parts=parts)

    written = decoding.one(Written)

    assert (written.data, written.transferred, written.unreadable) == (b"", 5, True)


def test_a_write_that_is_only_counted_has_no_bytes_to_emit(tracee, decoding):
    tracee.open("/a", 3)
    tracee.call("write", 3, result=5, transferred=5)
    tracee.write(3, b"")
    tracee.write(55, b"nobody knows this fd")

    assert decoding.only(Written) == []


def test_a_write_of_unknown_result_makes_a_notice_alone(tracee, decoding):
    tracee.open("/a", 3)
    tracee.call("write", 3, result=RESULT_UNKNOWN, parts={Part.DATA: b"x"})

    _opened, noticed = decoding.go()

    assert isinstance(noticed, Noticed)
    assert noticed.message.endswith(
        "prog (100) ended while it wrote 1 bytes to /a: whether they were written is not known"
    )


def test_only_tallies_count_what_a_file_transferred(tracee, decoding):
    tracee.open("/a", 3)
    tracee.write(3, b"counted in the tally")
    tracee.close(3, 0, 0, 0, 1, 20, 5)

    assert decoding.one(Closed).usage.write_bytes == 20


def test_a_failed_read_is_emitted_with_its_file(tracee, decoding):
    tracee.open("/a", 3)
    tracee.fail("read", 3, error=errno.EISDIR)

    failed = decoding.one(Failed)

    assert (failed.op, failed.kind, failed.file, failed.errno) == (
        "read",
        "read_write",
        "/a",
        errno.EISDIR,
    )


def test_the_file_that_sendfile_could_not_read_is_its_second_argument(tracee, decoding):
    tracee.open("/from", 3)
    tracee.open("/to", 4)
    tracee.fail("sendfile", 4, 3, error=errno.EINVAL)
    tracee.fail("copy_file_range", 3, 0, 4, error=errno.EXDEV)

    assert [failed.file for failed in decoding.only(Failed)] == ["/from", "/from"]


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.EINTR, 512, 516, 4096])
def test_to_be_asked_again_is_no_failure(tracee, decoding, error):
    tracee.open("/a", 3)
    tracee.fail("write", 3, error=error)

    assert decoding.only(Failed) == []


def test_failures_on_a_socket_are_not_about_files(tracee, decoding):
    tracee.found(3, "socket:[9]", 0o140777)
    tracee.fail("write", 3, error=errno.EPIPE)

    assert decoding.go() == []


def test_a_pipe_without_a_reader_is_a_failure_and_one_that_is_asked_what_it_is_none(
    tracee, decoding
):
    tracee.found(3, "pipe:[9]", 0o10600)
    tracee.fail("fsync", 3, error=errno.EINVAL)
    tracee.fail("write", 3, error=errno.EPIPE)

    failed = decoding.one(Failed)
    assert (failed.file, failed.errno) == ("pipe:[9]", errno.EPIPE)


def test_a_new_pipe_without_a_reader_is_called_what_the_record_of_the_failure_says(
    tracee, decoding
):
    tracee.call("pipe2", 0, 0, parts={Part.PAIR: struct.pack("ii", 3, 4)})
    tracee.fail("write", 4, error=errno.EPIPE, parts={Part.LINK: b"pipe:[9]"})

    assert decoding.one(Failed).file == "pipe:[9]"


def test_failures_on_a_number_that_is_not_open_name_no_file(tracee, decoding):
    tracee.fail("read", -1, error=errno.EBADF)

    assert decoding.one(Failed).file == ""


def test_a_mapped_file_says_so_when_it_is_closed(tracee, decoding):
    tracee.open("/lib", 3)
    tracee.open("/other", 4)
    tracee.call("mmap", 0, 4096, 1, 2, 3, result=RESULT_UNKNOWN)
    tracee.close(3)
    tracee.close(4)

    assert [closed.usage.mapped for closed in decoding.only(Closed)] == [True, False]


def test_a_child_reports_its_own_bytes_of_a_shared_file(tracee, decoding):
    tracee.open("/log", 3)
    tracee.fork(200)
    tracee.close(3, 0, 0, 0, 2, 200, 9, pid=200)
    tracee.close(3, 0, 0, 0, 1, 10, 9)

    child, parent = decoding.only(Closed)

    assert (child.image.pid, child.usage.write_bytes, child.usage.opened) == (200, 200, False)
    assert (parent.image.pid, parent.usage.write_bytes, parent.usage.opened) == (100, 10, True)
    assert child.file is parent.file


def test_a_write_by_io_submit_is_emitted_like_any_write(tracee, decoding):
    tracee.open("/log", 3)
    tracee.call("io_submit__write", 3, 0, 5, result=5, transferred=5, parts={Part.DATA: b"text\n"})

    written = decoding.one(Written)

    assert (written.file.path, written.data, written.transferred) == ("/log", b"text\n", 5)


@pytest.mark.parametrize("row", ["io_submit__write", "io_submit__readv", "io_submit__sync"])
def test_what_was_asked_for_in_advance_may_fail(row, tracee, decoding):
    tracee.open("/log", 3)
    tracee.fail(row, 3, error=errno.ENOSPC)

    failed = decoding.one(Failed)

    assert (failed.op, failed.kind, failed.file) == ("io_submit", "read_write", "/log")


def test_what_reached_a_file_that_was_closed_by_then_is_noticed(tracee, decoding):
    tracee.call("io_submit__write", -1, 0, 5, result=5, transferred=5, parts={Part.DATA: b"text\n"})

    noticed = decoding.one(Noticed)

    assert "wrote 5 bytes to what another thread had closed by then" in noticed.message
    assert (noticed.reason, noticed.times) == ("unseen", 5)


def test_io_submit_itself_transfers_no_bytes(tracee, decoding):
    tracee.call("io_submit", 5, 1, result=1)

    assert decoding.go() == []
