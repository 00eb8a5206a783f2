from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

TRACED = """
import ctypes
PTRACE_TRACEME = 0
print(ctypes.CDLL(None).ptrace(PTRACE_TRACEME, 0, 0, 0), flush=True)
input()
"""


@pytest.fixture
def traced():
    """The number of a process that this one traces."""
    command = (sys.executable, "-c", TRACED)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"0\n"
        yield child.pid
        child.communicate(b"\n")


def test_ps_shows_what_a_session_traces_now(traced, recorder, scopetrace):
    """This process poses as the recorder, which the kernel confirms: it is the tracer."""
    recorder.start("finished before")
    writer = recorder.start()
    writer.add_process(recorder.process(2, traced, "sh"))
    writer.add_process(recorder.process(3, traced, "python3", cmd="python3 -c \x1b[2J"))
    writer.commit()

    number = str(traced)
    table = scopetrace("ps")[1]
    assert [line.split() for line in table.splitlines()] == [
        ["ID", "PID", "USER", "COMMAND"],
        ["2", number, "ann", "python3", "-c", "\\x1b[2J"],
    ]
    assert json.loads(scopetrace("ps", "-j")[1]) == {
        "id": 2,
        "pid": traced,
        "username": "ann",
        "cmd": "python3 -c \x1b[2J",
    }


def test_ps_shows_no_process_that_nobody_traces(recorder, scopetrace):
    """The file tells of this very process and of a number that is free; no tracer has them."""
    writer = recorder.start()
    writer.add_process(recorder.process(2, os.getpid(), "pytest"))
    writer.commit()

    assert scopetrace("ps") == (0, "ID  PID  USER  COMMAND\n", "")
    assert scopetrace("ps", "-j") == (0, "", "")
