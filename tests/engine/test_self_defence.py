"""A program cannot trace its recorder: each of the two would wait for the other for ever."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable

import pytest

from support.harness import Stage, scopetrace_command
from support.interpreter import python

ATTACKS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)

def number(pid, key):
    return int(next(x for x in open(f"/proc/{pid}/status") if x.startswith(key)).split()[1])

def attack(request, tid):
    ctypes.set_errno(0)
    libc.ptrace(request, tid, None, None)
    return ctypes.get_errno()

tracer = number("self", "TracerPid:")
recorder = number(tracer, "Tgid:")
threads = [int(name) for name in os.listdir(f"/proc/{recorder}/task")]
assert {tracer, recorder} <= set(threads)
print({attack(request, tid) for request in (16, 0x4206) for tid in threads})
try:
    os.close(os.open(f"/proc/{recorder}/mem", os.O_RDWR))
    print("readable")
except PermissionError:
    print("private")
"""
"""Attaches to and seizes each thread of the recorder, and opens its memory."""


DEBUGS = """
number() { sed -n "s/^$2\t//p" /proc/$1/status; } # in one read: the file changes meanwhile
tracer=$(number self TracerPid:)
for pid in $tracer $(number $tracer Tgid:); do
    timeout 20 "$@" $pid
    echo "ended with $?"
done
"""
"""Has a debugger attach to the thread that traces it, and to the process of that thread."""


def test_a_program_cannot_trace_its_recorder(stage: Stage) -> None:
    recording = stage.record([python(), "-S", "-c", ATTACKS])

    refused, memory = recording.ending.stdout.decode().splitlines()
    assert refused == str({errno.EPERM})
    assert memory == "private" or stage.uid is None
    assert recording.of("notice")


def test_a_program_cannot_trace_its_recorder_after_scopetrace_stop(stage: Stage) -> None:
    stop = shlex.join(scopetrace_command("stop", "1"))
    attack = shlex.join([python(), "-S", "-c", ATTACKS])

    ending = stage.run(scopetrace_command("run", "sh", "-c", f"{stop}; {attack}"))

    assert ending.stdout.decode().splitlines()[1] == str({errno.EPERM}), ending


@pytest.mark.parametrize("debugger", ["strace -p", "gdb -nx -batch -p"])
def test_a_debugger_gets_an_error_and_no_deadlock(
    debugger: str, stage: Stage, needs: Callable[[str], str]
) -> None:
    needs(debugger.split()[0])

    recording = stage.record(["bash", "-c", DEBUGS, "bash", *debugger.split()])

    said = recording.ending.stdout + recording.ending.stderr
    assert said.count(b"peration not permitted") >= 2, recording.ending
    assert b"ended with 124" not in said
