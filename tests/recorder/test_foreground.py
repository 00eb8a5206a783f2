"""Whatever becomes of the recorder while it starts, the command runs, after one sentence."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scopetrace.recorder.foreground import NEEDED_BY_BOTH
from support.harness import Ending, Stage, scopetrace_command, session_files, wait_for
from support.interpreter import path_to_us, python
from support.users import one_user

WHEREVER = "the process that execs does the same whatever it may do"
PROGRAM = ["sh", "-c", "echo ran; echo complained >&2; exit 3"]
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SYS_SECCOMP, ALLOW = 317, 0x7FFF0000
UNRECORDED = b"; sh runs without being recorded\n"

DYING_AT = """
import importlib, os, sys
from scopetrace.cli import main

room, name, number = sys.argv[1:4]
place = importlib.import_module(room)
*path, last = name.split(".")
for part in path:
    place = getattr(place, part)

whole = getattr(place, last)

def die(*args, **options):
    os.kill(os.getpid(), int(number))
    return whole(*args, **options)

setattr(place, last, die)
sys.exit(main(sys.argv[4:]))
"""
"""scopetrace whose recorder ends by a signal where it comes to a certain function."""

DYING_AFTER = """
import os, signal, sys
from pathlib import Path
from scopetrace.cli import main
from scopetrace.recorder import foreground

record, request = foreground._record, foreground.Recorder.request

def record_for_a_while(*args):
    signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]))
    record(*args)

def request_and_note(*args):
    answer = request(*args)
    if answer[0] == foreground.GO:
        Path("may-start").touch()
    return answer

foreground._record, foreground.Recorder.request = record_for_a_while, request_and_note
sys.exit(main(sys.argv[2:]))
"""
"""scopetrace whose recorder ends by SIGALRM so many seconds after its birth."""


def scopetrace_with(script: str, *arguments: object) -> list[str]:
    return [python(), "-P", "-c", script, *map(str, arguments), "run", *PROGRAM]


def assert_ran_unrecorded(ending: Ending) -> None:
    assert (ending.stdout, ending.status) == (b"ran\n", 3), ending
    sentence, _, rest = ending.stderr.partition(b"\n")
    assert sentence.startswith(b"scopetrace: "), ending
    assert sentence.endswith(UNRECORDED.strip()), ending
    assert rest == b"complained\n", ending


@one_user(WHEREVER)
@pytest.mark.parametrize(
    ("room", "function", "number"),
    [
        ("scopetrace.recorder.limits", "reset_limits_and_signals", signal.SIGTERM),
        ("scopetrace.recorder.background", "detach", signal.SIGSEGV),
        ("scopetrace.recorder.background", "receive_order", signal.SIGKILL),
        ("scopetrace.recorder.background", "SessionStore", signal.SIGHUP),
        ("scopetrace.store.sessions", "allocate_id", signal.SIGINT),
        ("scopetrace.store.new_file", "migrate", signal.SIGABRT),
        ("scopetrace.recorder.background", "Recorder.start", signal.SIGTERM),
        ("scopetrace.capture", "Capture.start", signal.SIGTERM),
        ("scopetrace.capture", "Capture.start", signal.SIGBUS),
        ("scopetrace.capture", "Capture._run", signal.SIGKILL),
    ],
)
def test_where_the_recorder_dies_before_the_program_starts_the_program_runs(
    room: str, function: str, number: int, stage: Stage
) -> None:
    ending = stage.run(scopetrace_with(DYING_AT, room, function, int(number)))

    assert_ran_unrecorded(ending)
    assert b"the recorder ended while it was starting" in ending.stderr


@one_user(WHEREVER)
@pytest.mark.parametrize("after_ms", range(1, 120, 4))
def test_whenever_the_recorder_dies_the_program_runs_unless_it_had_started(
    after_ms: int, stage: Stage
) -> None:
    ending = stage.run(scopetrace_with(DYING_AFTER, after_ms / 1000))

    may_start = (stage.work / "may-start").exists()
    if may_start and ending.status == -signal.SIGKILL:
        return  # its exec was under way at least
    if may_start and (ending.stdout, ending.stderr) == (b"ran\n", b"complained\n"):
        assert ending.status == 3
        return
    assert_ran_unrecorded(ending)


FAILING = """
import importlib, sys
from scopetrace.cli import main
room, name, exception = sys.argv[1:4]
place = importlib.import_module(room)
*path, last = name.split(".")
for part in path:
    place = getattr(place, part)

ERRORS = {"fds": OSError(24, "no"), "memory": MemoryError(), "fault": KeyError("a fault")}

def fail(*_args, **_options):
    raise ERRORS[exception]

setattr(place, last, fail)
sys.exit(main(sys.argv[4:]))
"""
"""scopetrace in which a function fails, here or in the recorder."""


@one_user(WHEREVER)
@pytest.mark.parametrize(
    ("room", "function"),
    [
        ("os", "pipe"),
        ("os", "fork"),
        ("scopetrace.recorder.limits", "reset_limits_and_signals"),
        ("scopetrace.recorder.background", "detach"),
        ("scopetrace.recorder.background", "SessionStore"),
        ("scopetrace.recorder.background", "Watch"),
        ("scopetrace.recorder.background", "Capture"),
        ("scopetrace.capture", "Thread"),
        ("scopetrace.config.load", "load_config"),
        ("scopetrace._engine", "build_filter"),
        ("scopetrace._engine", "Launcher"),
        ("scopetrace.recorder.handshake", "send_order"),
    ],
)
@pytest.mark.parametrize(
    ("exception", "reason"),
    [
        ("fds", b"Too many open files"),
        ("memory", b"Cannot allocate memory"),
        ("fault", b"KeyError: 'a fault'"),
    ],
)
def test_where_the_start_fails_the_program_runs_and_the_reason_is_said(
    room: str, function: str, exception: str, reason: bytes, stage: Stage
) -> None:
    ending = stage.run(scopetrace_with(FAILING, room, function, exception))

    assert_ran_unrecorded(ending)
    assert reason in ending.stderr
    assert session_files(stage.home) == []


FORKS_ONCE = """
import os, sys
from scopetrace.cli import main
fork = os.fork

def fail():
    raise OSError(11, "no")

def fork_once():
    os.fork = fail
    return fork()

os.fork = fork_once
sys.exit(main(sys.argv[1:]))
"""
"""scopetrace that may start a process, which may start none."""


@one_user(WHEREVER)
def test_where_only_the_recorder_itself_cannot_be_forked_the_program_runs_once(
    stage: Stage,
) -> None:
    ending = stage.run(scopetrace_with(FORKS_ONCE))

    assert_ran_unrecorded(ending)
    assert b"Resource temporarily unavailable" in ending.stderr


@one_user(WHEREVER)
@pytest.mark.parametrize("module", ["msgspec", "sqlite3"])
def test_where_a_module_cannot_be_imported_the_program_runs(module: str, stage: Stage) -> None:
    with_broken = "import sys; from scopetrace.cli import main; sys.path.insert(0, sys.argv[1])"
    broken = broken_module(stage, module)

    command = [python(), "-P", "-c", f"{with_broken}; sys.exit(main(sys.argv[2:]))", broken]
    ending = stage.run([*command, "run", *PROGRAM])

    assert_ran_unrecorded(ending)
    assert b"this one is broken" in ending.stderr


@one_user(WHEREVER)
@pytest.mark.parametrize("module", ["json", "sqlite3", "yaml"])
def test_the_programs_own_modules_are_not_ours(module: str, stage: Stage) -> None:
    inherited = stage.environment().get("PYTHONPATH")
    broken = broken_module(stage, module)
    stage.environ["PYTHONPATH"] = f"{broken}:{inherited}" if inherited else str(broken)

    recording = stage.record([python(), "-c", f"import {module}"])

    assert b"this one is broken" in recording.ending.stderr
    assert f"{broken}/{module}.py" in recording.files()


def broken_module(stage: Stage, name: str) -> Path:
    """Return a folder with a module of that name which cannot be imported."""
    folder = stage.give(stage.folder / "broken")
    (folder / f"{name}.py").write_text("raise ImportError('this one is broken')")
    return folder


def few_processes() -> None:
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))


def few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (10, 10))


def hardly_any_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))


def little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))


def little_cpu_time() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (2, 2))


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))


@pytest.mark.parametrize(
    "limit",
    [
        few_processes,
        few_descriptors,
        hardly_any_descriptors,
        little_memory,
        little_cpu_time,
        small_files,
    ],
)
def test_under_hard_limits_the_program_runs_recorded_or_not(
    limit: Callable[[], None], stage: Stage
) -> None:
    """What limits the program is no limit of ours where we may raise it (CAP_SYS_RESOURCE)."""
    command = scopetrace_command("run", "sh", "-c", "echo ran; exit 3")
    ending = stage.run(command, preexec_fn=limit)

    assert (ending.stdout, ending.status) == (b"ran\n", 3), ending
    if ending.stderr:
        assert ending.stderr.endswith(UNRECORDED)
        assert ending.stderr.count(b"\n") == 1
    else:
        assert len(session_files(stage.home)) == 1


def without_seccomp() -> None:
    """Have seccomp(2) fail, as a sandbox around us may: a filter by prctl(2) that refuses it."""
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, SYS_SECCOMP), (0x06, 0, 0, 0x50001), (0x06, 0, 0, ALLOW)]
    text = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in code))
    program = ctypes.create_string_buffer(struct.pack("HP", len(code), ctypes.addressof(text)))
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) == 0


def test_where_no_filter_can_be_loaded_the_program_runs(stage: Stage) -> None:
    ending = stage.run(scopetrace_command("run", *PROGRAM), preexec_fn=without_seccomp)

    assert_ran_unrecorded(ending)
    assert b"does not take the filter" in ending.stderr
    wait_for(lambda: session_files(stage.home) == [], "the recorder to be gone")


def test_without_standard_error_nothing_is_said_elsewhere(stage: Stage) -> None:
    stage.environ["SCOPETRACE_HOME"] = "/proc/nowhere"
    command = scopetrace_command("run", "sh", "-c", "echo ran; exit 3")

    ending = stage.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command])

    assert (ending.stdout, ending.stderr, ending.status) == (b"ran\n", b"", 3)


def test_an_empty_home_is_none(stage: Stage) -> None:
    state = stage.give(stage.folder / "state")
    stage.environ.update({"SCOPETRACE_HOME": "", "XDG_STATE_HOME": str(state)})

    ending = stage.run(scopetrace_command("run", "true"))

    assert (ending.status, ending.stderr) == (0, b"")
    assert len(session_files(state / "scopetrace")) == 1
    assert not (stage.work / "sessions").exists()


def test_a_program_whose_interpreter_does_not_exist(stage: Stage) -> None:
    program = stage.work / "tool"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)

    ending = stage.run(scopetrace_command("run", "./tool"))

    text = "scopetrace: ./tool: the interpreter that it names does not exist\n"
    assert (ending.status, ending.stderr.decode()) == (127, text)
    assert session_files(stage.home) == []


def test_a_session_lasts_from_the_start_of_the_program_to_its_last_end(stage: Stage) -> None:
    recording = stage.record(["sh", "-c", "(sleep 0.1; true) & exit 3"])

    (start, *_) = recording.of("proc.start")
    ends = recording.of("proc.exit")
    assert recording.info.started_ns <= start.time_ns
    assert start.time_ns - recording.info.started_ns < 1_000_000
    assert recording.info.ended_ns == max(end.time_ns for end in ends)


def test_what_is_imported_before_the_fork_is_what_the_recorder_imports_too() -> None:
    script = "import scopetrace.recorder.background, sys; print(*sys.modules)"
    command = [python(), "-P", "-c", script]
    done = subprocess.run(command, env=os.environ | path_to_us(), capture_output=True, check=True)

    imported = done.stdout.decode().split()
    assert [each for each in NEEDED_BY_BOTH if f"scopetrace.{each}" not in imported] == []
