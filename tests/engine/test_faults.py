"""Faults of process 1 of a PID namespace, which the kernel ignores while it is traced."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter

import pytest

from support.harness import (
    PATIENCE,
    Compile,
    Stage,
    assert_holds,
    only,
    read_info,
    scopetrace_command,
    session_files,
    wait_for,
)

NOT_ALLOWED = 98


@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["native", "32-bit"])
def test_a_fault_ends_a_process_1_as_it_would_untraced(
    flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare([compile_tracee("init_faults", *flags)])
    if recording.ending.status == NOT_ALLOWED:
        pytest.skip("user namespaces are not allowed here")

    assert_holds(recording, recording.expected(), folder=stage.work, ordered=False)
    killers = {e.pid: e.data["signal"] for e in recording.of("proc.exit") if "signal" in e.data}
    assert len(killers) > 20
    signals = Counter((e.pid, e.data["signal"]) for e in recording.of("proc.signal"))
    assert {signals[fault] for fault in killers.items()} == {1}


def test_a_fault_ends_a_process_1_after_recording_has_ended(
    stage: Stage, compile_tracee: Compile
) -> None:
    user = stage.become()
    program = subprocess.Popen(
        scopetrace_command("run", compile_tracee("init_faults"), "when-asked"),
        cwd=stage.work,
        env=stage.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **user,
    )
    with program:
        try:
            assert program.stdin and program.stdout
            if not program.stdout.readline():
                assert program.wait(PATIENCE) == NOT_ALLOWED
                pytest.skip("user namespaces are not allowed here")
            path = wait_for(lambda: only(session_files(stage.home)), "the session")
            os.kill(read_info(path).recorder_pid, signal.SIGUSR1)
            wait_for(lambda: read_info(path).status == "stopped", "the session to be stopped")
            program.stdin.write(b"x")
            program.stdin.flush()

            assert program.wait(PATIENCE) == signal.SIGSEGV
        finally:
            program.kill()
