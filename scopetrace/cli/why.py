"""`scopetrace why`: why the program ended badly."""

from __future__ import annotations

import sys

import click

from scopetrace.cli.answers import chosen_form, format_option, print_bodies
from scopetrace.cli.options import session_argument


@click.command()
@session_argument
@format_option
def why(session: str | None, form: str | None, as_json: bool) -> None:
    """Show why the program ended badly: failed calls, causes, stderr.

    For each process that ended with a status other than 0 or by a signal: which child's failure it
    passed on, the likeliest of the calls that failed there, and what was found out when it failed
    (who refused whom, what is missing, who has the port, which limit is reached).

    \b
    scopetrace why             of the last session
    scopetrace why 12          of session 12
    scopetrace why -j          as JSON, one object to a process
    """
    from scopetrace.output.color import wants_color
    from scopetrace.output.why import FIELDS, why_bodies, why_lines
    from scopetrace.output.width import terminal_columns
    from scopetrace.query import open_session

    chosen = chosen_form(form, as_json)
    with open_session(session) as opened:
        found = opened.why()
    if chosen != "table":
        print_bodies(chosen, why_bodies(found), FIELDS)
        return
    color = wants_color("auto", sys.stdout)
    for line in why_lines(found, terminal_columns(sys.stdout), color=color):
        print(line)
