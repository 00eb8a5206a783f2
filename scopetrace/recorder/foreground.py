"""The process that becomes the program.

Theory of operation. `scopetrace run` is started by a shell, and the program must take exactly its
place: same pid, parent, process group, terminal, and later the exit status that the shell sees. So
this process execs the command itself. The recorder is a grandchild without a terminal, never a
child that the program could find, and seizes this process with ptrace. Under Yama's ptrace_scope 1
only an ancestor may do that, unless the tracee names it (PR_SET_PTRACER).

    this process                              the recorder
    imports what both need
    fork, fork ------------------------------> imports what it needs, while
    reads the configuration
    names the recorder as its tracer
    makes the thread that is to exec
    sends its order -------------------------> opens the session, seizes that thread
    it loads the filter, execs <-------------- "go"

Each process imports its half of the project after the fork: on two CPUs that is faster. What both
need is imported once before it, and the garbage collector, which would find nothing while modules
are imported, is off until the recorder begins.

If the recorder fails before that exec, the program runs unrecorded, after one sentence: only the
thread has the seccomp filter, with which nothing can run without a tracer, so this process can
still exec without it. Only once the exec itself has begun is the program killed with its recorder.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from scopetrace.errors import CommandNotExecutable, CommandNotFound, EngineError, ScopeError
from scopetrace.model.shown import print_to_stderr
from scopetrace.recorder.command import find_command, original_environment
from scopetrace.recorder.handshake import (
    GO,
    REFUSED,
    UNRECORDED,
    Order,
    send_order,
    why_unrecorded,
)
from scopetrace.recorder.recorded_calls import recorded_calls

if TYPE_CHECKING:
    from scopetrace.config.schema import Config


NEEDED_BY_BOTH = ("_engine", "config.serialize", "sources.needs", "watch")
"""Modules of scopetrace that, with what they import, both processes use."""
ENDED = "the recorder ended while it was starting"
UNFILTERED = "the kernel does not take the filter that recording needs (seccomp)"


class Recorder:
    """The recorder as this process sees it: its pid, and the two pipes to it.

    Raises:
        OSError: it could not be started.
    """

    def __init__(self) -> None:
        """Fork it; it waits for an order, and ends if the pipe is closed without one."""
        self.answer, answer_in = os.pipe()
        order_out, self.order = os.pipe()
        before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        try:
            middle = os.fork()
            if middle == 0:
                _fork_again(order_out, answer_in, (self.order, self.answer))
            os.close(answer_in)
            os.close(order_out)
            self.pid = int.from_bytes(os.read(self.answer, 4), sys.byteorder, signed=True)
            _await_end(middle)
        finally:
            signal.signal(signal.SIGCHLD, before)
        if self.pid <= 0:
            raise OSError(-self.pid or errno.ECHILD, os.strerror(-self.pid or errno.ECHILD))

    def request(self, order: Order) -> tuple[bytes, str]:
        """Send the order; return GO, REFUSED or UNRECORDED, and the reason unless it is GO."""
        with suppress(BrokenPipeError):  # the recorder has ended; its answer may say why
            send_order(self.order, order)
        answered = os.read(self.answer, 1) or UNRECORDED
        reason = b"" if answered == GO else os.read(self.answer, 4096)
        os.close(self.answer)
        return answered, reason.decode(errors="backslashreplace") or ENDED


class Command(NamedTuple):
    """What this process becomes."""

    path: bytes
    args: list[bytes]
    environment: list[bytes]


def run_in_place(
    args: list[str], userconfig: Path | None = None, asked: Mapping[str, str] | None = None
) -> NoReturn:
    """Become the program `args`, recorded. Never returns; it raises if there is no program to run.

    Args:
        args: the command.
        userconfig: a scope.yml to use instead of the one that would be found.
        asked: SCOPE_* variables that are set for this recording, and not for the program.

    Raises:
        CommandNotFound, CommandNotExecutable: the command cannot be run.
        ConfigError: the configuration is wrong, or names a file that cannot be used.
        EngineError: this machine does not allow tracing.
    """
    environment = original_environment()
    path = find_command(args[0], environment)
    command = Command(path, [os.fsencode(arg) for arg in args], environment)
    gc.disable()
    try:
        reason = _run_recorded(command, userconfig, asked or {})
    except (ScopeError, KeyboardInterrupt):
        raise
    except Exception as error:
        reason = why_unrecorded(error)
    finally:
        gc.enable()
    with suppress(OSError):  # standard error may be closed; the program runs all the same
        print_to_stderr(f"{reason}; {args[0]} runs without being recorded")
    try:
        _run_unrecorded(command)
    except OSError as error:
        raise _not_executed(command, error) from None
    raise AssertionError("exec returned")


def _run_recorded(command: Command, userconfig: Path | None, asked: Mapping[str, str]) -> str:
    """Become the program, recorded. Returns only if that failed: the reason."""
    for module in NEEDED_BY_BOTH:
        import_module(f"scopetrace.{module}")
    recorder = Recorder()
    config, modes = _load_config(userconfig, asked)
    from scopetrace import _engine

    gate = config.scopetrace.gate != "off"
    program = _engine.build_filter(modes, recorded_calls(config), gate=gate)
    launcher = _engine.Launcher()
    _engine.allow_tracer(recorder.pid)
    answered, reason = recorder.request(_order(command, config, modes, launcher.tid))
    if answered == REFUSED:
        raise EngineError(reason)
    if answered == UNRECORDED:
        return reason
    sys.stdout.flush()
    try:
        return ENDED if launcher.become(*command, program) else UNFILTERED
    except OSError as error:
        raise _not_executed(command, error) from None


def _run_unrecorded(command: Command) -> None:
    """Become the program, unrecorded; also where the engine cannot be imported."""
    sys.stdout.flush()
    try:
        from scopetrace import _engine
    except Exception:
        pairs = (variable.partition(b"=") for variable in command.environment)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execve(command.path, command.args, {name: value for name, _, value in pairs})
    _engine.become(*command)


def _not_executed(command: Command, error: OSError) -> ScopeError:
    """Return the error for a program file that is there and that execve(2) refused.

    If it says ENOENT, what is not there is the interpreter that the file names.
    """
    name = os.fsdecode(command.args[0])
    if error.errno == errno.ENOENT:
        return CommandNotFound(f"{name}: the interpreter that it names does not exist")
    return CommandNotExecutable(f"{name}: {error.strerror}")


def _load_config(
    userconfig: Path | None, asked: Mapping[str, str]
) -> tuple[Config, dict[str, int]]:
    """Read the configuration; return it, and the engine's mode for each group of calls."""
    from scopetrace.config.load import load_config
    from scopetrace.forward.check import resolve_destinations
    from scopetrace.sources.needs import needed_calls
    from scopetrace.watch import Watch

    config = resolve_destinations(load_config(userconfig, {**os.environ, **asked}))
    for warning in config.warnings:
        print_to_stderr(f"warning: {warning}")
    return config, {group: int(mode) for group, mode in needed_calls(Watch(config)).items()}


def _order(command: Command, config: Config, modes: dict[str, int], tid: int) -> Order:
    from scopetrace.config.serialize import dump_for_session, pack_config

    return Order(
        args=command.args,
        pid=os.getpid(),
        tid=tid,
        config=pack_config(config),
        config_text=dump_for_session(config),
        modes=modes,
    )


def _await_end(pid: int) -> None:
    """Wait for the child. SIGCHLD is ignored, so that the kernel reaps it and its CPU times are not
    added to those of the program (wait(2))."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def _fork_again(order: int, answer: int, ours: tuple[int, int]) -> NoReturn:
    """In the child: leave the job and its terminal, fork the recorder, and exit."""
    try:
        for fd in ours:  # or a read of the pipe would never see its end
            os.close(fd)
        _leave_job()
        pid = os.fork() or _record(order, answer)
    except OSError as error:
        pid = -(error.errno or errno.EAGAIN)
    with suppress(OSError):
        os.write(answer, pid.to_bytes(4, sys.byteorder, signed=True))
    os._exit(0)


def _leave_job() -> None:
    """Have a process group of its own, and no terminal.

    The session stays the program's. One of its own would be scheduled as a group of its own
    (sched(7), autogroup): on a busy machine program and recorder would wait for all other groups
    at each stop.
    """
    import fcntl
    import termios

    os.setpgid(0, 0)
    with suppress(OSError):  # there is none
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(terminal, termios.TIOCNOTTY)
        os.close(terminal)


def _record(order: int, answer: int) -> NoReturn:
    """Be the recorder; if this process cannot be one, answer UNRECORDED when the order has come."""
    try:
        from scopetrace.recorder.limits import reset_limits_and_signals

        reset_limits_and_signals()
        from scopetrace.recorder.background import prepare, record

        origin = prepare(order, answer)
        gc.freeze()  # what was imported stays: it need not be searched again
        gc.enable()
    except Exception as error:
        with suppress(OSError):
            while os.read(order, 65536):
                pass
            os.write(answer, UNRECORDED + why_unrecorded(error).encode(errors="backslashreplace"))
        os._exit(1)
    try:
        record(order, answer, origin)
    finally:
        os._exit(0)
