"""What the commands that answer with a table share: `--format`, and the choice of a form."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scopetrace.cli.options import is_given, option_name, print_utf8
from scopetrace.errors import UsageError
from scopetrace.model.shown import print_to_stderr
from scopetrace.output.answers import FORMS, csv_table, markdown_table
from scopetrace.output.units import hidden_text

if TYPE_CHECKING:
    from scopetrace.query import Session

POLL_INTERVAL_S = 0.1
"""Time between two queries with --follow."""
Command = TypeVar("Command", bound=Callable[..., Any])


def format_option(command: Command) -> Command:
    """Add `--format` and `-j/--json`, which reach the command as `form` and `as_json`."""
    form = click.option(
        "--format",
        "form",
        type=click.Choice(FORMS),
        default=None,
        help="Print a table (the default), CSV, Markdown, or JSON, one object to a line.",
    )
    as_json = click.option(
        "-j", "--json", "as_json", is_flag=True, help="The same as --format json."
    )
    return form(as_json(command))


def chosen_form(form: str | None, as_json: bool) -> str:
    """Return what to print.

    Raises:
        UsageError: two different forms were asked for.
    """
    if as_json and form not in (None, "json"):
        raise UsageError(f"--json and --format {form} do not go together")
    return "json" if as_json else form or "table"


def refuse_with_form(options: Mapping[str, Any], *parameters: str) -> None:
    """Refuse options that say how a table looks, where another form was asked for.

    Args:
        options: of the command that runs, by their parameters, with the chosen form as `form`.
        parameters: those of the options to refuse.

    Raises:
        UsageError: one of them was given.
    """
    form = "--json" if options["as_json"] else f"--format {options['form']}"
    for parameter in parameters:
        if options["form"] != "table" and is_given(options[parameter]):
            raise UsageError(f"{option_name(parameter)} and {form} do not go together")


def print_bodies(form: str, bodies: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> None:
    """Print what programs and documents read: CSV, Markdown or JSON, in UTF-8."""
    from scopetrace.wire.ndjson import json_line

    print_utf8()
    if form == "json":
        for body in bodies:
            print(json_line(body))
    else:
        print((csv_table if form == "csv" else markdown_table)([*bodies], fields))


def each_poll(session: Session) -> Iterator[None]:
    """Yield, with --follow, whenever it is time to look for what is new, until the session ends.

    What was printed is shown before each wait. The status is read before what is new: the recorder
    writes its last events before its status.
    """
    running = True
    while running:
        sys.stdout.flush()
        time.sleep(POLL_INTERVAL_S)
        running = session.info.status == "running"
        yield


def on_terminal() -> bool:
    """Whether a person reads the answer: views then leave out start-up noise."""
    return sys.stdout.isatty()


def start_up_option(what: str) -> Callable[[Command], Command]:
    """Return what adds `-A/--start-up`, which reaches the command as `start_up`."""
    return click.option(
        "-A", "--start-up", is_flag=True, help=f"Also show {what} of the start-up on a terminal."
    )


def report_hidden(count: int, noun: str) -> None:
    """Say how much a view left out; `noun` is one of it."""
    print_to_stderr(hidden_text(count, noun, "-A"))
