"""A recorded program runs as without recording: what it inherits, how it ends, its signals."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from support.harness import Compile, Stage, scopetrace_command, session_files
from support.users import one_user

SHELL = "how a program ends, and what it reads and writes, does not depend on rights"

PR_SET_PDEATHSIG, PR_SET_TIMERSLACK, SYS_IOPRIO_SET = 1, 29, 251


def with_limits() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (123, 456))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 31))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(3)


def with_every_limit() -> None:
    """Set all limits, each with a higher hard limit: a recorder needs more than some soft ones."""
    for which, soft, hard in [
        (resource.RLIMIT_CPU, 61, 62),
        (resource.RLIMIT_FSIZE, 1 << 26, 1 << 27),
        (resource.RLIMIT_DATA, 1 << 45, 1 << 46),
        (resource.RLIMIT_STACK, 1 << 20, 1 << 26),
        (resource.RLIMIT_RSS, 1 << 30, 1 << 31),
        (resource.RLIMIT_NPROC, 5000, 6000),
        (resource.RLIMIT_NOFILE, 25, 60),
        (resource.RLIMIT_MEMLOCK, 0, 4096),
        (resource.RLIMIT_AS, 1 << 45, 1 << 46),  # a sanitizer takes 16 TiB of addresses
        (resource.RLIMIT_SIGPENDING, 10, 20),
        (resource.RLIMIT_MSGQUEUE, 1000, 2000),
        (resource.RLIMIT_RTTIME, 1_000_000, 2_000_000),
    ]:
        resource.setrlimit(which, (soft, hard))


def with_a_small_stack() -> None:
    resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, 1 << 20))


def with_a_huge_stack() -> None:
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 34, 1 << 34))


def with_thread_attributes() -> None:
    """Attributes that each thread has, and keeps through an exec."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with suppress(PermissionError):  # after a change of user it is root's file until an exec
        Path("/proc/self/oom_score_adj").write_text("300")
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_PDEATHSIG, signal.SIGWINCH, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_TIMERSLACK, 123_456, 0, 0, 0) == 0
    assert libc.syscall(SYS_IOPRIO_SET, 1, 0, 2 << 13 | 6) == 0


def with_least_priority() -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.nice(19)


def with_a_policy_not_for_children() -> None:
    os.sched_setscheduler(0, os.SCHED_BATCH | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def with_pending_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)


def with_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGRTMIN + 3, signal.SIGCHLD})
    # Not SIGPIPE and SIGXFSZ: Python ignores them, so how they were inherited is not known.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)


def without_console() -> None:
    os.close(0)
    os.close(2)


def with_more_fds() -> None:
    for number in (3, 7, 20):
        os.dup2(os.open("/dev/null", os.O_RDWR), number)
        os.set_inheritable(number, True)
    os.umask(0o137)


def in_a_group_of_its_own() -> None:
    os.setpgid(0, 0)


@pytest.mark.parametrize(
    "prepare",
    [
        None,
        with_limits,
        with_every_limit,
        with_a_small_stack,
        with_a_huge_stack,
        with_thread_attributes,
        with_least_priority,
        with_a_policy_not_for_children,
        with_pending_signals,
        with_signals,
        without_console,
        with_more_fds,
        in_a_group_of_its_own,
    ],
)
def test_a_program_inherits_the_same_as_without_recording(
    prepare: Callable[[], None] | None, stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare([compile_tracee("state"), "one", "", "two words"], preexec_fn=prepare)

    assert b"started by the test" in recording.ending.stdout


def test_the_program_does_not_inherit_the_fd_of_the_session(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("state")])

    assert b"fd 3" not in recording.ending.stdout


@one_user(SHELL)
@pytest.mark.parametrize("status", [0, 1, 2, 77, 126, 127, 128, 255])
def test_the_exit_status_is_the_programs(status: int, stage: Stage) -> None:
    recording = stage.record(["/bin/sh", "-c", f"exit {status}"])

    assert recording.ending.status == status
    assert recording.of("proc.exit")[-1].data["exit_code"] == status


@one_user(SHELL)
@pytest.mark.parametrize("number", [1, 2, 3, 6, 9, 11, 13, 15, 24, 31, 34, 64])
def test_a_signal_that_ends_the_program_is_seen_by_its_parent(number: int, stage: Stage) -> None:
    recording = stage.record(["/bin/sh", "-c", f"kill -{number} $$; sleep 5"])

    assert recording.ending.status == -number


@one_user(SHELL)
def test_output_into_a_closed_pipe_ends_the_program(stage: Stage) -> None:
    recording = stage.compare(["/bin/sh", "-c", "yes | head -n 1; echo ${PIPESTATUS:-none}"])

    assert recording.ending.stdout == b"y\nnone\n"
    assert "SIGPIPE" in {event.data.get("signal") for event in recording.of("proc.exit")}


@one_user(SHELL)
def test_the_program_reads_our_standard_input(stage: Stage) -> None:
    recording = stage.compare(["cat"], input=b"line\n" * 50_000)

    assert recording.ending.stdout == b"line\n" * 50_000


@one_user(SHELL)
def test_a_background_process_does_not_hold_up_the_shell(stage: Stage) -> None:
    script = "(sleep 0.5; echo late > late.txt) >/dev/null 2>&1 </dev/null & echo started"
    recording = stage.compare(["/bin/sh", "-c", script])

    assert recording.ending.stdout == b"started\n"
    assert str(stage.work / "late.txt") in recording.files("fs.open")


@one_user(SHELL)
def test_all_events_of_the_main_process_are_committed_when_it_has_ended(stage: Stage) -> None:
    home = stage.new_home()
    for number in range(1, 11):
        ending = stage.run(scopetrace_command("run", "/bin/sh", "-c", f"echo {number} > out.txt"))
        assert ending.status == 0
        events = stage.run(scopetrace_command("events", "--all", "-s", "fs.close", "-j"))
        assert b"/work/out.txt" in events.stdout, events
    assert len(session_files(home)) == 10


def test_a_command_that_does_not_exist_is_status_127_and_no_session(stage: Stage) -> None:
    home = stage.new_home()
    ending = stage.run(scopetrace_command("run", "no-such-command-here"))

    assert ending.status == 127
    assert ending.stdout == b""
    assert b"no-such-command-here" in ending.stderr
    assert ending.stderr.count(b"\n") == 1
    assert session_files(home) == []


@pytest.mark.parametrize("content", [b"no program\0\1", b""])
def test_a_file_that_cannot_be_executed_is_status_126_and_no_session(
    content: bytes, stage: Stage
) -> None:
    home = stage.new_home()
    Path(stage.work, "data").write_bytes(content)
    ending = stage.run(scopetrace_command("run", "./data"))

    assert ending.status == 126
    assert ending.stderr.count(b"\n") == 1
    assert session_files(home) == []


def test_a_folder_as_command_is_status_126(stage: Stage) -> None:
    stage.new_home()
    ending = stage.run(scopetrace_command("run", "/tmp"))

    assert ending.status == 126


def test_a_script_is_run_by_its_interpreter(stage: Stage) -> None:
    stage.prepare()
    script = stage.work.parent / "script"
    script.write_text('#!/bin/sh\necho "$0 $1"\n')
    script.chmod(0o755)
    recording = stage.record([script, "argument"])

    assert recording.ending.stdout == f"{script} argument\n".encode()
    assert recording.of("proc.start")[0].data["args"][0] == "/bin/sh"


def test_a_signal_to_the_process_group_reaches_the_program_only(stage: Stage) -> None:
    """The recorder is not in the process group of the program."""
    recording = stage.record(
        ["/bin/sh", "-c", "trap 'echo caught; exit 3' INT; kill -INT 0; sleep 5"],
        start_new_session=True,
    )

    assert recording.ending.stdout == b"caught\n"
    assert recording.ending.status == 3
