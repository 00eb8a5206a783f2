"""Values of metrics as rows of a table, and as columns side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scopetrace.model.metric import MetricRecord

HEADINGS = ("NAME", "VALUE", "TYPE", "UNIT", "PID", "PROC", "TAGS")
RIGHT = ("VALUE", "PID")
"""The columns of numbers."""

SECOND_NS = 1_000_000_000
MEANS = ("timer", "histogram")
"""Types whose values are means, which do not add up."""


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


def format_number(value: float) -> str:
    """Return a whole number as it is, another with two decimals, or more if it is very small."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    text = f"{value:.2f}"
    return text if text.strip("-0.") else f"{value:.3g}"


Moments = dict[int, dict[str, float]]
"""Unix second → name → value."""


def by_second(records: Iterable[MetricRecord]) -> Moments:
    """Put values side by side, those of one second in one row, in the order of time.

    Counters add up. So do gauges, but of each thing the last value counts alone. Of means, it is
    the mean.
    """
    sums: Moments = {}
    counts: dict[tuple[int, str], int] = {}
    last: dict[tuple[Any, ...], float] = {}
    for record in sorted(records, key=lambda record: record.time_ns):
        second, name, value = record.time_ns // SECOND_NS, record.name, record.value
        row = sums.setdefault(second, {})
        if record.type == "gauge":
            thing = (second, name, record.pid, tuple(sorted(record.tags.items())))
            value -= last.get(thing, 0)
            last[thing] = record.value
        elif record.type in MEANS:
            counts[second, name] = counts.get((second, name), 0) + 1
        row[name] = row.get(name, 0) + value
    for (second, name), count in counts.items():
        if count > 1:
            sums[second][name] /= count
    return sums


def columns(moments: Moments, asked: Iterable[str]) -> list[str]:
    """Return the names that there are, those that were asked for by name first."""
    there = dict.fromkeys(name for row in moments.values() for name in row)
    first = dict.fromkeys(name for name in asked if name in there)
    return list(first | there)
