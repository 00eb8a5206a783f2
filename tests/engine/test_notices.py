"""Nothing is silent: what tracing changes or cannot see is said in the session."""

from __future__ import annotations

import os
import shutil
import stat

import pytest
from harness import Compile, Recording, Stage


def notices(recording: Recording) -> str:
    return "\n".join(str(event.data) for event in recording.of("notice"))


def test_strict_mode_that_was_refused_is_noticed(stage: Stage, tracee: Compile) -> None:
    recording = stage.record([tracee("strict")])

    assert b"ended with 22" in recording.ending.stdout
    assert "strict" in notices(recording)


def test_operations_through_io_uring_are_said_to_be_unseen(stage: Stage, tracee: Compile) -> None:
    recording = stage.compare([tracee("uring")])

    assert ("io_uring" in notices(recording)) == (b"works" in recording.ending.stdout)


def test_a_program_that_traces_is_told_no_and_the_session_says_so(
    stage: Stage, tracee: Compile
) -> None:
    recording = stage.record([tracee("debugger")])

    assert recording.ending.stdout == b"tracing is refused\n"
    assert "ptrace" in notices(recording).lower() or "trace" in notices(recording)


def test_an_own_filter_is_noticed(stage: Stage, tracee: Compile) -> None:
    recording = stage.record([tracee("own_filter")])

    assert "filter" in notices(recording)


def test_an_ordinary_program_has_no_notices(stage: Stage) -> None:
    assert notices(stage.record(["/bin/ls", "/"])) == ""


def test_a_set_uid_program_without_its_privilege_is_noticed(stage: Stage, tracee: Compile) -> None:
    if stage.uid is None:
        pytest.skip("only root can make a set-uid program") if os.geteuid() else None
        return
    program = stage.folder / "set-uid"
    shutil.copy(tracee("plain"), program)
    program.chmod(0o755 | stat.S_ISUID)
    recording = stage.record([program])

    assert "set-uid" in notices(recording)
