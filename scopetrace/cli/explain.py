"""`scopetrace explain`: what a system call does, what an error means."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from scopetrace.cli.options import json_option, session_option
from scopetrace.errors import UsageError

if TYPE_CHECKING:
    from scopetrace.output.explain import Part


@click.command()
@session_option
@click.argument("subject", metavar="CALL|ERROR|ID")
@json_option
def explain(session_id: str | None, subject: str, as_json: bool) -> None:
    """Explain a system call, an error, or the call of an event.

    CALL and ERROR need no session. ID is the number of an event, as `scopetrace events` shows it.

    \b
    scopetrace explain openat     what the call does and what it returns
    scopetrace explain EACCES     what the error means, and where to look
    scopetrace explain 645        the call of event 645 of the last session, and why it failed
    """
    from scopetrace.output.explain import explained_lines
    from scopetrace.output.width import terminal_columns
    from scopetrace.wire.ndjson import json_line

    shown, parts = _event(session_id, int(subject)) if subject.isdecimal() else ("", _text(subject))
    if as_json:
        print(json_line(dict(parts)))
        return
    if shown:
        print(shown)
    for line in explained_lines(parts, terminal_columns(sys.stdout)):
        print(line)


def _text(name: str) -> list[Part]:
    """Return what is to be said of a call or an error.

    Raises:
        UsageError: there is none of this name.
    """
    from scopetrace.explain.texts import errors
    from scopetrace.model.nearest import did_you_mean
    from scopetrace.output.explain import call_parts, error_parts, known_names

    error = errors().get(name.upper())
    parts = error_parts(error) if error is not None else call_parts(name)
    if not parts:
        near = did_you_mean(name, known_names())
        raise UsageError(f"no system call and no error is named {name}{near}")
    return parts


def _event(session_id: str | None, number: int) -> tuple[str, list[Part]]:
    """Return an event as a line, and what is to be said of its call."""
    from scopetrace.output.event_lines import LineFormat
    from scopetrace.output.explain import event_parts
    from scopetrace.query import open_session

    with open_session(session_id) as session:
        event = session.event(number)
    parts = event_parts(event)
    if not parts:
        raise UsageError(f"event {number} ({event.source}) is not about one system call")
    return LineFormat().format(event), parts
