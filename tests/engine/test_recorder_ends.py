"""What is left when the recorder or the program is ended from outside."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from harness import (
    Stage,
    only,
    read_events,
    read_info,
    scopetrace_command,
    wait_for,
)

BUSY = "i=0; while :; do i=$((i+1)); echo line $i >> busy.log; cat busy.log > /dev/null; done"


def started(stage: Stage, *argv: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a recorded program that goes on until it is ended; return it and its session."""
    home = stage.new_home()
    user = {} if stage.uid is None else {"user": stage.uid, "group": stage.uid, "extra_groups": []}
    program = subprocess.Popen(
        scopetrace_command("run", *argv), cwd=stage.work, env=stage.environment(), **user
    )
    path = wait_for(lambda: only(home.glob("sessions/*.db")), "the session")
    wait_for(lambda: any(e.sourcetype == "file" for e in read_events(path)), "a log line")
    return program, path


@pytest.mark.parametrize("attempt", range(3))
def test_a_killed_recorder_leaves_a_sound_file_and_no_running_program(
    attempt: int, stage: Stage
) -> None:
    program, path = started(stage, "/bin/sh", "-c", BUSY)
    os.kill(read_info(path).recorder_pid, signal.SIGKILL)

    assert program.wait(30) == -signal.SIGKILL
    assert read_info(path).status == "interrupted"
    with sqlite3.connect(path) as file:
        assert file.execute("pragma integrity_check").fetchone() == ("ok",)
    file.close()
    assert len(read_events(path)) > 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_recorder_that_is_told_to_end_finishes_its_session(number: int, stage: Stage) -> None:
    program, path = started(stage, "/bin/sh", "-c", BUSY)
    os.kill(read_info(path).recorder_pid, number)

    wait_for(lambda: read_info(path).status == "stopped", "the session to be stopped")
    program.kill()
    program.wait(30)


def test_a_killed_program_has_its_end_in_the_session(stage: Stage) -> None:
    program, path = started(stage, "/bin/sh", "-c", BUSY)
    program.kill()

    assert program.wait(30) == -signal.SIGKILL
    wait_for(lambda: read_info(path).status == "finished", "the recorder to finish")
    assert read_info(path).signal == signal.SIGKILL
