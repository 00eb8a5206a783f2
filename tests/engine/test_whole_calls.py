"""Calls that are recorded whole: what came of them, and what of the program's memory was copied."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from scopetrace.model.whole_call import END, SIGNAL
from scopetrace.query import open_session
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import rows as table
from support.harness import (
    Compile,
    Stage,
    only,
    read_info,
    scopetrace_command,
    session_files,
    wait_for,
)
from support.interpreter import python
from support.users import without_rights

ABIS = pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["native", "32-bit"])
INTERRUPTED = -errno.EINTR
LEAST_CALLS = 330
"""So many calls of x86-64 every_call.c makes."""
SIGRETURNS = ((0, 15), (1, 119), (1, 173))
"""ABI and number of rt_sigreturn and sigreturn."""


def record(stage: Stage, *command: str, chosen: str = "all", status: int = 0) -> list[Recorded]:
    """Run a program, and return the calls that it made."""
    stage.new_home()
    ending = stage.run(scopetrace_command("run", "-q", f"--syscalls={chosen}", "--", *command))
    assert (ending.status, ending.stderr) == (status, b"")
    path = wait_for(lambda: only(session_files(stage.home)), "the session")
    wait_for(lambda: read_info(path).status == "finished", "its end")
    with open_session(path) as session:
        return [*session.syscalls()]


def named(rows: Sequence[Recorded], *names: str) -> list[Recorded]:
    return [row for row in rows if row.name in names]


def memory(row: Recorded, argument: int) -> list[bytes]:
    """Return what was copied for an argument, without arrays and structures before it."""
    return [piece.data for piece in row.call.memory if piece.argument == argument]


@pytest.fixture(params=[(), ("-m32",)], ids=["native", "32-bit"])
def rows(request: pytest.FixtureRequest, stage: Stage, compile_tracee: Compile) -> list[Recorded]:
    """The calls of the tracee whole."""
    return record(stage, str(compile_tracee("whole", *request.param, "-pthread")), status=3)


def test_everything_that_a_program_calls_is_recorded(rows: list[Recorded]) -> None:
    hi, *_ = named(rows, "write")
    assert (hi.result, memory(hi, 1)) == (3, [b"hi\n"])

    at_page_end, unmapped, *_ = [row for row in named(rows, "openat") if row.error == "EFAULT"]
    assert [(p.data, p.fault) for p in at_page_end.call.memory] == [(b"x" * 6, True)]
    assert unmapped.call.memory == ()
    assert all(row.error in ("EINVAL", "EFAULT") for row in named(rows, "writev"))
    assert [row.error for row in named(rows, "execve")] == ["", "ENOENT", ""]

    reads = [row for row in named(rows, "read") if row.result in (1, INTERRUPTED)]
    restarted, interrupted = reads[-2:]
    assert (restarted.result, memory(restarted, 1)) == (1, [b"w"])
    assert interrupted.result == INTERRUPTED
    returns = [row for row in rows if (row.abi, row.number) in SIGRETURNS]
    assert len(returns) >= 2  # on a busy machine an alarm may come before its read
    assert [row.number for row in rows if row.abi == SIGNAL] == [14] * len(returns) + [17]

    (in_thread,) = named(rows, "getppid")
    assert in_thread.tid != in_thread.pid == hi.pid
    child, last = named(rows, "exit_group")
    assert (child.result, child.call.args[0], child.pid != hi.pid) == (None, 7, True)
    assert (last.result, last.call.args[0], last.pid) == (None, 3, hi.pid)
    assert [(row.result, row.pid == row.tid == hi.pid) for row in rows if row.abi == END] == [
        (0, False),
        (7 << 8, False),
        (3 << 8, True),
    ]
    (unknown,) = [row for row in rows if row.number == 9999]
    assert (unknown.name, unknown.error, unknown.call.args[:2]) == (
        "syscall_0x270f",
        "ENOSYS",
        (1, 2),
    )


def test_what_messages_consist_of_is_copied(stage: Stage, compile_tracee: Compile) -> None:
    rows = record(stage, str(compile_tracee("whole", "-pthread")), status=3)

    sent, received = [row for row in named(rows, "sendmsg", "recvmsg") if row.result == 8]
    assert memory(sent, 1)[-2:] == [b"abc", b"defgh"]
    assert memory(received, 1)[-2:] == [b"abcd", b"efgh"]


def test_what_is_printed_once_is_recorded_once(rows: list[Recorded]) -> None:
    assert [row.id for row in sorted(rows, key=lambda row: row.id)] == sorted({r.id for r in rows})
    times = [(row.time_ns, row.id) for row in rows]
    assert times == sorted(times)
    assert all(row.duration_ns >= 0 for row in rows)


def test_calls_are_printed_while_they_are_made(stage: Stage) -> None:
    stage.new_home()
    command = ["sh", "-c", "cat /etc/hostname | cat"]
    ending = stage.run(scopetrace_command("run", "-q", "--syscalls", "--print", *command))
    path = wait_for(lambda: only(session_files(stage.home)), "the session")
    wait_for(lambda: read_info(path).status == "finished", "its end")
    with open_session(path) as session:
        rows = sorted(session.syscalls(), key=lambda row: row.id)

    printed = ending.stderr.decode().splitlines()
    assert ending.status == 0
    assert len(printed) == len(rows)
    for line, row in zip(printed, rows, strict=True):
        assert f"{row.name}(" in line or line.endswith(("---", "+++"))
    assert printed[0].startswith("execve(")
    assert printed[-1] == f"[pid {rows[-1].tid:5}] +++ exited with 0 +++"


def test_only_a_set_is_recorded(stage: Stage) -> None:
    rows = record(stage, "cat", "/etc/hostname", chosen="openat,close")

    assert {row.name for row in rows if row.is_call} == {"openat", "close"}


def test_a_set_that_begins_with_an_exception_has_all_others(stage: Stage) -> None:
    rows = record(stage, "cat", "/etc/hostname", chosen="!openat")

    names = {row.name for row in rows}
    assert "openat" not in names
    assert {"execve", "read", "close", "exit_group"} <= names


def test_a_call_of_a_program_that_is_killed_in_it_has_no_result(stage: Stage) -> None:
    script = """
        sleep 100 & p=$!
        until grep -q "(sleep) S" /proc/$p/stat; do :; done
        kill -9 $p
    """
    rows = record(stage, "sh", "-c", script)

    (slept,) = [row for row in rows if row.proc == "sleep" and (row.abi, row.number) == (0, 230)]
    assert slept.result is None
    assert slept.duration_ns > 0


def test_a_call_that_is_under_way_when_the_recording_ends_has_no_result(stage: Stage) -> None:
    stage.new_home()
    command = scopetrace_command("run", "-q", "--syscalls", "--", "cat")
    with subprocess.Popen(
        command, cwd=stage.work, env=stage.environment(), stdin=subprocess.PIPE, **stage.become()
    ) as program:
        path = wait_for(lambda: only(session_files(stage.home)), "the session")

        wait_for(lambda: "(cat) S" in Path(f"/proc/{program.pid}/stat").read_text(), "its read")
        assert stage.run(scopetrace_command("stop")).status == 0
        wait_for(lambda: read_info(path).status == "stopped", "the end of the recording")
        program.communicate(b"")
    with open_session(path) as session:
        *_, last = session.syscalls(calls="read")
    assert (last.name, last.result, last.call.args[0]) == ("read", None, 0)


CREATES = """
import os
folder = os.open("d", os.O_RDONLY)
for path, base in (("new", None), ("old", None), ("link", None), ("d/new", None), ("new", folder)):
    os.open(path, os.O_WRONLY | os.O_CREAT, dir_fd=base)
"""


def test_an_open_that_may_create_says_whether_the_file_was_there(stage: Stage) -> None:
    (stage.work / "d").mkdir(mode=0o777)
    (stage.work / "d").chmod(0o777)
    (stage.work / "old").write_text("")
    (stage.work / "old").chmod(0o666)
    (stage.work / "link").symlink_to("nowhere")

    rows = record(stage, python(), "-I", "-S", "-c", CREATES, chosen="openat")

    known = [row.call.was_there for row in named(rows, "openat")]
    assert [found for found in known if found is not None] == [False, True, False, False, True]


@pytest.mark.parametrize(("wanted", "copied"), [("true", True), ("false", False)])
def test_an_environment_is_copied_if_the_configuration_says_so(
    wanted: str, copied: bool, stage: Stage
) -> None:
    stage.environ.update(SECRET="known", SCOPE_RECORD_ENVIRONMENT=wanted)

    first, *_ = record(stage, "true", chosen="execve")

    variables, *strings = memory(first, 2)
    assert variables
    assert (b"SECRET=known\0" in strings) is copied
    assert bool(strings) is copied


@without_rights
@pytest.mark.parametrize("value", ["-1", "0"])
def test_every_call_of_the_table_is_recorded(
    value: str, stage: Stage, compile_tracee: Compile
) -> None:
    """All pointers lead nowhere, and all lengths are the largest or none."""
    rows = record(stage, str(compile_tracee("every_call", "-static")), value)

    made = {row.number for row in rows if row.abi == 0}
    assert len(made & {row.numbers[0] for row in table()}) > LEAST_CALLS


def test_a_call_that_a_filter_of_the_program_refused_is_marked(
    stage: Stage, compile_tracee: Compile
) -> None:
    """Its result is its number, as the kernel leaves it, and would be that of a success."""
    rows = record(stage, str(compile_tracee("filtered")))
    trapped, by_errno, *_ = named(rows, "chdir")
    getsids = named(rows, "getsid")

    assert (trapped.result, trapped.call.is_refused) == (80, True)
    assert (by_errno.result, by_errno.call.is_refused) == (-errno.EACCES, False)
    assert all(row.call.is_refused for row in getsids if row.result == row.number)
