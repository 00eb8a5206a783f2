"""The view of logs: a row for each file that was taken for one, and for the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scopetrace.dash.place import Place
from scopetrace.dash.rows import Row
from scopetrace.dash.scan_view import ScanView
from scopetrace.model.summary import Log
from scopetrace.output.answers import Column
from scopetrace.output.escape import escape_message
from scopetrace.query import Session
from scopetrace.query.log_scan import LogScan


class LogsView(ScanView[Log, LogScan]):
    """Logs: how many lines, and the last one."""

    name = "logs"
    columns = (Column("LINES", right=True), Column("LOG"), Column("LAST LINE"))
    sorts = ("", "lines", "path")
    fields = Log._fields

    def begin(self, session: Session, pid: int | tuple[()]) -> LogScan:
        """Return a scan of the logs of one process, or of all."""
        return session.log_scan(pid)

    def found(self, scan: LogScan, place: Place) -> tuple[list[Log], str]:
        """Return the logs known so far."""
        return scan.logs(), ""

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
