"""What tests start ends with their run, whatever ends that (`support.leftovers`)."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from support.harness import PATIENCE
from support.leftovers import watch


def test_a_program_and_its_children_end_with_the_run_that_started_them(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    environ = os.environ | {"TESTS_OF_THIS": str(folder)}
    loop = ["sh", "-c", "sh -c 'while :; do sleep 1; done' & echo started; wait"]
    program = subprocess.Popen(loop, env=environ, stdout=subprocess.PIPE)
    other = subprocess.Popen(["sleep", "100"], env=os.environ | {"TESTS_OF_THIS": "/elsewhere"})
    run = watch("TESTS_OF_THIS", str(folder))

    assert program.stdout and program.stdout.readline() == b"started\n"
    assert program.poll() is None
    run.communicate(timeout=PATIENCE)

    assert program.stdout.read() == b"", "its child has the other end of the pipe"
    assert program.wait(PATIENCE) == -signal.SIGKILL
    assert not folder.exists()
    assert other.poll() is None
    other.kill()
    other.wait()
    program.stdout.close()
