"""What was found out about the reason of a call's failure, from the event of the same call.

The rule: a call and its event have the same thread and the same time of entry.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any

from scopetrace.model.names import signal_name
from scopetrace.model.whole_call import SIGNAL
from scopetrace.query.row_order import first_after
from scopetrace.query.sql_functions import JsonDecoder
from scopetrace.syscalls.chains import interruption_rank
from scopetrace.syscalls.descriptors import signed
from scopetrace.syscalls.recorded import Recorded

SOURCES = "('fs.error', 'net.error', 'proc.error')"
INTERRUPTED, NO_CHILD = "EINTR", "ECHILD"
P_PID = 1
_PAGE = 1000
MOST_THREADS = 1000
Key = tuple[int, int]
"""Thread and time of entry, ns."""


def data_of_failure(db: sqlite3.Connection, made: Recorded) -> dict[str, Any]:
    """Return the data of the event of a call that failed; empty: there is none."""
    if made.error in NO_EVENTS:
        return NO_EVENTS[made.error](db, made)
    sql = f"SELECT data FROM event WHERE time_ns = ? AND tid = ? AND source IN {SOURCES}"
    found = db.execute(sql, (made.time_ns, made.tid)).fetchone()
    return dict(JsonDecoder()(found[0])) if found else {}


def _signal_of(db: sqlite3.Connection, made: Recorded) -> dict[str, Any]:
    """Return which signal interrupted a call.

    Rows are in the order in which calls ended, and a signal has no duration: so those that came
    during the call stand between the first that ended after its entry, and its own.
    """
    first = first_after(db, "syscall", "time_ns + duration_ns", made.time_ns, made.id)
    sql = "SELECT number, time_ns FROM syscall WHERE id BETWEEN ? AND ? AND tid = ? AND abi = ?"
    rows = db.execute(sql, (first, made.id, made.tid, SIGNAL))
    found = max(rows, key=lambda row: interruption_rank(*row), default=None)
    return {"interrupted_by": signal_name(found[0])} if found else {}


def _whose_child(db: sqlite3.Connection, made: Recorded) -> dict[str, Any]:
    """Return that the process that was to be waited for is no child; empty: it is or was one."""
    args = made.call.args
    pid = signed(args[1] if args[0] == P_PID else -1) if made.name == "waitid" else signed(args[0])
    if pid <= 0:
        return {}
    sql = "SELECT 1 FROM process WHERE pid = ? AND ppid = ? LIMIT 1"
    if db.execute(sql, (pid, made.pid)).fetchone():
        return {}
    what = "is this process itself" if pid == made.pid else "is no child of this one"
    return {"detail": f"process {pid} {what}"}


NO_EVENTS: dict[str, Callable[[sqlite3.Connection, Recorded], dict[str, Any]]] = {
    INTERRUPTED: _signal_of,
    NO_CHILD: _whose_child,
}
"""Errors whose calls have no event of their own → what else the session says of them."""


class Failures:
    """The events of calls that failed, while calls are gone through in the order of their times.

    Events are in the order in which their calls ended, so reading stops at one that began later.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._rows: Iterator[tuple[int, int, str]] | None = None
        """Those behind the last one that was read; None: none was."""
        self._decode = JsonDecoder()
        self._waiting: dict[Key, str] = {}
        self._last_ns = 0

    def data_of(self, made: Recorded) -> dict[str, Any]:
        """Return the data of a call's event; empty: it did not fail, or there is none."""
        if not made.error:
            return {}
        if made.error in NO_EVENTS:
            return NO_EVENTS[made.error](self._db, made)
        if self._rows is None:
            self._rows = _events(self._db, _first_event(self._db, made.time_ns))
        key, end_ns = (made.tid, made.time_ns), made.time_ns + made.duration_ns
        while key not in self._waiting and self._last_ns <= end_ns:
            row = next(self._rows, None)
            if row is None:
                break
            tid, self._last_ns, data = row
            self._waiting[tid, self._last_ns] = data
        found = self._waiting.pop(key, None)
        if len(self._waiting) > _PAGE:
            self._forget(made.time_ns)
        return self._decode(found) if found else {}

    def _forget(self, before_ns: int) -> None:
        """Drop events that no later call can have."""
        self._waiting = {key: data for key, data in self._waiting.items() if key[1] >= before_ns}


def _first_event(db: sqlite3.Connection, time_ns: int) -> int:
    """Return a number below those of all events of calls that were entered from a time on.

    Events are in the order in which their calls ended. Of those that ended later, as many as there
    are threads may have been entered before: where so many follow each other, it is too early.
    """
    sql = "SELECT max(time_ns) FROM (SELECT time_ns FROM event WHERE id > ? ORDER BY id LIMIT ?)"

    def reaches(after: int) -> bool:
        (latest_ns,) = db.execute(sql, (after, MOST_THREADS)).fetchone()
        return latest_ns is None or latest_ns >= time_ns

    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
    return bisect_left(range(last), True, key=reaches)


def _events(db: sqlite3.Connection, after: int) -> Iterator[tuple[int, int, str]]:
    """Yield thread, time and data of each event, a page at a time."""
    while True:
        page = db.execute(
            f"SELECT id, tid, time_ns, data FROM event WHERE id > ? AND source IN {SOURCES}"
            f" ORDER BY id LIMIT {_PAGE}",
            (after,),
        ).fetchall()
        yield from (row[1:] for row in page)
        if len(page) < _PAGE:
            return
        after = page[-1][0]
