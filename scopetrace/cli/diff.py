"""`scopetrace diff`: what changed between two recorded runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from scopetrace.cli import give_up_stdout
from scopetrace.cli.answers import (
    chosen_form,
    format_option,
    on_terminal,
    print_bodies,
    report_hidden,
)
from scopetrace.cli.options import list_option, span
from scopetrace.cli.shell_complete import complete_session
from scopetrace.errors import ScopeError, UsageError
from scopetrace.model.counts import number_of
from scopetrace.model.shown import print_to_stderr

if TYPE_CHECKING:
    from scopetrace.model.difference import SessionDiff, Slower
    from scopetrace.query import Session

PATIENCE_S = 1.0
"""So long the recorder of a program that has ended may need to write the rest."""
POLL_INTERVAL_S = 0.02
DIFFERENT = 1
"""The exit status if there is a difference, as that of diff(1)."""


@click.command()
@click.argument("a", metavar="A", shell_complete=complete_session)
@click.argument("b", metavar="B", shell_complete=complete_session)
@list_option(
    "--ignore-from",
    metavar="ID,...",
    shell_complete=complete_session,
    help="Leave out what also differs between A and these sessions.",
)
@click.option(
    "--slower", is_flag=True, help="Count processes that took longer in B as a difference."
)
@click.option(
    "--factor",
    type=click.FloatRange(min=1),
    default=2.0,
    show_default=True,
    help="With --slower: if they took at least so many times as long.",
)
@click.option(
    "--floor",
    type=span,
    default="100ms",
    show_default=True,
    metavar="SPAN",
    help="With --slower: if they took at least this much longer.",
)
@click.option(
    "-A",
    "--all",
    "show_all",
    is_flag=True,
    help="Also show start-up files, all lines, and what follows from another difference.",
)
@format_option
def diff(a: str, b: str, form: str | None, as_json: bool, **options: Any) -> int:
    """Show what changed between two recorded runs.

    A and B are sessions: ids or files. Processes are compared by program, arguments and place,
    files, peers and requests by name, output and logs by line. Not compared: the order in which
    things happened and how often, process ids, ports that the kernel chose, temporary files, times.
    Paths are relative to the folder of the session if the two differ.

    CHANGE is `only A`, `only B`, `result` (exit status, errno, HTTP status), `content` (arguments,
    bytes, lines) or `slower`. On a terminal, differences in start-up files are only counted (-A).

    \b
    Exit status: 0 no difference, 1 a difference, 2 an error.

    \b
    scopetrace diff 3 4                      the run that worked, the run that did not
    scopetrace diff 3 4 --ignore-from 1,2    without what varies among 1, 2 and 3
    scopetrace diff 3 4 --slower --factor 3  also what took three times as long
    scopetrace diff old.db new.db -j         two files, as JSON
    """
    with _errors_are_2():
        chosen = chosen_form(form, as_json)
        found = _compared(a, b, options)
        _show(found, chosen, options["show_all"])
        sys.stdout.flush()
    return DIFFERENT if found.differences else 0


@contextmanager
def _errors_are_2() -> Iterator[None]:
    """Give errors the exit status 2: 1 says that there is a difference."""
    try:
        yield
    except BrokenPipeError:
        raise
    except ScopeError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(give_up_stdout(error)) from None


def _compared(a: str, b: str, options: dict[str, Any]) -> SessionDiff:
    from scopetrace.output.progress import Progress
    from scopetrace.query import open_session

    with ExitStack() as stack:
        first, second, *further = [
            stack.enter_context(open_session(each)) for each in (a, b, *options["ignore_from"])
        ]
        _settle([first, second, *further])
        total = sum(session.info.events for session in (first, second, *further))
        with Progress("comparing events", total) as progress:
            return first.diff(
                second, ignore_from=further, slower=_slower(options), progress=progress.step
            )


def _settle(sessions: Sequence[Session]) -> None:
    """Wait until what a program did just before it ended is written, and report what goes on."""
    from scopetrace.db.running import started_ticks

    deadline_s = time.monotonic() + PATIENCE_S
    for session in {session.info.path: session for session in sessions}.values():
        while (info := session.info).status == "running":
            if time.monotonic() > deadline_s or started_ticks(info.pid) is not None:
                print_to_stderr(f"session {info.id} is still being recorded")
                break
            time.sleep(POLL_INTERVAL_S)


def _slower(options: dict[str, Any]) -> Slower | None:
    from scopetrace.model.difference import Slower

    if not options["slower"]:
        return None
    return Slower(options["factor"], options["floor"] // 1000)


def _show(found: SessionDiff, form: str, show_all: bool) -> None:
    from scopetrace.model.difference import FIELDS
    from scopetrace.output.color import wants_color
    from scopetrace.output.diff import diff_lines
    from scopetrace.output.width import terminal_columns

    listed = [each for each in found.differences if show_all or not each.follows]
    if form != "table":
        if listed:
            print_bodies(form, [each.body() for each in listed], FIELDS)
        return
    fold = on_terminal() and not show_all
    shown = [each for each in listed if not (fold and each.is_startup)]
    color, width = wants_color("auto", sys.stdout), terminal_columns(sys.stdout)
    for line in diff_lines(shown, width, cut=fold, color=color):
        print(line)
    hidden = len(listed) - len(shown)
    if hidden:
        report_hidden(hidden, "start-up difference")
    if found.ignored:
        they = "it varies" if found.ignored == 1 else "they vary"
        left_out = number_of(found.ignored, "difference")
        print_to_stderr(f"{left_out} left out, since {they} between runs")
