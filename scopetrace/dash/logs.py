"""The view of logs: a row for each file that was taken for one, and for the console."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scopetrace.dash.place import Place
from scopetrace.dash.rows import Row
from scopetrace.dash.view import SHOW_EVERY_S, ListView
from scopetrace.model.summary import Log
from scopetrace.output.answers import Column
from scopetrace.output.escape import escape_message
from scopetrace.query import Session
from scopetrace.query.log_scan import LogScan


class LogsView(ListView[Log]):
    """Logs: how many lines, and the last one."""

    name = "logs"
    columns = (Column("LINES", right=True), Column("LOG"), Column("LAST LINE"))
    sorts = ("", "lines", "path")
    fields = Log._fields

    def __init__(self) -> None:
        self._scan: LogScan | None = None
        self._scanned: int | None = None
        """The pid that the scan is about."""

    def records(self, session: Session, place: Place) -> Iterator[tuple[list[Log], str] | None]:
        """Yield the logs known so far; the next call goes on where this one was left."""
        scan, upto = self._scan_of(session, place.scope.pid), session.last_id
        shown_s = time.monotonic()
        while scan.read_on(upto):
            if time.monotonic() - shown_s >= SHOW_EVERY_S:
                yield scan.logs(), f"events read: {scan.after_id:,} of {upto:,}"
                shown_s = time.monotonic()
            else:
                yield None
        yield scan.logs(), ""

    def _scan_of(self, session: Session, pid: int | None) -> LogScan:
        if self._scan is None or self._scanned != pid:
            self._scan = session.log_scan(() if pid is None else pid)
            self._scanned = pid
        return self._scan

    def row(self, place: Place, number: int, record: Log) -> Row:
        """Return the row of a log."""
        cells = (f"{record.lines:,}", record.path, escape_message(record.last))
        return Row(number, cells, Place("events", place.scope._replace(log=record.path)))

    def body(self, record: Log) -> Mapping[str, Any]:
        """Return a log with its fields."""
        return record._asdict()

    def value(self, record: Log, field: str) -> Any:
        """Return the value of a field."""
        return getattr(record, field)

    def texts(self, record: Log) -> Sequence[str]:
        """Return its path and its last line."""
        return record.path, record.last

    def words(self, place: Place) -> list[str]:
        """Return the command that shows all their text."""
        words = ["events", "-a", "-t", "file,console"]
        if place.scope.pid is not None:
            words += ["-p", str(place.scope.pid)]
        return [*words, "-m", place.match] if place.match else words
