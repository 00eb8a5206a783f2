"""A session as CSV (RFC 4180): a file for each source, one of processes and one of metrics.

The files have the names and the columns of the views of the session file, which follow from
`model.fields`, and two more columns: tid, and `more` for fields of an event that its table does not
name (header fields that scope.yml asks for). Lists and `more` are JSON. What is no UTF-8 is written
as `\\udcff`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scopetrace.model.event import EventRecord, iso_time
from scopetrace.model.fields import SOURCES, Source, column, durations
from scopetrace.model.metric import MetricRecord
from scopetrace.model.process import Process, ProcessEnd

PIECE_CHARACTERS = 65_536
"""So much of a file is yielded at a time."""
FACTS = ("id", "time", "time_ns", "proc", "pid", "tid")
METRICS, PROCESSES = "metrics.csv", "processes.csv"
METRIC_FIELDS = ("id", "time", "time_ns", "name", "type", "unit", "value", "proc", "pid", "tags")
END_FIELDS = tuple(field for field in ProcessEnd._fields if field != "id")
NAMES = frozenset((*(f"{source.view}.csv" for source in SOURCES), METRICS, PROCESSES))
"""The names of all files that there can be."""


def csv_files(
    processes: Iterable[Process],
    ends: Iterable[ProcessEnd],
    events: Iterable[EventRecord],
    metrics: Iterable[MetricRecord],
) -> Iterator[tuple[str, bytes]]:
    """Yield the name of a file and the bytes to add to it."""
    yield from _process_file(processes, ends)
    yield from _event_files(events)
    yield from _metric_file(metrics)


class _File:
    """The rows of one file that are not yielded yet."""

    def __init__(self, headings: Sequence[str]) -> None:
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(headings)

    def add(self, values: Iterable[Any]) -> bool:
        """Add a row; return whether it is time to take the rows."""
        self._writer.writerow(map(_cell, values))
        return self._text.tell() >= PIECE_CHARACTERS

    def take(self) -> bytes:
        """Remove and return the rows."""
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode("utf-8", "backslashreplace")


def _process_file(
    processes: Iterable[Process], ends: Iterable[ProcessEnd]
) -> Iterator[tuple[str, bytes]]:
    file = _File((*Process._fields, *END_FIELDS))
    ended = {end.id: end for end in ends}
    for process in processes:
        end = ended.get(process.id)
        facts = [getattr(end, field) if end else None for field in END_FIELDS]
        if file.add((*process, *facts)):
            yield PROCESSES, file.take()
    yield PROCESSES, file.take()


def _metric_file(metrics: Iterable[MetricRecord]) -> Iterator[tuple[str, bytes]]:
    file = None
    for metric in metrics:
        file = file or _File(METRIC_FIELDS)
        values = (getattr(metric, name) for name in METRIC_FIELDS if name != "time")
        number, *others = values
        if file.add((number, iso_time(metric.time_ns), *others)):
            yield METRICS, file.take()
    if file is not None:
        yield METRICS, file.take()


def _event_files(events: Iterable[EventRecord]) -> Iterator[tuple[str, bytes]]:
    sources = {(source.column, source.name): source for source in SOURCES}
    files: dict[str, tuple[_File, Source]] = {}
    for event in events:
        by_type = sources.get(("sourcetype", event.sourcetype))
        source = by_type or sources.get(("source", event.source))
        if source is None:
            continue
        if source.view not in files:
            files[source.view] = (_File(headings(source)), source)
        file = files[source.view][0]
        if file.add(_row(event, source)):
            yield f"{source.view}.csv", file.take()
    for view, (file, _) in files.items():
        yield f"{view}.csv", file.take()


def headings(source: Source) -> list[str]:
    """Return the names of the columns of a source's file."""
    names = ["source"] if source.column == "sourcetype" else []
    names += [column(field.name) for field in source.fields]
    return [*FACTS, *names, *durations(source), "channel", "more"]


def _row(event: EventRecord, source: Source) -> Iterator[Any]:
    yield from (event.id, iso_time(event.time_ns), event.time_ns, event.proc, event.pid, event.tid)
    if source.column == "sourcetype":
        yield event.source
    data = event.data
    named = 0
    for field in source.fields:
        value = data.get(field.name)
        named += field.name in data
        yield value
    for scale in durations(source).values():
        yield scale.of(event.integer("duration")) if "duration" in data else None
    yield event.channel or None
    known = {field.name for field in source.fields} if named < len(data) else ()
    more = {name: value for name, value in data.items() if name not in known} if known else None
    yield more or None


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value
