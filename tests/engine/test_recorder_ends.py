"""What is left when the recorder or the program is ended from outside."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import (
    PATIENCE,
    Stage,
    only,
    read_events,
    read_info,
    scopetrace_command,
    session_files,
    wait_for,
)

BUSY = "i=0; while :; do i=$((i+1)); echo line $i >> busy.log; cat busy.log > /dev/null; done"


@contextmanager
def started(stage: Stage, *argv: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start a recorded program that goes on until it is ended; yield it and its session."""
    home = stage.new_home()
    user = {} if stage.uid is None else {"user": stage.uid, "group": stage.uid, "extra_groups": []}
    program = subprocess.Popen(
        scopetrace_command("run", *argv), cwd=stage.work, env=stage.environment(), **user
    )
    try:
        path = wait_for(lambda: only(session_files(home)), "the session")
        wait_for(lambda: any(e.sourcetype == "file" for e in read_events(path)), "a log line")
        yield program, path
    finally:
        program.kill()
        program.wait(PATIENCE)


@pytest.mark.parametrize("attempt", range(3))
def test_a_killed_recorder_leaves_a_sound_file_and_no_running_program(
    attempt: int, stage: Stage
) -> None:
    with started(stage, "/bin/sh", "-c", BUSY) as (program, path):
        os.kill(read_info(path).recorder_pid, signal.SIGKILL)

        assert program.wait(PATIENCE) == -signal.SIGKILL
    wait_for(lambda: read_info(path).status == "interrupted", "the recorder to be gone")
    with sqlite3.connect(path) as file:
        assert file.execute("pragma integrity_check").fetchone() == ("ok",)
    file.close()
    assert len(read_events(path)) > 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_recorder_that_is_told_to_end_finishes_its_session(number: int, stage: Stage) -> None:
    with started(stage, "/bin/sh", "-c", BUSY) as (_program, path):
        os.kill(read_info(path).recorder_pid, number)

        wait_for(lambda: read_info(path).status == "stopped", "the session to be stopped")


def test_a_killed_program_has_its_end_in_the_session(stage: Stage) -> None:
    with started(stage, "/bin/sh", "-c", BUSY) as (program, path):
        program.kill()

        assert program.wait(PATIENCE) == -signal.SIGKILL
        wait_for(lambda: read_info(path).status == "finished", "the recorder to finish")
    assert read_info(path).signal == signal.SIGKILL
