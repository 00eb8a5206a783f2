"""Notices: what tracing changes, and what it cannot see."""

from __future__ import annotations

import os
import shutil
import stat
from resource import RLIMIT_NOFILE, setrlimit

import pytest

from support.harness import Compile, Recording, Stage
from support.users import one_user


def notices(recording: Recording) -> str:
    return "\n".join(str(event.data) for event in recording.of("notice"))


def test_strict_mode_that_was_refused_is_noticed(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.record([compile_tracee("strict")])

    assert b"ended with 22" in recording.ending.stdout
    assert "strict" in notices(recording)


def test_io_uring_with_a_kernel_thread_is_noticed(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.compare([compile_tracee("uring")])

    assert ("SQPOLL" in notices(recording)) == (b"works" in recording.ending.stdout)


UNSEEN = {
    "table": "its files have no descriptors",
    "closed": "its files have no descriptors",
    "buffer": "the kernel chooses which buffers",
    "unknown": "it has operations that are not known",
    "without-result": "its operations leave no result",
}


@pytest.mark.parametrize("how", UNSEEN)
def test_what_cannot_be_seen_of_io_uring_is_noticed_once_with_its_reason(
    stage: Stage, compile_tracee: Compile, how: str
) -> None:
    recording = stage.compare([compile_tracee("uring_files"), how])

    (event,) = recording.of("notice")
    assert event.data["reason"] == "io_uring"
    assert UNSEEN[how] in event.data["message"]
    assert not [close for close in recording.of("fs.close") if close.data["file_write_bytes"]]


def test_a_child_that_uses_its_parents_io_uring_is_noticed_once(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare([compile_tracee("uring_files"), "forked"])

    _idle, user = [event.data["child_pid"] for event in recording.of("proc.fork")]
    (event,) = recording.of("notice")
    assert (event.data["reason"], event.pid) == ("io_uring", user)
    assert "its rings are not where they can be read" in event.data["message"]


def test_tracing_by_the_program_is_refused_and_noticed(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("debugger")])

    assert recording.ending.stdout == b"tracing is refused\n"
    assert "ptrace" in notices(recording).lower() or "trace" in notices(recording)


def test_an_own_filter_is_noticed(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.record([compile_tracee("own_filter")])

    assert "filter" in notices(recording)


def test_an_ordinary_program_has_no_notices(stage: Stage) -> None:
    assert notices(stage.record(["/bin/ls", "/"])) == ""


def test_a_set_uid_program_without_its_privilege_is_noticed(
    stage: Stage, compile_tracee: Compile
) -> None:
    if stage.uid is None:
        pytest.skip("only root can make a set-uid program") if os.geteuid() else None
        return
    program = stage.folder / "set-uid"
    shutil.copy(compile_tracee("plain"), program)
    program.chmod(0o755 | stat.S_ISUID)
    recording = stage.record([program])

    assert "set-uid" in notices(recording)


def test_text_in_unreadable_memory_is_not_reported_as_too_long(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("hidden_child")])

    unreadable = [e.data for e in recording.of("notice") if e.data["reason"] == "unreadable"]
    if os.geteuid() == 0 and stage.uid is None:  # root can read any memory
        assert recording.messages("stdout").startswith("one two\n")
        assert unreadable == []
    else:
        (wrote, in_all) = unreadable
        assert wrote["count"] == 8
        assert ") wrote to stdout: " in wrote["message"]
        assert "PR_SET_DUMPABLE" in wrote["message"]
        assert "PR_SET_DUMPABLE" in in_all["message"]
    assert "snaplen" not in notices(recording)


@one_user("every user may have few file descriptors")
@pytest.mark.parametrize("spare", [20, 40, 100])
def test_a_recorder_with_few_fds_loses_neither_program_nor_text(
    spare: int, stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare(
        [compile_tracee("crowd"), "120"],
        preexec_fn=lambda: setrlimit(RLIMIT_NOFILE, (spare, spare)),
    )

    assert len(recording.of("proc.exit")) == 121
    assert recording.messages("stdout").count("here\n") == 120
    assert notices(recording) == ""
