"""A shell with job control on a terminal: Ctrl-C, Ctrl-Z and fg reach whom they should."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from support.harness import Ending, Recording, Stage
from support.interpreter import python
from support.terminal import PROMPT, SHELL, ended, on_a_terminal

JOB = """
import os, signal, sys, time

def answer(number, frame):
    os.write(1, b"caught %s\\n" % signal.Signals(number).name.encode())
    if number == signal.SIGINT:
        sys.exit(5)

signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(getattr(signal, sys.argv[1]), answer)
os.write(1, b"going\\n")
while True:
    time.sleep(0.05)
"""
"""A job of one process: a shell's child could be stopped between vfork and exec, and block it.

It sleeps for short times: a signal that comes just before pause() would leave it waiting for ever.
"""


def talk(child: Any) -> list[str]:
    """Stop, continue and interrupt jobs; return what the shell said on the way."""
    said = []

    def command(text: str) -> None:
        child.sendline(text)
        child.expect_exact(PROMPT)
        said.append(child.before.replace("\r", ""))

    child.expect_exact(PROMPT)
    command("echo one | tr a-z A-Z | cat > piped.txt; cat piped.txt")
    child.sendline(f"{python()} ../job.py SIGCONT")
    child.expect_exact("going")
    child.sendcontrol("z")
    child.expect_exact(PROMPT)
    assert "Stopped" in child.before
    command("jobs -l | wc -l")
    child.sendline("fg")
    child.expect_exact("caught SIGCONT")
    child.sendcontrol("c")
    child.expect_exact(PROMPT)
    command("echo status $?")
    child.sendline(f"{python()} ../job.py SIGINT")
    child.expect_exact("going")
    child.sendcontrol("c")
    child.expect_exact("caught SIGINT")
    child.expect_exact(PROMPT)
    command("echo status $?")
    command("sleep 0.2 & wait; echo waited $?")
    command("stty -a | head -n 1")
    child.sendline("exit 9")
    return said


def test_a_shell_controls_its_jobs_as_without_us(stage: Stage) -> None:
    (stage.folder / "job.py").write_text(JOB)
    with on_a_terminal(stage, SHELL, recorded=False) as child:
        native = talk(child), ended(child)
    stage.prepare()
    home = stage.new_home()
    with on_a_terminal(stage, SHELL, recorded=True) as child:
        traced = talk(child), ended(child)
    recording = stage.finished(home, traced[1])

    assert without_numbers(traced[0]) == without_numbers(native[0])
    assert traced[1] == native[1] == Ending(b"", b"", 9)
    assert str(stage.work / "piped.txt") in recording.files()
    signals = {event.data.get("signal") for event in recording.of("proc.exit")}
    assert "SIGINT" in signals


def without_numbers(said: list[str]) -> list[str]:
    """Take process ids, which have three to seven digits, out of what a shell says of its jobs."""
    return [re.sub(r"\d+", "N", text) for text in said if "[" in text] + [
        text for text in said if "[" not in text
    ]


@pytest.mark.parametrize(("key", "status"), [("c", -2), ("\\", -3)])
def test_a_key_that_ends_the_program_ends_it_by_its_signal(
    key: str, status: int, stage: Stage
) -> None:
    home = stage.new_home()
    with on_a_terminal(stage, ["/bin/sh", "-c", "echo ready; exec sleep 1000"], True) as child:
        child.expect_exact("ready")
        child.sendcontrol(key)
        ending = ended(child)
    assert ending.status == status
    recording: Recording = stage.finished(home, ending)
    assert recording.info.signal == -status


def test_a_program_sees_a_terminal_and_its_size(stage: Stage) -> None:
    script = "import os; print(os.isatty(0), os.isatty(1), os.get_terminal_size(), os.ttyname(2))"
    home = stage.new_home()
    argv = [python(), "-c", script]
    with on_a_terminal(stage, argv, True) as child:
        child.expect_exact("True True os.terminal_size(columns=80, lines=24) /dev/pts/")
        ending = ended(child)
    assert stage.finished(home, ending).info.exit_code == 0


def test_a_hangup_reaches_the_program(stage: Stage) -> None:
    home = stage.new_home()
    script = "trap 'echo hung up > hup.txt; exit 1' HUP; echo ready; while :; do sleep 0.1; done"
    with on_a_terminal(stage, ["/bin/sh", "-c", script], True) as child:
        child.expect_exact("ready")
        child.ptyproc.fileobj.close()
        child.wait()
    recording = stage.finished(home, Ending(b"", b"", 1))
    assert (stage.work / "hup.txt").read_text() == "hung up\n"
    assert str(stage.work / "hup.txt") in recording.files()


SHOWS = """
echo plain; echo tty >/dev/tty; echo out >/dev/stdout; echo err >/dev/stderr; echo name >$(tty)
echo in >&0; setsid sh -c 'echo lost >/dev/tty' 2>/dev/null
script -qc 'echo inner >/dev/tty' /dev/null >/dev/null; echo last >/dev/tty
"""


def test_a_terminal_is_the_console_by_all_its_names(
    stage: Stage, needs: Callable[[str], str]
) -> None:
    needs("script")
    home = stage.new_home()
    with on_a_terminal(stage, ["/bin/sh", "-c", SHOWS], recorded=True) as child:
        ending = ended(child)

    recording = stage.finished(home, ending)
    assert recording.messages("stderr") == "err\n"
    assert recording.messages("stdout") == "plain\ntty\nout\nname\nin\nlast\n"


SESSION = """
import os
from pathlib import Path

for path in Path("/proc").glob("[0-9]*/stat"):
    try:
        name, _, rest = path.read_text().partition("(")[2].rpartition(") ")
    except OSError:
        continue
    group, session, terminal = rest.split()[2:5]
    if int(session) == os.getsid(0) and int(path.parts[2]) != os.getpid():
        print(name, int(terminal) != 0, int(group) == os.getpgrp())
"""
"""Prints who else is of the session: whether it has the terminal, and is of the job."""


def test_the_recorder_is_scheduled_with_the_session_but_has_no_terminal_and_is_of_no_job(
    stage: Stage,
) -> None:
    home = stage.new_home()
    with on_a_terminal(stage, [python(), "-c", SESSION], recorded=True) as child:
        child.expect_exact("scopetrace: rec False False")
        ending = ended(child)

    assert "True" not in child.before
    assert stage.finished(home, ending).info.exit_code == 0
