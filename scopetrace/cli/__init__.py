"""The command line: one module for each command, imported when its command is called.

`main` turns every error of a command into an exit status and one sentence on standard error;
commands do not catch errors themselves.

A plain `scopetrace run CMD...` is handled without importing click: the program starts a third
sooner.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import StringIO, TextIOWrapper

from scopetrace.errors import ExitStatus, ScopeError

COMPLETION_VARIABLE = "_SCOPETRACE_COMPLETE"
"""Set by the shell's completion function (click)."""
INTERRUPTED = 130
"""128 + SIGINT, the status in a shell of a program that was ended by Ctrl-C."""
PIPE_CLOSED = 141
"""128 + SIGPIPE, the status in a shell of a program whose output pipe was closed (`| head`)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Execute the command line and return the exit status; `run` execs and does not return."""
    search_pythonpath_last()
    if any("LD_" in name for name in os.environ):  # HELD_BACK has it, too
        from scopetrace.recorder.loader_variables import hold_back_loader_variables

        hold_back_loader_variables()
    try:
        status = _execute(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        return PIPE_CLOSED
    except OSError as error:
        return _print_error(give_up_stdout(error), ExitStatus.ERROR)
    return status


def search_pythonpath_last() -> None:
    """Import what PYTHONPATH has only if it is nowhere else.

    The variable is meant for the program that is recorded, whose modules may have names that ours
    or the standard library's have (json.py).
    """
    variable = os.environ.get("PYTHONPATH") or os.environ.get("SCOPETRACE_HELD_BACK_PYTHONPATH")
    if variable:
        meant = [os.path.abspath(folder) for folder in variable.split(os.pathsep)]  # noqa: PTH100
        sys.path[:] = [folder for folder in sys.path if folder not in meant] + meant


def _execute(args: list[str]) -> int:
    _prepare_stdout()
    try:
        if command := plain_run(args):
            from scopetrace.recorder.foreground import run_in_place

            run_in_place(command)
        from scopetrace.cli.dispatch import dispatch

        return dispatch(args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except ScopeError as error:
        return _print_error(str(error), error.status)


def plain_run(args: list[str]) -> list[str]:
    """Return CMD of `run [--] CMD...`; [] if there are options to parse."""
    if args[:1] != ["run"] or COMPLETION_VARIABLE in os.environ:
        return []
    if args[1:2] == ["--"]:
        return args[2:]
    return [] if args[1:2] and args[1].startswith("-") else args[1:]


def _prepare_stdout() -> None:
    """Write characters that the locale's encoding lacks as escapes, instead of failing.

    If standard output is closed, sys.stdout is None: use a buffer, not a file, since `run` passes
    its file descriptors on to the program.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    elif sys.stdout is None:
        sys.stdout = StringIO()


def _print_error(sentence: str, status: int) -> int:
    from scopetrace.model.shown import print_to_stderr

    print_to_stderr(sentence)
    return status


def give_up_stdout(error: OSError) -> str:
    """Write no more to standard output, which refused it; return the error as a sentence."""
    _abandon_stdout()
    return f"{error.filename or 'standard output'}: {error.strerror}"


def _abandon_stdout() -> None:
    """Point standard output at /dev/null, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
