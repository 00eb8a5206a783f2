"""The process that becomes the program.

Theory of operation. `scopetrace run` is started by a shell, and the program must take exactly its
place: same pid, parent, process group, terminal, and later the exit status that the shell sees. So
this process execs the command itself, and what records it is a bystander: a grandchild in a session
of its own, never a child that the program could find, which seizes this process with ptrace. Under
Yama's ptrace_scope 1 only an ancestor may do that, unless it is named (PR_SET_PTRACER).

    this process                              the recorder
    fork, fork ------------------------------> opens its session
    names the recorder as its tracer --------> seizes this process
    loads the filter, execs <----------------- "go"
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from scopetrace import _engine
from scopetrace.config import Config, load_config
from scopetrace.errors import CommandNotExecutable, EngineError
from scopetrace.recorder.background import Task, record
from scopetrace.recorder.command import find_command, original_environment
from scopetrace.sources.base import needed_calls
from scopetrace.watch import Watch

GO, REFUSED, UNRECORDED = b"g", b"e", b"u"
"""First byte of the recorder's answer: run; tracing was refused; run, but nothing is recorded."""


def run_in_place(args: list[str], userconfig: Path | None = None) -> NoReturn:
    """Record `args`, in place of this process. Returns only by raising.

    Raises:
        CommandNotFound, CommandNotExecutable: there is nothing to run.
        ConfigError: the configuration is wrong.
        EngineError: this machine does not let us trace.
    """
    environment = original_environment()
    path = find_command(args[0], environment)
    config = load_config(userconfig)
    for warning in config.warnings:
        _say(f"warning: {warning}")
    watch = Watch(config)
    modes = {group: int(mode) for group, mode in needed_calls(watch.could_want).items()}
    program = _engine.build_filter(modes)
    verdict, reason = _start_recorder(args, config, watch, modes)
    if verdict == REFUSED:
        raise EngineError(reason)
    if verdict == UNRECORDED:
        _say(f"{reason}; {args[0]} runs without being recorded")
        program = b""
    _become(path, args, environment, program)


def _become(path: bytes, args: list[str], environment: list[bytes], program: bytes) -> NoReturn:
    sys.stdout.flush()
    try:
        _engine.become(path, [os.fsencode(arg) for arg in args], environment, program)
    except OSError as error:
        raise CommandNotExecutable(f"{args[0]}: {error.strerror}") from None
    raise AssertionError("exec returned")


def _say(sentence: str) -> None:
    print(f"scopetrace: {sentence}", file=sys.stderr, flush=True)


def _start_recorder(
    args: list[str], config: Config, watch: Watch, modes: dict[str, int]
) -> tuple[bytes, str]:
    """Start the recorder, and return its verdict and the reason for it."""
    answer, answer_in = os.pipe()
    allowed, allowed_in = os.pipe()
    task = Task(args, config, watch, modes, os.getpid(), Path.cwd(), allowed, answer_in)
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    middle = os.fork()
    if middle == 0:
        _fork_again(task, before)
    os.close(answer_in)
    os.close(allowed)
    recorder = int.from_bytes(os.read(answer, 4), sys.byteorder)
    _await_end(middle)
    signal.signal(signal.SIGCHLD, before)
    _engine.allow_tracer(recorder)
    os.write(allowed_in, b"a")
    os.close(allowed_in)
    verdict = os.read(answer, 1) or REFUSED
    reason = os.read(answer, 4096).decode() if verdict != GO else ""
    os.close(answer)
    return verdict, reason or "the recorder could not be started"


def _await_end(pid: int) -> None:
    """Wait for a child whose times must not be counted as ours: SIGCHLD is ignored for that."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def _fork_again(task: Task, sigchld: object) -> NoReturn:
    """In the child: leave the terminal's session, start the recorder, and be gone."""
    os.setsid()
    pid = os.fork()
    if pid:
        os.write(task.answer, pid.to_bytes(4, sys.byteorder))
        os._exit(0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # an ignored one would hide the ends of tracees
    status = 1
    try:
        status = record(task)
    finally:
        os._exit(status)
