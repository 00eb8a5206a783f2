"""What is printed at the end: to whom, when, and when not."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from scopetrace.recorder.ending import going_on, is_in_foreground
from support.harness import (
    Ending,
    Stage,
    read_info,
    scopetrace_command,
    session_files,
    wait_for,
)
from support.interpreter import python
from support.terminal import PROMPT, SHELL, ended, on_a_terminal
from support.users import one_user

TEXT = "what is printed does not depend on rights, and every user owns its terminal here"

LINE = "session 1: scopetrace summary"
RUN = shlex.join(scopetrace_command("run"))
STOPS_ITSELF = "sh -c 'kill -STOP $$; echo on; exit 4'"
LEAVES_ONE = "sh -c 'sleep 100 & echo $! >pid; until grep -q sleep /proc/$!/comm; do :; done'"
END_IT = "kill $(cat pid)"


@pytest.fixture
def shell(stage: Stage) -> Iterator[Any]:
    """A shell with job control, on a terminal."""
    stage.new_home()
    with on_a_terminal(stage, SHELL, recorded=False) as child:
        child.expect_exact(PROMPT)
        yield child
        for path in session_files(stage.home):
            wait_for(lambda path=path: read_info(path).status != "running", "the recorder to end")


def said(shell: Any, command: str) -> str:
    """Return what stands on the terminal between a command and the next prompt."""
    shell.sendline(command)
    shell.expect_exact(PROMPT)
    return str(shell.before).replace("\r", "")


@one_user(TEXT)
def test_the_line_stands_between_the_output_and_the_prompt(shell: Any) -> None:
    assert said(shell, f"{RUN} sh -c 'echo out; echo err >&2; exit 3'") == f"out\nerr\n{LINE}\n"
    assert said(shell, "echo $?") == "3\n"


@one_user(TEXT)
def test_a_line_of_the_program_that_is_not_ended_stays_a_line(shell: Any) -> None:
    assert said(shell, f"{RUN} printf half") == f"half\n{LINE}\n"


@pytest.mark.parametrize(
    "command",
    [
        "{run} -q true",
        "{run} true 2>&-",
        "{run} true 2>err.txt; cat err.txt",
        "{run} true | cat",
        "{run} true 2>&1 | cat",
        "SCOPE_RUN_HINT=false {run} true",
    ],
)
@one_user(TEXT)
def test_the_line_is_left_out_where_nobody_waits_for_it(command: str, shell: Any) -> None:
    assert said(shell, command.format(run=RUN)) == ""


@one_user(TEXT)
def test_output_that_goes_to_a_file_is_not_looked_at(shell: Any) -> None:
    script = "echo err >&2; printf out"
    assert said(shell, f"{RUN} sh -c '{script}' >out.txt") == f"err\n{LINE}\n"
    assert said(shell, "cat out.txt; echo") == "out\n"


@one_user(TEXT)
def test_a_job_in_the_background_says_nothing(shell: Any) -> None:
    assert LINE not in said(shell, f"{RUN} true & wait")
    assert LINE not in said(shell, "jobs; wait")


@one_user(TEXT)
def test_a_job_that_was_stopped_says_it_where_it_ends_in_the_foreground(shell: Any) -> None:
    assert "Stopped" in said(shell, f"{RUN} {STOPS_ITSELF}")
    assert said(shell, "fg").endswith(f"on\n{LINE}\n")
    assert said(shell, "echo $?") == "4\n"


@one_user(TEXT)
def test_a_job_that_was_stopped_says_nothing_where_it_ends_in_the_background(shell: Any) -> None:
    assert "Stopped" in said(shell, f"{RUN} {STOPS_ITSELF}")
    assert "session" not in said(shell, "bg; wait")


@one_user(TEXT)
def test_ctrl_c_ends_the_program_and_then_comes_the_line(shell: Any) -> None:
    shell.sendline(f"{RUN} sh -c 'echo ready; exec sleep 100'")
    shell.expect_exact("ready")
    shell.sendcontrol("c")
    shell.expect_exact(LINE)
    shell.expect_exact(PROMPT)
    assert said(shell, "echo $?") == "130\n"


@one_user(TEXT)
def test_the_line_names_what_runs_on(shell: Any) -> None:
    line = f"{LINE} (sleep runs on and is recorded: scopetrace ps)\n"
    assert said(shell, f"{RUN} {LEAVES_ONE}") == line
    assert len(line) <= 81
    said(shell, END_IT)


@one_user(TEXT)
def test_the_line_is_grey_where_there_are_colours(shell: Any) -> None:
    assert said(shell, f"TERM=xterm {RUN} true") == f"\x1b[90m{LINE}\x1b[0m\n"


@one_user(TEXT)
def test_the_leader_of_a_session_takes_the_terminal_with_it(stage: Stage) -> None:
    stage.new_home()
    with on_a_terminal(stage, ["sh", "-c", "echo out; exit 2"], True) as child:
        assert ended(child) == Ending(b"", b"", 2)
        assert child.before == "out\r\n"


@one_user(TEXT)
def test_a_summary_comes_last_on_standard_error_and_the_status_stays(stage: Stage) -> None:
    stage.new_home()
    ending = stage.run(scopetrace_command("run", "--summary", "sh", "-c", "echo out; kill -9 $$"))

    assert (ending.stdout, ending.status) == (b"out\n", -9)
    lines = ending.stderr.decode().splitlines()
    assert lines[0] == f"command    sh -c 'echo out; kill -9 $$'  (session 1, in {stage.work})"
    assert lines[1].startswith("ended      SIGKILL after ")
    assert "output     1 line to stdout" in lines


@one_user(TEXT)
def test_a_summary_reaches_the_reader_of_a_pipe_and_its_end(stage: Stage) -> None:
    """Of the pipe, when the program has ended, nobody but the recorder has the writing end."""
    stage.new_home()
    command = f"{RUN} --summary sh -c 'exec 2>&-; exit 3' 2>&1 | cat; echo ${{PIPESTATUS[0]}}"
    ending = stage.run(["bash", "-c", command])

    lines = ending.stdout.decode().splitlines()
    assert lines[0].startswith("command    sh -c")
    assert lines[-1] == "3"


@one_user(TEXT)
def test_the_configuration_asks_for_a_summary_and_an_option_declines(stage: Stage) -> None:
    recording = stage.record(["true"], config="scopetrace: {summary: true}")
    assert recording.ending.stderr.startswith(b"command    true")

    stage.new_home()
    stage.environ["SCOPE_RUN_SUMMARY"] = "true"
    assert stage.run(scopetrace_command("run", "--no-summary", "true")).stderr == b""


@one_user(TEXT)
def test_a_summary_comes_before_the_prompt_and_fits_the_terminal(shell: Any) -> None:
    lines = said(shell, f"{RUN} --summary {LEAVES_ONE}").splitlines()

    assert lines[0].startswith("command    sh -c")
    assert lines[-1] == "sleep runs on and is recorded: scopetrace ps"
    assert max(map(len, lines)) <= 80
    said(shell, END_IT)


@one_user(TEXT)
def test_nobody_waits_for_a_reader_that_does_not_read(stage: Stage) -> None:
    """As where the caller reads standard error after the end only, and the pipe is full."""
    stage.new_home()
    fill = "import fcntl, os; fcntl.fcntl(2, 1031, 4096); os.write(2, bytes(4096))"
    command = scopetrace_command("run", "--summary", python(), "-c", fill)
    with subprocess.Popen(
        command, cwd=stage.work, env=stage.environment(), stderr=subprocess.PIPE, **stage.become()
    ) as program:
        assert program.wait(30) == 0
        assert program.stderr is not None
        assert program.stderr.read() == bytes(4096)


def test_the_foreground_is_that_of_this_terminal() -> None:
    child = pexpect.spawn("sh", ["-mc", "sleep 100 & read line"])
    try:
        terminal = Path(f"/proc/{child.pid}/fd/0").stat().st_rdev
        [job] = wait_for(lambda: children(child.pid), "a child")
        assert is_in_foreground(child.pid, terminal)
        assert not is_in_foreground(child.pid, terminal + 1)
        assert not is_in_foreground(job, terminal)
    finally:
        child.close(force=True)
    assert not is_in_foreground(child.pid, terminal), "it is gone"


def children(pid: int) -> list[int]:
    return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def test_one_process_is_named_and_many_are_counted() -> None:
    assert going_on(["a\nb"]) == "a\\nb runs on and is recorded: scopetrace ps"
    assert going_on(["nginx", "nginx"]) == "2 processes run on and are recorded: scopetrace ps"
