from __future__ import annotations

from pathlib import Path

from support.raw_builder import PIPE, Tracee
from support.recording import Recording


def test_the_console_is_followed_through_dup_fork_and_exec(tracee, recording):
    tracee.call("dup", 1, result=9)
    tracee.fork(200)
    tracee.call("dup2", 9, 2, result=2, pid=200)
    tracee.exec("/bin/next", pid=200, fds=[0, 1, 2, 9])
    tracee.found(2, "/dev/pts/0", 0o020620, pid=200)
    tracee.write(2, b"to stdout", pid=200)
    tracee.exit(pid=200)

    (event,) = recording.of("console")

    assert event.source == "stdout"
    assert recording.writer.processes[event.process].proc == "next"


def test_a_redirected_stdout_is_still_the_console(tmp_path: Path):
    tracee = Tracee()
    tracee.inherit(1, "/home/me/out.log", 0o100644)
    tracee.inherit(2, "pipe:[7]", PIPE)
    tracee.exec("/bin/prog")
    tracee.write(1, b"out")
    tracee.write(2, b"err")
    tracee.exit()

    events = Recording(tracee, tmp_path).of("console", "file")

    assert [(event.source, event.data["message"]) for event in events] == [
        ("stdout", "out"),
        ("stderr", "err"),
    ]


def test_a_file_opened_as_fd_1_is_not_the_console(tracee, recording):
    tracee.close(1)
    tracee.open("/tmp/x", 1)
    tracee.write(1, b"x", fd_serial=5)
    recording.finish()

    assert recording.muted == [5]


def test_a_stream_that_the_rules_leave_out_is_muted(tracee, record):
    recording = record("event:\n  watch:\n    - {type: console, name: stderr}\n")
    tracee.write(1, b"out", fd_serial=11)
    tracee.write(2, b"err", fd_serial=12)

    assert [event.source for event in recording.finish()] == ["stderr"]
    assert recording.muted == [11]


def test_writing_to_stdin_is_not_console_unless_it_is_the_same_terminal(tracee, recording):
    tracee.write(0, b"shown")
    tracee.call("dup2", 7, 0, result=0)
    tracee.found(0, "/dev/pts/7", 0o020620, ino=7)
    tracee.write(0, b"x", fd_serial=5)

    assert [event.data["message"] for event in recording.finish()] == ["shown"]
    assert recording.muted == [5]


def test_a_console_that_is_opened_by_its_name_is_not_muted(tracee, record):
    recording = record("event:\n  watch:\n    - {type: console, name: stdout}\n")
    tracee.found(7, "/dev/pts/0", 0o020620)
    tracee.write(7, b"shown", fd_serial=5)

    assert [event.source for event in recording.finish()] == ["stdout"]
    assert recording.muted == []
