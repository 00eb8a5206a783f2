"""The one writer of a session file.

Rows that are added between two calls of `commit` are one transaction: after a kill or a crash the
file has all of them or none. If they cannot be written (the disk is full, say) a SessionError is
raised, the rows of that batch are counted in `lost`, and the next batch is tried. Rows about
processes and facts about the session are kept for the next batch instead, since later events refer
to them. Only one thread at a time may use a writer.

The file may be deleted while it is written: later rows would go into a file without a name. So
after each commit the writer checks that the file is still there, and whole, as is its write-ahead
log. If not, it begins a new file of the same name with the session, its processes, and the rows
that were written since the last check.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scopetrace.db.errors import primary_code, session_error
from scopetrace.db.file_size_limit import file_limit, limit_growth
from scopetrace.db.folder import make_folder
from scopetrace.db.paths import COMPANIONS, RESERVE, parse_file_name
from scopetrace.db.schema import LARGE_EVENTS, create_indexes
from scopetrace.db.text import decode_text, place_for, stored
from scopetrace.errors import SessionError
from scopetrace.model.event import Event
from scopetrace.model.metric import Sample
from scopetrace.model.payload import Payload
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.model.session import SessionInfo
from scopetrace.store.inserts import COLUMNS, Inserts, process_rows
from scopetrace.store.new_file import new_session_file, read_about, take_rows
from scopetrace.store.presence import Log, Presence
from scopetrace.store.session_id import give_back_id

_DIRECTIONS = ("in", "out")
_NUMBERS = ("id", "pid", "ppid", "parent", "started_ns", "uid", "gid")
_PROCESS_VALUES = ", ".join(
    "?" if field in _NUMBERS else "CAST(? AS TEXT)" for field in Process._fields
)
_INSERT_PROCESS = (
    f"INSERT OR REPLACE INTO process ({', '.join(Process._fields)}) VALUES ({_PROCESS_VALUES})"
)
_END_PROCESS = (
    "UPDATE process SET ended_ns = ?, exit_code = ?, signal = ?, replaced = ? WHERE id = ?"
)

FACTS = (*(field for field in SessionInfo._fields if field != "path"), "config")
"""Columns of the table `session`: the fields of SessionInfo but its path, and the configuration."""

_RESERVE_BYTES = 128 * 1024
"""Disk space that is reserved while recording: with it the status of a session can be written when
the disk is full."""
_MOST_PENDING = 20_000
"""Processes that are kept while they cannot be written; beyond that the oldest are lost. Also the
rows of each table that are kept for a new file after the old one was deleted."""
_NEW_FILE_RETRY_S = 1.0
"""Time between two attempts to begin that new file."""
_RESERVE_PAGES = 8
"""Pages below the limit on the size of files (RLIMIT_FSIZE) that are kept for the final status."""
_ROWS_BELOW_LIMIT = 50
"""Rows that are committed together where there is such a limit."""
_LATE_EVENTS = 500
"""So many last events are searched for the last text of the console."""
_BUSY_TIMEOUT_S = 2.0
_SWITCH_TRIES = 10
_SWITCH_RETRY_S = 0.05
_HELD_UP = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
"""What a log is to its owner while root is making it."""


class SessionWriter:
    """Writes one session; `SessionStore.create` makes it.

    Every method but `discard` may raise SessionError; the writer can still be used after it.
    """

    id: int
    path: Path
    lost: int
    """Events, metrics, payloads and calls that were added and could not be written."""
    setback: str
    """A sentence about what happened to the file; the recorder prints and empties it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost = 0
        self.setback = ""
        self._uncommitted: Counter[str] = Counter()
        self._committed: Counter[str] = Counter()
        self._seen_in_place: Counter[str] = Counter()
        self._has_failed = False
        self._next_try_s = 0.0
        self._lost_elsewhere = 0
        self._starts: list[Process] = []
        self._ends: list[ProcessEnd] = []
        self._facts: dict[str, Any] = {}
        self._ways: list[tuple[str, int]] = []
        self._db, self._about = _connect(path)
        self._inserts = Inserts(self._db)
        self.id = self._about["id"]
        self._presence = Presence(path)
        self._reserve = _reserve(path)

    def add_process(self, process: Process) -> None:
        """Write a process image with the next commit."""
        self._starts.append(process)

    def end_process(self, end: ProcessEnd) -> None:
        """Write how a process image ended with the next commit."""
        self._ends.append(end)

    def add_events(self, events: Iterable[Event]) -> None:
        """Write `events` in their order; the next commit makes them visible and lasting."""
        self._insert("event", list(events))

    def add_metrics(self, samples: Iterable[Sample]) -> None:
        """Write samples in their order; the next commit makes them visible and lasting."""
        self._insert("metric", list(samples))

    def add_payloads(self, payloads: Iterable[Payload]) -> None:
        """Write payloads in their order; the next commit makes them visible and lasting."""
        rows = [
            (time_ns, process, channel, _DIRECTIONS[outgoing], data, missing)
            for time_ns, process, channel, outgoing, data, missing in payloads
        ]
        self._insert("payload", rows)

    def add_calls(self, calls: Sequence[tuple[Any, ...]]) -> None:
        """Write calls in their order; the next commit makes them visible and lasting."""
        self._insert("syscall", list(calls))

    def count_ways(self, ways: Mapping[str, int]) -> None:
        """Write with the next commit how many calls programs have made so far in which way."""
        self._ways = list(ways.items())

    def commit(self) -> None:
        """Make all rows since the last commit visible to readers and safe against a crash."""
        if not (self._uncommitted or self._starts or self._ends or self._facts or self._ways):
            return
        log_before = Log.of(self.path)
        with self._batch():
            self._begin()
            self._write_processes()
            self._write_facts()
            self._db.executemany(
                "INSERT OR REPLACE INTO gate (way, calls) VALUES (?, ?)", self._ways
            )
            self._db.execute("COMMIT")
        self._starts.clear()
        self._ends.clear()
        self._facts.clear()
        self._ways.clear()
        self._committed += self._uncommitted
        self._uncommitted.clear()
        self._presence.look_at_log(log_before)
        if self._presence.log_is_cut or not self._presence.is_in_place():
            if time.monotonic() < self._next_try_s:
                return
            self._next_try_s = time.monotonic() + _NEW_FILE_RETRY_S
            self._begin_anew()
        self._seen_in_place = self._committed.copy()

    def update(self, **facts: Any) -> None:
        """Set fields of SessionInfo (and `config`) with the next commit.

        `lost` is what was lost before it came to this writer; the writer adds its own losses.
        `events` and `id` cannot be set.
        """
        unknown = facts.keys() - set(FACTS) | facts.keys() & {"id", "events"}
        if unknown:
            raise TypeError(f"no such fact of a session: {', '.join(sorted(unknown))}")
        self._lost_elsewhere = facts.pop("lost", self._lost_elsewhere)
        self._facts.update(facts)
        self._facts.setdefault("lost", 0)

    def last_text(self, streams: Sequence[str]) -> str:
        """Return the last text that was written to these console streams; empty: none of late.

        The recorder asks for it when the program ends, which waits for the answer.
        """
        marks = ", ".join("?" * len(streams))
        sql = (
            "SELECT data FROM event WHERE id > (SELECT max(id) FROM event) - ?"
            f" AND sourcetype = 'console' AND source IN ({marks}) ORDER BY id DESC LIMIT 1"
        )
        try:
            row = self._db.execute(sql, (_LATE_EVENTS, *streams)).fetchone()
        except sqlite3.Error:
            return ""
        return str(json.loads(row[0]).get("message", "")) if row else ""

    def release_reserve(self) -> None:
        """Release the reserved disk space, so that the final status can be written.

        If a batch was lost the disk is full, and the rows about processes that wait would take this
        space: they are counted as lost, too.
        """
        with suppress(OSError):
            self._reserve.unlink(missing_ok=True)
        with suppress(sqlite3.Error):
            limit_growth(self._db, 0)
        if self._has_failed:
            self._lose_processes()

    def finish(
        self,
        status: str = "finished",
        *,
        keep_answers: Callable[[sqlite3.Connection], None] | None = None,
        **facts: Any,
    ) -> None:
        """Close the session for good: one file with indexes, no log and no reserve beside it.

        `facts` are as for `update`; `ended_ns` is now unless given. If this writer has lost events,
        "finished" becomes "incomplete". `keep_answers` is called with a large session, to add what
        is read from all its events. The file is closed whatever happens.

        Raises:
            SessionError: the last batch or the status could not be written.
        """
        self.release_reserve()
        self._next_try_s = 0.0
        try:
            self._commit_last(status, {"ended_ns": time.time_ns(), **facts})
            with suppress(sqlite3.Error):  # a session without them is slow, not wrong
                create_indexes(self._db)
                if keep_answers is not None and self._committed["event"] >= LARGE_EVENTS:
                    keep_answers(self._db)
            with suppress(sqlite3.Error):  # a reader holds it open: then it stays in WAL mode
                self._leave_wal()
        finally:
            self._close()
            if self._presence.is_in_place():
                with suppress(OSError):
                    self._reserve.unlink(missing_ok=True)  # a new file has a new reserve

    def discard(self) -> None:
        """Delete the session; its id may be used again."""
        self._close()
        for suffix in ("", *COMPANIONS):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        if parse_file_name(self.path.name):
            with suppress(SessionError):
                give_back_id(self.path.parent, self.id)

    def _commit_last(self, status: str, facts: dict[str, Any]) -> None:
        """Commit with the final status; if that fails, once more without the waiting processes."""
        try:
            self._commit_status(status, facts)
        except SessionError:
            self._lose_processes()
            self._commit_status(status, facts)
            raise

    def _lose_processes(self) -> None:
        self.lost += len(self._starts) + len(self._ends)
        self._starts.clear()
        self._ends.clear()

    def _commit_status(self, status: str, facts: dict[str, Any]) -> None:
        self.update(status="incomplete" if self.lost and status == "finished" else status, **facts)
        self.commit()

    def _leave_wal(self) -> None:
        """Copy the write-ahead log into the file and delete it; retry while readers have it open.

        SQLite opens the log by its name at each try (`sqlite3PagerCloseWal`). If a file of another
        session has this name by now, SQLite would take that session's log for ours: copy it into
        our file, and delete it.
        """
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for _ in range(_SWITCH_TRIES):
            if not self._presence.is_in_place():
                return
            with suppress(sqlite3.OperationalError):
                self._db.execute("PRAGMA journal_mode = DELETE")
                return
            time.sleep(_SWITCH_RETRY_S)

    def _close(self) -> None:
        self._inserts.close()
        with suppress(sqlite3.Error):
            self._db.close()

    def _insert(self, table: str, rows: list[Any]) -> None:
        """Add rows; below a limit on the size of files commit every few.

        The log is a file, too, and grows with what is not committed.
        """
        if file_limit() is None:
            self._insert_some(table, rows)
            return
        for at in range(0, len(rows), _ROWS_BELOW_LIMIT):
            try:
                self._insert_some(table, rows[at : at + _ROWS_BELOW_LIMIT])
                self.commit()
            except SessionError:
                self.lost += len(rows[at + _ROWS_BELOW_LIMIT :])
                raise

    def _insert_some(self, table: str, rows: list[Any]) -> None:
        if not rows:
            return
        self._uncommitted[table] += len(rows)
        with self._batch():
            self._begin()
            self._inserts.add(table, rows)

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _batch(self) -> Iterator[None]:
        """Run statements of a batch; if one fails, roll back and count its rows as lost."""
        try:
            yield
        except sqlite3.Error as error:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            self._give_up()
            raise session_error("write", self.path, error) from None

    def _give_up(self) -> None:
        self._has_failed |= self._uncommitted.total() > 0
        self.lost += self._uncommitted.total()
        self._uncommitted.clear()
        self._facts.setdefault("lost", 0)
        del self._starts[:-_MOST_PENDING]
        del self._ends[:-_MOST_PENDING]

    def _write_processes(self) -> None:
        self._db.executemany(_INSERT_PROCESS, process_rows(self._starts))
        self._db.executemany(
            _END_PROCESS,
            ((e.ended_ns, e.exit_code, e.signal, e.replaced, e.id) for e in self._ends),
        )

    def _write_facts(self) -> None:
        events = self._committed["event"] + self._uncommitted["event"]
        facts = {**self._facts, "events": events}
        if "lost" in facts:
            facts["lost"] = self._lost_elsewhere + self.lost
        self._about.update(facts)
        _update_session(self._db, facts)

    def _begin_anew(self) -> None:
        """Begin a new file with the rows that were committed since the old one was last in place.

        Raises:
            SessionError: there can be no new file yet; the old one, still open, has the rows.
        """
        self._check_name_is_free()
        kept = [take_rows(self._db, table, self._first_kept(table)) for table in COLUMNS]
        counts = Counter({rows.table: len(rows.values) for rows in kept})
        gone = (self._committed - counts).total()
        about = {**self._about, "events": counts["event"]}
        about["lost"] = self._lost_elsewhere + self.lost + gone
        if about["status"] == "finished" and about["lost"]:
            about["status"] = "incomplete"
        with new_session_file(self.path, about, [take_rows(self._db, "process"), *kept]):
            self._leave_log()
        try:
            opened, presence = _connect(self.path), Presence(self.path)
        except (SessionError, OSError) as error:
            self.path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise session_error("write", self.path, error) from None
            raise
        self._close()
        self._db, self._about = opened
        self._inserts = Inserts(self._db)
        self._committed = counts
        self.lost += gone
        self._presence = presence
        presence.begin_log()
        self._reserve = _reserve(self.path)
        self._next_try_s = 0.0
        self.setback = f"{self.path} was removed or cut while it was written, and was begun anew"

    def _leave_log(self) -> None:
        """Delete the log of the deleted file; if that was only renamed, it has all its rows.

        SQLite notices that the file was renamed and keeps the log, which the new file of that name
        would take for its own.
        """
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def _first_kept(self, table: str) -> int:
        """Return how many rows of a table stay in the old file only."""
        return max(self._seen_in_place[table], self._committed[table] - _MOST_PENDING)

    def _check_name_is_free(self) -> None:
        """Check that no other file has the name by now; a rest of our own file is replaced."""
        make_folder(self.path.parent)
        with suppress(FileNotFoundError, NotADirectoryError):
            if not self._presence.has_name():
                raise SessionError(f"cannot write {self.path}: another file has taken its place")


def _update_session(db: sqlite3.Connection, facts: dict[str, Any]) -> None:
    places = ", ".join(f"{name} = {place_for(value)}" for name, value in facts.items())
    db.execute(f"UPDATE session SET {places}", [stored(value) for value in facts.values()])


def _reserve(path: Path) -> Path:
    """Reserve disk space for the last commit; without it, that commit may fail."""
    reserve = Path(f"{path}{RESERVE}")
    with suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(reserve, flags, 0o600)
        try:
            os.posix_fallocate(fd, 0, _RESERVE_BYTES)
        finally:
            os.close(fd)
    return reserve


def _connect(path: Path) -> tuple[sqlite3.Connection, dict[str, Any]]:
    """Open a session for writing; return its connection and its row of the table `session`.

    If root reads the session of another user in this moment, SQLite makes the files of the log as
    root and then changes their owner. Until then the session's owner cannot open them; if it is
    changed while SQLite tries to, it opens them for reading alone.
    """
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            return _open(path)
        except sqlite3.Error as error:
            if primary_code(error) not in _HELD_UP or time.monotonic() > deadline:
                raise session_error("write", path, error) from None
        time.sleep(_SWITCH_RETRY_S)


def _open(path: Path) -> tuple[sqlite3.Connection, dict[str, Any]]:
    db = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        limit_growth(db, _RESERVE_PAGES)
        db.text_factory = decode_text
        about = read_about(db)
        db.execute("BEGIN IMMEDIATE")  # fails if the log can only be read
        db.execute("ROLLBACK")
        return db, about
    except sqlite3.Error:
        db.close()
        raise
