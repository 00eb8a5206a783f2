"""Compares events with the table of fields: none has a field, or a type, that is not described."""

from __future__ import annotations

from collections.abc import Iterable

from scopetrace.model.event import EventRecord
from scopetrace.model.fields import BODY, BOOLEAN, INTEGER, LIST, NUMBER, SOURCES, TEXT
from scopetrace.model.metric import METRICS

TYPES: dict[str, tuple[type, ...]] = {
    TEXT: (str,),
    INTEGER: (int,),
    NUMBER: (int, float),
    BOOLEAN: (bool,),
    LIST: (list,),
}
ROWS = {
    (source.column, source.name): {field.name: field.type for field in source.fields}
    for source in SOURCES
}
BODY_NAMES = {field.name for field in BODY}
HTTP, METRIC = "http", "metric"


def check_described(events: Iterable[EventRecord]) -> None:
    """Raise AssertionError for the first field that the table does not describe.

    A metric that the program itself sent (StatsD) has whatever tags the program gave it.
    """
    for event in events:
        if event.sourcetype != METRIC or event.source in METRICS:
            for name, value in event.data.items():
                check_field(event, name, value)


def row_of(event: EventRecord) -> dict[str, str]:
    """Return field → type of the events that `event` is one of."""
    row = None if event.sourcetype == METRIC else ROWS.get(("source", event.source))
    return row if row is not None else ROWS["sourcetype", event.sourcetype]


def check_field(event: EventRecord, name: str, value: object) -> None:
    """Headers that a rule selects are fields too; tags of metrics may be called as in the body."""
    kind = row_of(event).get(name)
    if kind is None:
        free = event.sourcetype == HTTP or (event.sourcetype == METRIC and name in BODY_NAMES)
        assert free, f"{event.source}.{name} is not described in scopetrace/model/fields.py"
    else:
        assert type(value) in TYPES[kind], f"{event.source}.{name} is no {kind}: {value!r}"
