"""Counts and sums of events that have one value of a field in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from scopetrace.model.fields import SOURCES
from scopetrace.output.answers import Column, terminal_table
from scopetrace.output.values import show_value

NO_VALUE = "-"
"""Stands for the field in the group of the events that do not have it."""
SUM_UNITS = {"duration_ms": "ms", "duration_us": "µs"}
"""Fields that are no data of an event, and their units."""


def group_bodies(
    field: str, summed: str | None, groups: Iterable[tuple[Any, int, float | None]]
) -> Iterator[dict[str, Any]]:
    """Yield each group as JSON has it: the field, `events` and, if one is summed up, `sum`."""
    for value, events, total in groups:
        yield {field: value, "events": events} | ({} if summed is None else {"sum": total or 0})


def group_table(
    field: str,
    summed: str | None,
    groups: Iterable[tuple[Any, int, float | None]],
    width: int | None,
) -> str:
    """Return a table of the groups; the unit of the sum stands in its heading.

    Args:
        field: by which events are grouped.
        summed: the field that is summed up, None if there is none.
        groups: value, number of events and sum.
        width: of the terminal; None: it is none.
    """
    columns = [Column("EVENTS", right=True), Column(field.upper())]
    if summed is not None:
        columns.insert(1, Column(f"SUM {_unit(summed)}".rstrip(), right=True))
    rows = (
        (events, *(() if summed is None else (show_value(total or 0),)), _shown(value))
        for value, events, total in groups
    )
    return terminal_table(columns, rows, width)


def _shown(value: Any) -> str:
    return NO_VALUE if value is None else show_value(value)


def _unit(name: str) -> str:
    """Return the unit of a field, nothing if it has none or another in each source."""
    units = {field.unit for source in SOURCES for field in source.fields if field.name == name}
    return SUM_UNITS.get(name) or (units.pop() if len(units) == 1 else "")
