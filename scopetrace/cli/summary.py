"""`scopetrace summary`: what is asked first of any program, on one screen."""

from __future__ import annotations

import sys

import click

from scopetrace.cli.options import json_option
from scopetrace.cli.shell_complete import complete_session


@click.command()
@click.argument("session", required=False, metavar="[ID|FILE]", shell_complete=complete_session)
@json_option
def summary(session: str | None, as_json: bool) -> None:
    """Show what ran and how it ended, its files, logs, peers and errors.

    Each list is cut after five; the commands files, tree, flows and events have the rest.

    \b
    scopetrace summary         of the last session
    scopetrace summary 12 -j   of session 12, as JSON
    """
    from scopetrace.output.color import wants_color
    from scopetrace.output.summary import summary_body, summary_lines
    from scopetrace.output.width import terminal_columns
    from scopetrace.query import open_session
    from scopetrace.wire.ndjson import json_line

    with open_session(session) as opened:
        found = opened.summary()
    if as_json:
        print(json_line(summary_body(found)))
        return
    for line in summary_lines(
        found, terminal_columns(sys.stdout), color=wants_color("auto", sys.stdout)
    ):
        print(line)
