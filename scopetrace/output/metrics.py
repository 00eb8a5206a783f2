"""Values of metrics as rows of a table, or as a column for each metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scopetrace.model.event import iso_time
from scopetrace.model.metric import MetricRecord

HEADINGS = ("NAME", "VALUE", "TYPE", "UNIT", "PID", "PROC", "TAGS")
RIGHT = ("VALUE", "PID")
"""Columns of numbers, aligned right."""

METRIC_FIELDS = ("id", "time", "time_ns", "name", "type", "unit", "value", "proc", "pid", "tags")
"""The columns of CSV and Markdown: those of the view `metrics`."""

SECOND_NS = 1_000_000_000
MEANS = ("timer", "histogram")
"""Types whose values are means, which cannot be added up."""


def metric_row(record: MetricRecord) -> tuple[object, ...]:
    """Return the cells of `HEADINGS`."""
    tags = ", ".join(f"{name}: {value}" for name, value in sorted(record.tags.items()))
    return (
        record.name,
        format_number(record.value),
        record.type.capitalize(),
        record.unit,
        record.pid,
        record.proc,
        tags,
    )


def metric_fields(record: MetricRecord) -> dict[str, Any]:
    """Return the values of `METRIC_FIELDS`."""
    return {"time": iso_time(record.time_ns), **record._asdict()}


def format_number(value: float) -> str:
    """Return a number with two decimals; none if it is whole, three digits if it is tiny."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    text = f"{value:.2f}"
    return text if text.strip("-0.") else f"{value:.3g}"


Moments = dict[int, dict[str, float]]
"""Unix second → name → value."""


def by_second(records: Iterable[MetricRecord]) -> Moments:
    """Return a row for each second, ordered by time, with a value for each metric.

    Counters are added up. Of a gauge, the last value of each process and set of tags is used, and
    these are added up. Means are averaged.
    """
    sums: Moments = {}
    counts: dict[tuple[int, str], int] = {}
    last: dict[tuple[Any, ...], float] = {}
    for record in sorted(records, key=lambda record: record.time_ns):
        second, name, value = record.time_ns // SECOND_NS, record.name, record.value
        row = sums.setdefault(second, {})
        if record.type == "gauge":
            series = (second, name, record.pid, tuple(sorted(record.tags.items())))
            value -= last.get(series, 0)
            last[series] = record.value
        elif record.type in MEANS:
            counts[second, name] = counts.get((second, name), 0) + 1
        row[name] = row.get(name, 0) + value
    for (second, name), count in counts.items():
        if count > 1:
            sums[second][name] /= count
    return sums


def columns(moments: Moments, asked: Iterable[str]) -> list[str]:
    """Return the names of the metrics in `moments`; those in `asked` are first."""
    there = dict.fromkeys(name for row in moments.values() for name in row)
    first = dict.fromkeys(name for name in asked if name in there)
    return list(first | there)
