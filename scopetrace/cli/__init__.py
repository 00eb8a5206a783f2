"""The command line: one module for each command, imported when its command is called.

This module is the door: it turns every way a command can end into an exit status and, if something
is wrong, into one sentence on standard error. No command catches its own errors.

A plain `scopetrace run CMD...` does not wait for the parser of all the other commands: the program
starts a third sooner.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import StringIO, TextIOWrapper

from scopetrace.errors import ExitStatus, ScopeError

COMPLETION_VARIABLE = "_SCOPETRACE_COMPLETE"
"""Set by the shell's completion function when it asks what could come next."""
INTERRUPTED = 130
"""128 + SIGINT, what a shell says of a program that Ctrl-C ended."""
PIPE_CLOSED = 141
"""128 + SIGPIPE, what a shell says of a program whose reader went away (`| head`)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say and return the exit status; `run` does not return if it can."""
    try:
        status = _answer(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        return PIPE_CLOSED
    except OSError as error:
        _abandon_stdout()
        where = error.filename or "standard output"
        return _complain(f"{where}: {error.strerror}", ExitStatus.ERROR)
    return status


def _answer(args: list[str]) -> int:
    _prepare_stdout()
    try:
        if command := plain_run(args):
            from scopetrace.recorder.foreground import run_in_place

            run_in_place(command)
        from scopetrace.cli.dispatch import answer

        return answer(args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except ScopeError as error:
        return _complain(str(error), error.status)


def plain_run(args: list[str]) -> list[str]:
    """Return the command of `run [--] CMD...`; [] if there is more to parse than that."""
    if args[:1] != ["run"] or COMPLETION_VARIABLE in os.environ:
        return []
    if args[1:2] == ["--"]:
        return args[2:]
    return [] if args[1:2] and args[1].startswith("-") else args[1:]


def _prepare_stdout() -> None:
    """Let what the locale's encoding lacks be written as an escape instead of failing.

    Where standard output is closed Python has no stream; no file takes its place, since `run` hands
    its descriptors on to the program.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    elif sys.stdout is None:
        sys.stdout = StringIO()


def _complain(sentence: str, status: int) -> int:
    from scopetrace.model.shown import print_to_stderr

    print_to_stderr(sentence)
    return status


def _abandon_stdout() -> None:
    """Point standard output at /dev/null, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
