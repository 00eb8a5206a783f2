"""`scopetrace events`: the events of a session, one to a line, or one in full."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import filterfalse
from typing import TYPE_CHECKING, Any

import click

from scopetrace.cli.answers import (
    chosen_form,
    each_poll,
    format_option,
    on_terminal,
    print_bodies,
    refuse_with_form,
    report_hidden,
    start_up_option,
)
from scopetrace.cli.options import (
    Command,
    count,
    is_given,
    last_option,
    list_option,
    moment,
    option_name,
    print_utf8,
    process_options,
    refuse_together,
    session_option,
    span,
)
from scopetrace.cli.shell_complete import complete_event_field, complete_source, complete_sourcetype
from scopetrace.errors import UsageError
from scopetrace.model.event import EventRecord
from scopetrace.model.shown import print_to_stderr
from scopetrace.output.color import wants_color
from scopetrace.output.event_details import format_event
from scopetrace.output.event_lines import LineFormat
from scopetrace.output.event_times import MODES, EventTimes, Waits
from scopetrace.output.width import terminal_columns
from scopetrace.wire.ndjson import json_line, listed_body

if TYPE_CHECKING:
    from scopetrace.query import Session
    from scopetrace.query.startup import StartUp

DEFAULT_LAST = 20
"""Number of events that are shown without -n and -a."""
NOT_OF_GROUPS = ("last", "follow", "fields", "allfields", "sort", "reverse")
"""Options that say how single events are listed."""
TABLES = ("csv", "md")
OF_LINES = ("allfields", "time_mode", "gaps")
NOT_OF_FORMS = {"json": ("fields", *OF_LINES), **dict.fromkeys(TABLES, ("follow", *OF_LINES))}
"""Options that say how events are shown as lines, for each form that has none."""
COLUMNS = ("id", "time", "sourcetype", "source", "proc", "pid")
"""The first columns of CSV and Markdown, if none were asked for."""
Show = Callable[[EventRecord], list[str]]
"""Makes the rows of an event: one, or for text one for each line of it."""


def event_number(text: str) -> int:
    """Return the number of an event; for a word, point to -s, for a session file to --id."""
    if not text.isdecimal():
        hint = "--id chooses the session" if text.endswith(".db") else "-s chooses sources"
        raise click.BadParameter(f"'{text}' is not the number of an event; {hint}")
    return int(text)


def field_option(*names: str, help: str) -> Callable[[Command], Command]:
    """Return what adds an option whose value is a field of events."""
    return click.option(*names, metavar="FIELD", shell_complete=complete_event_field, help=help)


@click.command()
@click.argument("event", type=event_number, required=False, metavar="[ID]")
@session_option
@last_option(f"Show the last N that match; each line of a text counts.  [default: {DEFAULT_LAST}]")
@click.option(
    "-a", "--all", "show_all", is_flag=True, help="Show all that match, not only the last 20."
)
@start_up_option("events")
@list_option(
    "-s",
    "--source",
    shell_complete=complete_source,
    help="Only these sources: a name (fs.open), a prefix (fs, http.re) or a pattern (*.log).",
)
@list_option(
    "-t",
    "--sourcetype",
    shell_complete=complete_sourcetype,
    help="Only these source types: fs, net, http, dns, process, console, file, notice.",
)
@process_options
@click.option(
    "-m", "--match", multiple=True, metavar="TEXT", help="Only events that contain this text."
)
@click.option(
    "--where",
    metavar="EXPR",
    help='Only events that meet this SQL condition, such as "file_read_bytes > 1e6".',
)
@click.option(
    "--since",
    type=moment,
    metavar="TIME",
    help="Only events since then: 10m (ago), 14:05, an ISO date.",
)
@click.option("--until", type=moment, metavar="TIME", help="Only events before then.")
@click.option("-f", "--follow", is_flag=True, help="Also show new events, until the session ends.")
@list_option(
    "--fields",
    shell_complete=complete_event_field,
    help="Show these fields (`scopetrace fields`) instead of the usual ones.",
)
@click.option("--allfields", is_flag=True, help="Also show the fields that are usually left out.")
@click.option(
    "--time",
    "time_mode",
    type=click.Choice(MODES),
    help="Local time (the default), seconds since the session began, or since the line before.",
)
@click.option(
    "--gaps",
    type=span,
    metavar="SPAN",
    help="Mark where nothing happened for this long: 10ms, 2s. Without -n and -f, show all events.",
)
@field_option(
    "--sort",
    help="Order by this field, the largest first.",
)
@field_option(
    "--group-by",
    help="Count the events of each value of this field instead.",
)
@field_option(
    "--sum",
    "summed",
    help="Also sum this field up, for --group-by.",
)
@click.option("--top", type=count, metavar="N", help="Only so many groups, the largest first.")
@click.option("-r", "--reverse", is_flag=True, help="Reverse the order.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="When to use colours.",
)
@format_option
def events(event: int | None, session_id: str | None, **options: Any) -> None:
    """Show the events of a session, or one of them in full.

    An event is shown if it matches each option that is given; of several values of one option, one
    must match. On a terminal, without any such option, events of the start-up are left out
    (scope.yml, pathclasses).

    \b
    scopetrace events                            the last 20 events of the last session
    scopetrace events 12                         event 12 with all its fields
    scopetrace events -s fs.open -a              every file that was opened
    scopetrace events -t file,console -f         text that is written, while it is written
    scopetrace events --time rel --gaps 50ms     when it did what, and where it waited
    scopetrace events --where "file_read_bytes > 1e6 and file like '%.conf'"
    scopetrace events -j -a | jq -r .data.file   JSON for other programs
    scopetrace events --group-by file --sum file_read_bytes --top 5   what was read most
    """
    from scopetrace.query import open_session

    options["form"] = chosen_form(options["form"], options["as_json"])
    _refuse_contradictions(options)
    with open_session(session_id) as session:
        if event is not None:
            _show_one(session, session.event(event), options)
            return
        session.check_fields(options["fields"])
        if options["group_by"]:
            _show_groups(session, options)
        elif options["form"] in TABLES:
            _tabulate(session, options)
        else:
            _list(session, options)


def _refuse_contradictions(options: dict[str, Any]) -> None:
    if options["group_by"] is None:
        for name in ("summed", "top"):
            if is_given(options[name]):
                raise UsageError(f"{option_name(name)} needs --group-by")
    refuse_together(
        options,
        ("show_all", "last"),
        ("fields", "allfields"),
        *((one, other) for one in ("follow", "gaps") for other in ("sort", "reverse")),
        *(("group_by", name) for name in NOT_OF_GROUPS),
    )
    refuse_with_form(options, *NOT_OF_FORMS.get(options["form"], ()))


def _show_one(session: Session, record: EventRecord, options: dict[str, Any]) -> None:
    if options["form"] == "json":
        print_utf8()
        print(json_line(listed_body(record)))
    elif options["form"] in TABLES:
        _print_table(options, lambda: [record])
    else:
        color = wants_color(options["color"], sys.stdout)
        print(format_event(record, color=color, call=_call_of(session, record)))


def _call_of(session: Session, record: EventRecord) -> str:
    """Return the system call of an event with its number; empty: it was not recorded."""
    made = session.syscall_of(record)
    if made is None:
        return ""
    from scopetrace.output.syscall_lines import CallLines, LineOptions

    return f"{CallLines(LineOptions()).text(made)} (`scopetrace explain {made.id}`)"


def _show_groups(session: Session, options: dict[str, Any]) -> None:
    from scopetrace.output.event_groups import group_bodies, group_table

    field, summed, filters = options["group_by"], options["summed"], _filters(options)
    groups = session.event_groups(field, summed, options["top"], **filters)
    if not groups:
        if options["top"] != 0:
            _report_no_match(session, any(filters.values()))
    elif options["form"] == "table":
        print(group_table(field, summed, groups, terminal_columns(sys.stdout)))
    else:
        names = (field, "events", "sum")[: 2 if summed is None else 3]
        print_bodies(options["form"], [*group_bodies(field, summed, groups)], names)


def _tabulate(session: Session, options: dict[str, Any]) -> None:
    filters, order = _filters(options), _order(options)
    is_any = _print_table(options, lambda: session.events(**filters, **order))
    if not is_any and order["last"] != 0:
        _report_no_match(session, any(filters.values()))


def _print_table(options: dict[str, Any], read: Callable[[], Iterable[EventRecord]]) -> bool:
    """Print events as CSV or Markdown, with the fields asked for, or all; return whether any."""
    from scopetrace.output.answers import csv_lines, markdown_table

    names: dict[str, None] = dict.fromkeys(COLUMNS)
    is_any = False
    for record in read():
        is_any = True
        names.update(dict.fromkeys(record.data))
    fields = options["fields"] or tuple(names)
    rows = ({name: record.value(name) for name in fields} for record in read())
    print_utf8()
    if is_any and options["form"] == "csv":
        sys.stdout.writelines(csv_lines(rows, fields))
    elif is_any:
        print(markdown_table([*rows], fields))
    return is_any


def _list(session: Session, options: dict[str, Any]) -> None:
    show, filters, order = _formatter(session, options), _filters(options), _order(options)
    start_up = session.start_up() if _hides_start_up(options, filters) else None
    upto, hidden = session.last_id, 0
    newest_last = order["sort"] is None and options["form"] == "table"
    found: Iterable[EventRecord]
    if start_up is None:
        found = session.events(**filters, **order)
    else:
        found, hidden = session.own_events(order["last"])
    shown = _print(show, found, order["last"] if newest_last else None)
    if options["follow"]:
        shown = _follow(session, show, filters, max(upto, shown), start_up) or shown
    if hidden:
        report_hidden(hidden, "start-up event")
    elif not shown and order["last"] != 0:
        _report_no_match(session, any(filters.values()))


def _hides_start_up(options: dict[str, Any], filters: dict[str, Any]) -> bool:
    asked = ("start_up", "show_all", "sort", "reverse", "gaps")
    chosen = any(filters.values()) or any(options[name] for name in asked)
    return on_terminal() and options["form"] == "table" and not chosen


def _order(options: dict[str, Any]) -> dict[str, Any]:
    """Return number and order of the events; --reverse alone shows the newest first."""
    sort, reverse = options["sort"], options["reverse"]
    if sort is None and reverse:
        sort, reverse = "id", False
    last = options["last"]
    if last is None and (options["gaps"] is None or options["follow"]):
        last = DEFAULT_LAST
    return {"last": None if options["show_all"] else last, "sort": sort, "reverse": reverse}


def _formatter(session: Session, options: dict[str, Any]) -> Show:
    if options["form"] == "json":
        print_utf8()
        return lambda record: [json_line(listed_body(record))]
    return LineFormat(
        color=wants_color(options["color"], sys.stdout),
        columns=terminal_columns(sys.stdout),
        fields=options["fields"],
        all_fields=options["allfields"],
        times=EventTimes(options["time_mode"] or "abs", session.info.started_ns),
        waits=None if options["gaps"] is None else Waits(options["gaps"]),
        match=options["match"],
    ).rows


def _filters(options: dict[str, Any]) -> dict[str, Any]:
    filters = {name: options[name] for name in ("source", "sourcetype", "pid", "proc", "match")}
    return filters | {
        "where": options["where"],
        "since_ns": options["since"],
        "until_ns": options["until"],
    }


def _print(show: Show, found: Iterable[EventRecord], last: int | None = None) -> int:
    """Print the rows of events, with `last` only so many of them, those at the end.

    Return the highest id among the events, 0 if there is none.
    """
    newest = 0

    def rows() -> Iterator[str]:
        nonlocal newest
        for record in found:
            newest = max(newest, record.id)
            yield from show(record)

    write = sys.stdout.write
    for row in rows() if last is None else deque(rows(), last):
        write(row + "\n")
    return newest


def _follow(
    session: Session, show: Show, filters: dict[str, Any], seen: int, start_up: StartUp | None
) -> int:
    """Print what comes after event `seen` until the session ends; return the last one printed."""
    shown = 0
    for _ in each_poll(session):
        upto = session.last_id
        if upto > seen:
            found = session.events(**filters, after_id=seen)
            own = found if start_up is None else filterfalse(start_up.has_event, found)
            shown = _print(show, own) or shown
            seen = max(upto, shown)
    return shown


def _report_no_match(session: Session, filtered: bool) -> None:
    reason = "no event that matches" if filtered else "no events"
    print_to_stderr(f"session {session.info.id} has {reason}")
