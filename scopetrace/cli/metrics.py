"""`scopetrace metrics`: the metrics of a session, one line for each value."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from scopetrace.cli.answers import chosen_form, on_terminal, print_bodies, refuse_with_form
from scopetrace.cli.options import (
    json_option,
    last_option,
    list_option,
    print_utf8,
    process_options,
    refuse_together,
    session_argument,
)
from scopetrace.errors import UsageError
from scopetrace.model.event import iso_time
from scopetrace.model.metric import METRICS, MetricRecord
from scopetrace.model.shown import print_to_stderr
from scopetrace.output.answers import FORMS
from scopetrace.output.escape import escape
from scopetrace.output.metrics import (
    HEADINGS,
    METRIC_FIELDS,
    RIGHT,
    SECOND_NS,
    by_second,
    columns,
    format_number,
    metric_fields,
    metric_row,
)
from scopetrace.output.width import DEFAULT_WIDTH, shorten, terminal_columns
from scopetrace.wire.ndjson import metric_body

if TYPE_CHECKING:
    from scopetrace.query import Session


OTHER_FORMS = ("statsd", "prometheus")
"""Formats of other programs, which take each value as it is."""


def complete_metric(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the completions of a comma-separated list of metrics."""
    before, comma, begun = incomplete.rpartition(",")
    return [before + comma + name for name in METRICS if name.startswith(begun)]


@click.command()
@session_argument
@list_option(
    "-m",
    "--metric",
    "name",
    shell_complete=complete_metric,
    help="Only these metrics: a name (net.tx), a prefix (fs.) or a pattern (*.duration).",
)
@process_options
@last_option("Show the last N that match.  [default: all]")
@click.option("-a", "--all", "show_all", is_flag=True, help="Show all that match, as without -n.")
@click.option("-u", "--uniq", is_flag=True, help="Only the first value of each metric.")
@click.option(
    "-c",
    "--cols",
    is_flag=True,
    help="A table with a column for each metric of -m, and a row for each time.",
)
@click.option("-g", "--graph", is_flag=True, help="Draw the metric of -m as a graph.")
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMS, "ndjson", *OTHER_FORMS]),
    help="Print a table (the default), CSV, Markdown, JSON (ndjson is the same), or what a StatsD"
    " server or Prometheus reads.",
)
@json_option
def metrics(session: str | None, **options: Any) -> None:
    """Show the metrics of a session: counts, sizes, durations.

    A value is about one period (10 s by default): of a counter the sum, of a gauge the value at the
    end of the period (in the last one of a process the maximum), of a timer or a histogram the
    mean. Metrics are recorded if metric.enable is true in scope.yml.

    \b
    scopetrace metrics                            all metrics of the last session
    scopetrace metrics -m net.tx -m net.duration --cols
    scopetrace metrics -m proc.cpu_perc --graph   the CPU usage over time
    scopetrace metrics -m net. --format csv       those of the network, for a spreadsheet
    scopetrace metrics --format prometheus        in the text format of Prometheus
    """
    from scopetrace.query import open_session

    _refuse_contradictions(options)
    with open_session(session) as opened:
        filters = {name: options[name] for name in ("name", "pid", "proc")}
        found = list(opened.metrics(**filters, last=_last(options)))
        if found:
            _show(opened, _first_of_each(found) if options["uniq"] else found, options)
        elif options["last"] != 0:
            _report_no_match(opened, any(filters.values()))


def _refuse_contradictions(options: dict[str, Any]) -> None:
    form = "json" if options["form"] == "ndjson" else options["form"]
    options["form"] = chosen_form(form, options["as_json"])
    pairs = (("show_all", "last"), ("cols", "graph"), ("cols", "uniq"), ("graph", "uniq"))
    refuse_together(options, *pairs)
    others = ("cols", "graph") if options["form"] in OTHER_FORMS else ("graph",)
    refuse_with_form(options, *others)
    if options["cols"] and not options["name"]:
        raise UsageError("--cols needs -m: the metrics to show side by side")
    if options["graph"] and len(options["name"]) != 1:
        raise UsageError("--graph needs one -m: the metric to draw")


def _last(options: dict[str, Any]) -> int | None:
    """Return how many values to read; --cols and --graph limit rows and points later."""
    last: int | None = options["last"]
    return None if last and (options["cols"] or options["graph"]) else last


def _first_of_each(found: Iterable[MetricRecord]) -> list[MetricRecord]:
    first: dict[str, MetricRecord] = {}
    for record in found:
        first.setdefault(record.name, record)
    return list(first.values())


def _show(session: Session, found: list[MetricRecord], options: dict[str, Any]) -> None:
    form = options["form"]
    if options["cols"]:
        _show_columns(found, options)
    elif options["graph"]:
        _print_lines(_graph(found, options))
    elif form == "table":
        _print_values(found)
    elif form in OTHER_FORMS:
        print_utf8()
        _print_lines(_formatted(session, found, form))
    elif form == "json":
        print_bodies(form, [metric_body(record) for record in found], ())
    else:
        print_bodies(form, [metric_fields(record) for record in found], METRIC_FIELDS)


def _print_values(found: list[MetricRecord]) -> None:
    """Print a row for each; on a terminal without the columns of a process that all are of."""
    is_one = len({(record.pid, record.proc) for record in found}) == 1
    left_out = ("PID", "PROC") if is_one and on_terminal() else ()
    kept = [at for at, heading in enumerate(HEADINGS) if heading not in left_out]
    rows = [tuple(row[at] for at in kept) for row in map(metric_row, found)]
    _print_table([HEADINGS[at] for at in kept], rows, RIGHT)


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _print_table(
    headings: Iterable[str], rows: Iterable[tuple[object, ...]], right: Iterable[str]
) -> None:
    from scopetrace.output.tables import format_table

    width = terminal_columns(sys.stdout)
    for line in format_table(tuple(headings), rows, tuple(right)).split("\n"):
        print(line if width is None else shorten(line, width))


def _show_columns(found: list[MetricRecord], options: dict[str, Any]) -> None:
    """Print a row for each second, with a column for each metric."""
    moments = by_second(found)
    names = columns(moments, options["name"])
    last = list(moments.items())[-(options["last"] or len(moments)) :]
    if options["form"] == "table":
        _print_columns(names, last)
    else:
        bodies = [
            {"time": iso_time(second * SECOND_NS), **{escape(n): row.get(n) for n in names}}
            for second, row in last
        ]
        print_bodies(options["form"], bodies, ("time", *map(escape, names)))


def _print_columns(names: Iterable[str], moments: Iterable[tuple[int, dict[str, float]]]) -> None:
    from scopetrace.output.units import format_stamp

    rows = (
        (format_stamp(second), *(format_number(row[n]) if n in row else None for n in names))
        for second, row in moments
    )
    headings = [escape(name) for name in names]
    _print_table(("TIME", *headings), rows, headings)


def _graph(found: list[MetricRecord], options: dict[str, Any]) -> list[str]:
    from scopetrace.output.graph import draw_graph

    names = sorted({record.name for record in found})
    if len(names) > 1:
        raise UsageError(f"--graph draws one metric; '{options['name'][0]}' is {', '.join(names)}")
    moments = by_second(found)
    points = [(second, row[names[0]]) for second, row in moments.items()]
    width = terminal_columns(sys.stdout) or DEFAULT_WIDTH
    title = f"{names[0]} ({found[0].unit or found[0].type})"
    return draw_graph(escape(title), points[-(options["last"] or len(points)) :], width)


def _formatted(session: Session, found: list[MetricRecord], form: str) -> Iterator[str]:
    if form == "prometheus":
        from scopetrace.output.prometheus import exposition

        yield from exposition(found)
    else:
        from scopetrace.wire.statsd import statsd_lines

        settings = session.metric_settings
        for record in found:
            for line in statsd_lines(record, settings.statsd_prefix, settings.statsd_most_bytes):
                yield escape(line.decode())


def _report_no_match(session: Session, filtered: bool) -> None:
    if filtered and next(session.metrics(last=1), None):
        reason = "no metric that matches"
    elif session.metric_settings.enabled:
        reason = "no metrics"
    else:
        reason = "no metrics: metric.enable was false in its configuration"
    print_to_stderr(f"session {session.info.id} has {reason}")
