from __future__ import annotations

import getpass
import json
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
    command = (sys.executable, "-c", TRACED, "\x1b[2J")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"0\n"
        yield child.pid
        child.communicate(b"\n")


def test_ps_shows_what_a_session_traces_now(traced, recorder, scopetrace):
    """This process poses as the recorder, which the kernel confirms: it is the tracer."""
    recorder.record()
    recorder.start()

    heading, row = scopetrace("ps")[1].splitlines()
    assert heading.split() == ["ID", "PID", "USER", "COMMAND"]
    assert row.split()[:4] == ["2", str(traced), getpass.getuser(), sys.executable]
    assert row.endswith(" \\x1b[2J")

    body = json.loads(scopetrace("ps", "-j")[1])
    assert list(body) == ["id", "pid", "username", "cmd"]
    assert body["cmd"].startswith(f"{sys.executable} -c \nimport ctypes")


def test_ps_shows_no_process_that_nobody_traces(recorder, scopetrace):
    recorder.start()

    assert scopetrace("ps") == (0, "ID  PID  USER  COMMAND\n", "")
    assert scopetrace("ps", "-j") == (0, "", "")


def test_ps_shows_no_process_that_others_trace(traced, recorder, scopetrace):
    recorder.record()
    recorder.start(recorder_pid=2**22 + 1)

    assert scopetrace("ps") == (0, "ID  PID  USER  COMMAND\n", "")
