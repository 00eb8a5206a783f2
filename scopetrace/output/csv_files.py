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
from types import NoneType
from typing import Any

from scopetrace.model.event import EventRecord, iso_time
from scopetrace.model.fields import SOURCES, Source, column, durations
from scopetrace.model.metric import MetricRecord
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.output.metrics import METRIC_FIELDS, metric_fields

PIECE_CHARACTERS = 65_536
"""So much of a file is yielded at a time."""
FACTS = ("id", "time", "time_ns", "proc", "pid", "tid")
METRICS, PROCESSES = "metrics.csv", "processes.csv"
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
        fields = metric_fields(metric)
        if file.add(fields[name] for name in METRIC_FIELDS):
            yield METRICS, file.take()
    if file is not None:
        yield METRICS, file.take()


class _EventFile(_File):
    """The rows of one source."""

    def __init__(self, source: Source) -> None:
        super().__init__(headings(source))
        self._names = tuple(field.name for field in source.fields)
        self._known = frozenset(self._names)
        self._scales = tuple(durations(source).values())
        self._has_source = source.column == "sourcetype"

    def add_event(self, event: EventRecord) -> bool:
        """Add the row of an event; return whether it is time to take the rows."""
        data, time_ns = event.data, event.time_ns
        row: list[Any] = [event.id, iso_time(time_ns), time_ns, event.proc, event.pid, event.tid]
        if self._has_source:
            row.append(event.source)
        row += map(data.get, self._names)
        if self._scales:
            duration = event.integer("duration") if "duration" in data else None
            row += [None if duration is None else scale.of(duration) for scale in self._scales]
        row += (event.channel or None, self._unnamed(data))
        return self.add(row)

    def _unnamed(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return the fields that have no column."""
        if data.keys() <= self._known:
            return None
        return {name: value for name, value in data.items() if name not in self._known}


def _event_files(events: Iterable[EventRecord]) -> Iterator[tuple[str, bytes]]:
    sources = {(source.column, source.name): source for source in SOURCES}
    files: dict[str, _EventFile] = {}
    for event in events:
        by_type = sources.get(("sourcetype", event.sourcetype))
        source = by_type or sources.get(("source", event.source))
        if source is None:
            continue
        file = files.get(source.view)
        if file is None:
            file = files[source.view] = _EventFile(source)
        if file.add_event(event):
            yield f"{source.view}.csv", file.take()
    for view, file in files.items():
        yield f"{view}.csv", file.take()


def headings(source: Source) -> list[str]:
    """Return the names of the columns of a source's file."""
    names = ["source"] if source.column == "sourcetype" else []
    names += [column(field.name) for field in source.fields]
    return [*FACTS, *names, *durations(source), "channel", "more"]


def _cell(value: Any) -> Any:
    """Return what the module csv takes for a value; it writes None as nothing."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_PLAIN = frozenset((NoneType, str, int, float))
