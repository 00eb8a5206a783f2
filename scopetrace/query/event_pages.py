"""Pages of the events that match, by key: what a view that scrolls reads, never all rows.

The key of an event is its id. A filter that matches few events makes SQLite pass over many, so a
page is searched for in spans of ids: between two spans the caller can show what was found so far,
or stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from scopetrace.model.event import EventRecord
from scopetrace.query.events import EventQuery
from scopetrace.query.records import EVENT_COLUMNS, RecordReader

SPAN = 50_000
"""So many ids are searched at a time."""


class Span(NamedTuple):
    """What was found in one span of ids."""

    events: list[EventRecord]
    reached: int
    """Up to this id, or down to it, everything was searched."""


class EventPages:
    """The events that a query lets through, a page at a time."""

    def __init__(self, query: EventQuery, reader: RecordReader) -> None:
        self._query = query
        self._reader = reader

    def after(self, number: int, upto: int, most: int) -> Iterator[Span]:
        """Yield the first `most` events with `number` < id <= `upto`, oldest first, by spans."""
        while number < upto and most > 0:
            end = min(number + SPAN, upto)
            found = list(self._reader.read(self._query.page(EVENT_COLUMNS, number, end, most)))
            most -= len(found)
            number = end
            yield Span(found, end)

    def before(self, number: int, most: int) -> Iterator[Span]:
        """Yield the last `most` events with id < `number`, newest first, by spans."""
        while number > 1 and most > 0:
            start = max(number - 1 - SPAN, 0)
            rows = self._query.page(EVENT_COLUMNS, start, number - 1, most, backwards=True)
            found = list(self._reader.read(rows))
            most -= len(found)
            number = start + 1
            yield Span(found, number)
