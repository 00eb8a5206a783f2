"""The process that becomes the program.

Theory of operation. `scopetrace run` is started by a shell, and the program must take exactly its
place: same pid, parent, process group, terminal, and later the exit status that the shell sees. So
this process execs the command itself, and what records it is a bystander: a grandchild in a session
of its own, never a child that the program could find, which seizes this process with ptrace. Under
Yama's ptrace_scope 1 only an ancestor may do that, unless it is named (PR_SET_PTRACER).

    this process                              the recorder
    fork, fork ------------------------------> imports what it needs, while
    reads the configuration
    names the recorder as its tracer
    sends its order -------------------------> opens the session, seizes this process
    loads the filter, execs <----------------- "go"

Each imports its half of the project after the fork: on two CPUs that saves a user's time.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scopetrace.errors import CommandNotExecutable, EngineError
from scopetrace.model.shown import say
from scopetrace.recorder.command import find_command, original_environment
from scopetrace.recorder.verdict import GO, REFUSED, UNRECORDED

if TYPE_CHECKING:
    from scopetrace.recorder.order import Order


class Recorder:
    """The recorder as seen from here: its pid, and the two pipes to it."""

    def __init__(self) -> None:
        """Start it; it waits for an order, and ends if there is none."""
        self.answer, answer_in = os.pipe()
        order_out, self.order = os.pipe()
        before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        middle = os.fork()
        if middle == 0:
            os.close(self.order)
            _fork_again(order_out, answer_in)
        os.close(answer_in)
        os.close(order_out)
        self.pid = int.from_bytes(os.read(self.answer, 4), sys.byteorder)
        _await_end(middle)
        signal.signal(signal.SIGCHLD, before)

    def request(self, order: Order) -> tuple[bytes, str]:
        """Send an order and return the verdict, and the reason for it."""
        from scopetrace.recorder.order import send_order

        send_order(self.order, order)
        verdict = os.read(self.answer, 1) or REFUSED
        reason = os.read(self.answer, 4096).decode() if verdict != GO else ""
        os.close(self.answer)
        return verdict, reason or "the recorder could not be started"


def run_in_place(
    args: list[str], userconfig: Path | None = None, asked: Mapping[str, str] | None = None
) -> NoReturn:
    """Record `args`, in place of this process. Returns only by raising.

    Args:
        args: the command.
        userconfig: a scope.yml to use instead of the one that would be found.
        asked: SCOPE_* variables that are set for this recording, and not for the program.

    Raises:
        CommandNotFound, CommandNotExecutable: there is nothing to run.
        ConfigError: the configuration is wrong, or cannot be followed here.
        EngineError: this machine does not let us trace.
    """
    environment = original_environment()
    path = find_command(args[0], environment)
    recorder = Recorder()
    order, program = _prepare(args, userconfig, asked or {})
    from scopetrace import _engine

    _engine.allow_tracer(recorder.pid)
    verdict, reason = recorder.request(order)
    if verdict == REFUSED:
        raise EngineError(reason)
    if verdict == UNRECORDED:
        say(f"{reason}; {args[0]} runs without being recorded")
        program = b""
    sys.stdout.flush()
    try:
        _engine.become(path, [os.fsencode(arg) for arg in args], environment, program)
    except OSError as error:
        raise CommandNotExecutable(f"{args[0]}: {error.strerror}") from None
    raise AssertionError("exec returned")


def _prepare(
    args: list[str], userconfig: Path | None, asked: Mapping[str, str]
) -> tuple[Order, bytes]:
    """Read the configuration; return what to record, and the filter that lets it be seen."""
    from scopetrace import _engine
    from scopetrace.config import dump_config, load_config, pack_config
    from scopetrace.forward.check import settled
    from scopetrace.recorder.order import Order
    from scopetrace.sources.base import needed_calls
    from scopetrace.watch import Watch

    config = settled(load_config(userconfig, {**os.environ, **asked}))
    for warning in config.warnings:
        say(f"warning: {warning}")
    modes = {group: int(mode) for group, mode in needed_calls(Watch(config)).items()}
    order = Order(
        args=[os.fsencode(arg) for arg in args],
        pid=os.getpid(),
        config=pack_config(config),
        config_text=dump_config(config),
        modes=modes,
    )
    return order, _engine.build_filter(modes)


def _await_end(pid: int) -> None:
    """Wait for a child whose times must not be counted as ours: SIGCHLD is ignored for that."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def _fork_again(order: int, answer: int) -> NoReturn:
    """In the child: leave the terminal's session, start the recorder, and be gone."""
    os.setsid()
    pid = os.fork()
    if pid:
        os.write(answer, pid.to_bytes(4, sys.byteorder))
        os._exit(0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # an ignored one would hide the ends of tracees
    status = 1
    try:
        from scopetrace.recorder.background import record

        status = record(order, answer)
    finally:
        os._exit(status)
