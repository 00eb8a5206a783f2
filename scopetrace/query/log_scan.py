"""The logs of a session and its console: how many lines each has, and its last one.

Events are counted by spans of ids, so that a view can show what is known so far.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from sys import maxsize

from scopetrace.model.summary import Log
from scopetrace.query.conditions import Condition, all_of
from scopetrace.query.few_events import few_events

SPAN = 100_000
"""So many ids are read at a time."""
MOST_LOGS = 10_000
"""Logs that a scan keeps; text in more of them is not counted."""
_TYPES = "sourcetype IN ('file', 'console')"
_SQL = rf"""
SELECT sourcetype, source, sum(length(text) - length(replace(text, '\n', ''))) / 2, max(id) FROM (
    SELECT id, sourcetype, source, replace(data, '\\', '') AS text FROM {{events}}
    WHERE {_TYPES} AND id > ? AND id <= ? {{of_processes}}
) GROUP BY sourcetype, source ORDER BY min(id)"""
"""A line end is `\\n` in JSON, where no backslash escapes the backslash. As json_extract() returns
it, the message would end at its first NUL."""


class LogScan:
    """The logs and the console of those events that were read so far.

    Args:
        db: an open session.
        users: conditions on the table `process`, all of which hold for who wrote; none: anybody.
        events: the table to read from.
    """

    def __init__(
        self, db: sqlite3.Connection, users: Sequence[Condition] = (), events: str = "event"
    ) -> None:
        self._db = db
        self._events = events
        self._users = all_of(users) if users else None
        self._ends: dict[tuple[str, str], int] = {}
        """Source type and source → line ends, in the order in which they were first written."""
        self._last: dict[tuple[str, str], int] = {}
        """The same → the last event."""
        self.after_id = 0
        """The events up to this one were read."""

    def read_on(self, upto: int, span: int = SPAN) -> bool:
        """Read the next events with ids up to `upto`; return whether there are more."""
        end = min(self.after_id + span, upto)
        rows = self._db.execute(*self._statement(end)).fetchall()  # all, or none if it is ended
        for sourcetype, source, ends, last in rows:
            key = sourcetype, source
            if key in self._ends or len(self._ends) < MOST_LOGS:
                self._ends[key] = self._ends.get(key, 0) + (ends or 0)
                self._last[key] = last
        self.after_id = end
        return end < upto

    def _statement(self, end: int) -> tuple[str, tuple[object, ...]]:
        span = (self.after_id, end)
        if self._users is None:
            return _SQL.format(events=self._events, of_processes=""), span
        users = f"AND process IN (SELECT id FROM process WHERE {self._users.sql})"
        return _SQL.format(events=self._events, of_processes=users), (
            *span,
            *self._users.parameters,
        )

    def logs(self) -> list[Log]:
        """Return the logs and the console, in the order in which they were first written."""
        return [self._log(*key) for key in self._ends]

    def _log(self, sourcetype: str, source: str) -> Log:
        key = sourcetype, source
        row = self._db.execute("SELECT data FROM event WHERE id = ?", (self._last[key],)).fetchone()
        message = str(json.loads(row[0]).get("message", ""))
        lines = message.rstrip("\n").splitlines()
        unfinished = bool(message) and not message.endswith("\n")
        return Log(source, self._ends[key] + unfinished, lines[-1] if lines else "", sourcetype)


def read_logs(db: sqlite3.Connection) -> list[Log]:
    """Return the logs and the console, in the order in which they were first written."""
    scan = LogScan(db, events=few_events(db))
    scan.read_on(maxsize, span=maxsize)
    return scan.logs()
