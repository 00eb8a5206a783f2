from __future__ import annotations

import subprocess
import sys

import pytest

SHELL = "read before; echo $before; read after; echo $after"


DEAF = (
    "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals());"
    " os.execv(sys.argv[1], sys.argv[1:])"
)
"""Runs a command that blocks all signals, as it would if a careless daemon started it."""


@pytest.fixture(params=[(), (sys.executable, "-c", DEAF)], ids=["started", "started deaf"])
def traced(request):
    """A shell that is being recorded and has written a line already."""
    command = (*request.param, sys.executable, "-m", "scopetrace", "sh", "-c", SHELL)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        shell.stdin.write(b"before\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == b"before\n"
        yield shell
        shell.kill()


def test_recording_ends_and_the_program_goes_on(traced, scopetrace):
    assert scopetrace("ps")[1].splitlines()[1].split()[:2] == ["1", str(traced.pid)]

    assert scopetrace("stop") == (
        0,
        "recording of session 1 has ended; sh runs on, unrecorded\n",
        "",
    )

    assert scopetrace("ps")[1].count("\n") == 1
    assert scopetrace("history")[1].endswith("  stopped\n")
    assert traced.communicate(b"after\n", timeout=30)[0] == b"after\n"
    assert traced.returncode == 0
    assert "before" in scopetrace("events", "-t", "console")[1]
    assert "after" not in scopetrace("events", "-t", "console")[1]


def test_threads_and_children_that_are_made_as_the_recording_ends_go_on_as_natively(
    scopetrace, monkeypatch, compile_tracee
):
    monkeypatch.setenv("SCOPE_GATE", "eager")
    command = (sys.executable, "-m", "scopetrace", compile_tracee("after_end", "-pthread"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout.readline() == b"begun\n"
        assert scopetrace("stop")[0] == 0

        assert program.communicate(b"after\n", timeout=60)[0] == b"all right\n"


def test_the_program_ends_too_if_it_is_to_be_killed(traced, scopetrace):
    status, out, err = scopetrace("stop", "1", "--kill")

    assert (status, out, err) == (0, "recording of session 1 has ended, and sh with it\n", "")
    assert traced.wait(timeout=30) == -9


def test_with_nothing_to_stop_it_says_so(recorder, scopetrace):
    recorder.record()

    assert scopetrace("stop") == (1, "", "scopetrace: no session is being recorded\n")


def test_with_several_it_names_them(recorder, scopetrace):
    recorder.start("nginx")
    recorder.start("make")

    assert scopetrace("stop") == (
        2,
        "",
        "scopetrace: several sessions are being recorded: 1 (nginx), 2 (make); say which\n",
    )


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("1", "session 1 is not being recorded: it is finished"),
        ("2", "session 2 is not being recorded: it is interrupted"),
        ("7", "there is no session 7"),
    ],
)
def test_only_what_runs_can_be_stopped(number, sentence, recorder, scopetrace):
    recorder.record()
    recorder.start(recorder_pid=2**22 + 1)

    assert scopetrace("stop", number) == (1, "", f"scopetrace: {sentence}\n")
