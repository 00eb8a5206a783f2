"""`scopetrace history`: the list of sessions."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from scopetrace.cli.answers import chosen_form, format_option, print_bodies, refuse_with_form
from scopetrace.cli.options import count
from scopetrace.model.session import SessionInfo
from scopetrace.model.shown import shell_line
from scopetrace.output.answers import Column, terminal_table
from scopetrace.output.escape import escape
from scopetrace.output.status import describe_status
from scopetrace.output.tables import format_table
from scopetrace.output.units import format_duration
from scopetrace.output.width import shorten, terminal_columns
from scopetrace.query import list_sessions

HEADINGS = ("ID", "COMMAND", "CMDLINE", "PID", "AGE", "DURATION", "EVENTS", "STATUS")
TERMINAL_COLUMNS = (
    Column("ID", right=True),
    Column("COMMAND", least_width=100),
    Column("CMDLINE", fitted=True),
    Column("PID", right=True, least_width=100),
    Column("AGE", right=True),
    Column("DURATION", right=True),
    Column("EVENTS", right=True),
    Column("STATUS"),
)
CMDLINE_COLUMN_WIDTH = 40
"""Off a terminal."""
FIELDS = (
    *(name for name in SessionInfo._fields if not name.endswith("_ns")),
    *("started", "ended"),
)
"""The names of what other programs read of a session; both times are Unix time in seconds."""
UNKNOWN = "-"
"""The duration of a session whose recorder was killed."""


@click.command()
@click.option("-a", "--all", "show_all", is_flag=True, help="Show all sessions, not only the last.")
@click.option(
    "-n",
    "--last",
    type=count,
    default="20",
    show_default=True,
    metavar="N",
    help="Show the last N sessions.",
)
@click.option("-r", "--running", is_flag=True, help="Only sessions that are being recorded now.")
@click.option(
    "-d", "--dir", "paths", is_flag=True, help="Print only the paths of the session files."
)
@format_option
def history(
    show_all: bool, last: int, running: bool, paths: bool, form: str | None, as_json: bool
) -> None:
    """List the recorded sessions.

    \b
    scopetrace history                  the last 20 sessions
    scopetrace history -r               those that are being recorded now
    sqlite3 $(scopetrace history -dn1)  open the file of the last session
    """
    chosen = chosen_form(form, as_json)
    refuse_with_form({"paths": paths, "form": chosen, "as_json": as_json}, "paths")
    found = list_sessions(last=None if show_all or running else last)
    if running:
        found = [info for info in found if info.status == "running"]
    if not show_all:
        found = found[max(len(found) - last, 0) :]
    if chosen != "table":
        print_bodies(chosen, [_body(info) for info in found], FIELDS)
    elif paths:
        for info in found:
            print(escape(str(info.path)))
    else:
        print(_table(found, terminal_columns(sys.stdout)))


def _table(found: list[SessionInfo], width: int | None) -> str:
    now_ns = time.time_ns()
    rows = [_row(info, now_ns) for info in found]
    if width is not None:
        return terminal_table(TERMINAL_COLUMNS, rows, width)
    rows = [(*row[:2], shorten(str(row[2]), CMDLINE_COLUMN_WIDTH), *row[3:]) for row in rows]
    return format_table(HEADINGS, rows, ("PID", "EVENTS"))


def _row(info: SessionInfo, now_ns: int) -> tuple[object, ...]:
    duration_ns = _duration_ns(info, now_ns)
    return (
        info.id,
        info.command,
        escape(shell_line(info.args)),
        info.pid,
        format_duration(now_ns - info.started_ns),
        UNKNOWN if duration_ns is None else format_duration(duration_ns),
        info.events,
        describe_status(info),
    )


def _duration_ns(info: SessionInfo, now_ns: int) -> int | None:
    if info.status == "running":
        return now_ns - info.started_ns
    return None if info.ended_ns is None else info.ended_ns - info.started_ns


def _body(info: SessionInfo) -> dict[str, Any]:
    """Return the JSON object of a session; times are as in `events --json`."""
    body: dict[str, Any] = info._asdict()
    for name in ("started", "ended"):
        time_ns = body.pop(f"{name}_ns")
        body[name] = None if time_ns is None else time_ns // 1000 / 1_000_000
    return {name: str(v) if isinstance(v, Path) else v for name, v in body.items()}
