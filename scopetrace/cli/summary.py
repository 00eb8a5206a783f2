"""`scopetrace summary`: what is asked first of any program, on one screen."""

from __future__ import annotations

import sys

import click

from scopetrace.cli.answers import chosen_form, format_option, print_bodies
from scopetrace.cli.options import session_argument


@click.command()
@session_argument
@format_option
def summary(session: str | None, form: str | None, as_json: bool) -> None:
    """Show what ran and how it ended, its files, logs, peers and errors.

    Each list is cut after five; the commands files, tree, flows and events have the rest. On a
    terminal lines are cut, too; --format csv has them whole.

    \b
    scopetrace summary                 of the last session
    scopetrace summary 12 -j           of session 12, as JSON
    scopetrace summary --format md     for a report of a fault
    """
    from scopetrace.output.color import wants_color
    from scopetrace.output.summary import summary_body, summary_lines, summary_rows
    from scopetrace.output.width import terminal_columns
    from scopetrace.query import open_session

    chosen = chosen_form(form, as_json)
    with open_session(session) as opened:
        found = opened.summary()
    if chosen == "json":
        print_bodies(chosen, [summary_body(found)], ())
    elif chosen != "table":
        print_bodies(chosen, summary_rows(found), ("about", "answer"))
    else:
        color = wants_color("auto", sys.stdout)
        for line in summary_lines(found, terminal_columns(sys.stdout), color=color):
            print(line)
