"""Run a command through click, and turn click's exceptions into ours."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import click

from scopetrace.cli import COMPLETION_VARIABLE
from scopetrace.cli.commands import PROGRAM, cli
from scopetrace.errors import ExitStatus, ScopeError, UsageError
from scopetrace.model.shown import print_to_stderr

_COLLECTION_THRESHOLDS = (100_000, 50, 100)
"""Those of `gc` for commands that answer: a look at all objects takes as long as there are many,
such as the files of a large session, and finds none that is garbage."""


def dispatch(args: list[str]) -> int:
    """Execute the command line and return the exit status.

    Raises:
        ScopeError: the command failed, or the command line is wrong.
        KeyboardInterrupt: Ctrl-C, also at a prompt.
    """
    try:
        return _invoke(args)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.UsageError as error:
        raise UsageError(_usage_sentence(error)) from None
    except click.ClickException as error:
        raise ScopeError(error.format_message()) from None


def _invoke(args: list[str]) -> int:
    if COMPLETION_VARIABLE in os.environ:
        cli.main(args, prog_name=PROGRAM, complete_var=COMPLETION_VARIABLE)
    if args[:1] == ["--"]:
        args = ["run", *args]
    if args[:1] != ["run"]:  # the recorder has its own
        gc.set_threshold(*_COLLECTION_THRESHOLDS)
    with cli.make_context(PROGRAM, args) as context, _warnings_as_sentences():
        return cli.invoke(context) or ExitStatus.OK


@contextmanager
def _warnings_as_sentences() -> Iterator[None]:
    """Print warnings as errors are printed, without the line of code that they came up at."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: print_to_stderr(str(message))
        yield


def _usage_sentence(error: click.UsageError) -> str:
    message = error.format_message().replace(". (", " (").rstrip(".")
    path = error.ctx.command_path if error.ctx else PROGRAM
    return f"{message[:1].lower()}{message[1:]}; try '{path} --help'"
