"""The command line: one module for each command, imported when its command is called.

This module is the door: it turns every way a command can end into an exit status and, if something
is wrong, into one sentence on standard error. No command catches its own errors.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import StringIO, TextIOWrapper

import click

from scopetrace.cli.commands import COMPLETION_VARIABLE, PROGRAM, cli
from scopetrace.errors import ExitStatus, ScopeError
from scopetrace.output.escape import escape

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
        return _dispatch(args)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.UsageError as error:
        return _complain(_usage_sentence(error), ExitStatus.USAGE)
    except click.ClickException as error:
        return _complain(error.format_message(), ExitStatus.ERROR)
    except ScopeError as error:
        return _complain(str(error), error.status)


def _dispatch(args: list[str]) -> int:
    if COMPLETION_VARIABLE in os.environ:
        cli.main(args, prog_name=PROGRAM, complete_var=COMPLETION_VARIABLE)
    if args[:1] == ["--"]:
        args = ["run", *args]
    with cli.make_context(PROGRAM, args) as context:
        return cli.invoke(context) or ExitStatus.OK


def _prepare_stdout() -> None:
    """Let what the locale's encoding lacks be written as an escape instead of failing.

    Where standard output is closed Python has no stream; no file takes its place, since `run` hands
    its descriptors on to the program.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    elif sys.stdout is None:
        sys.stdout = StringIO()


def _usage_sentence(error: click.UsageError) -> str:
    message = error.format_message().replace(". (", " (").rstrip(".")
    path = error.ctx.command_path if error.ctx else PROGRAM
    return f"{message[:1].lower()}{message[1:]}; try '{path} --help'"


def _complain(sentence: str, status: int) -> int:
    click.echo(f"{PROGRAM}: {escape(sentence)}", err=True)
    return status


def _abandon_stdout() -> None:
    """Point standard output at /dev/null, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
