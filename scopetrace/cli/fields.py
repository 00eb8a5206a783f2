"""`scopetrace fields`: which fields there are, their types, units and meanings."""

from __future__ import annotations

import sys

import click

from scopetrace.cli.answers import chosen_form, format_option, print_bodies
from scopetrace.cli.shell_complete import complete_field_group
from scopetrace.errors import UsageError


@click.command()
@click.argument("source", required=False, shell_complete=complete_field_group)
@format_option
def fields(source: str | None, form: str | None, as_json: bool) -> None:
    """Show the fields of events, flows, files and metrics.

    Each with its type, its unit and what it says. SOURCE is a source (fs.open), a source type (fs),
    how sources begin (net.), or what a command prints: events (what every event has), flows, files,
    metrics. The names of fields are those of JSON, of --where and --sort, and of the views of the
    session file, where a hyphen is an underscore.

    \b
    scopetrace fields              all of them
    scopetrace fields fs.close     what an event says about a file that was closed
    scopetrace fields flows -j     the fields of flows, as JSON
    """
    from scopetrace.model.nearest import did_you_mean
    from scopetrace.output.fields import COLUMNS, field_bodies, field_lines, groups, matching
    from scopetrace.output.width import terminal_columns

    chosen = chosen_form(form, as_json)
    found = matching(source or "")
    if not found:
        names = {name for group in groups() for name in (group.name, group.sourcetype)}
        raise UsageError(f"no source is named {source}{did_you_mean(str(source), names - {''})}")
    if chosen == "table":
        for line in field_lines(found, terminal_columns(sys.stdout)):
            print(line)
    else:
        print_bodies(chosen, [*field_bodies(found)], COLUMNS)
