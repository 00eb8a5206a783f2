"""What is in a session file: tables, views and indexes, and how an older file becomes a newer one.

`user_version` is the version of the schema, `application_id` says whose file it is (file(1) and
SQLite's pragma.html explain both). Each step of `MIGRATIONS` makes the next version from the one
before, the first from an empty file; a step, once released, never changes. Views hold no data, so
they are made anew after the last step. The comments in the statements describe tables and columns,
the unit in brackets: `.schema` shows them, and docs/sql.md is made of them (`make docs`).

For people with `sqlite3` or Datasette there are views `events` and `metrics`, each row with its
process, and one for each source: `fs_open`, `console`… Text in these ends at a NUL character, as
often in SQL; the event's `data` has all of it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress

from scopetrace.errors import SessionError
from scopetrace.model.fields import SOURCES, Source, column, durations

APPLICATION_ID = 0x53635472
"""`ScTr` in ASCII."""

SQLITE_FLOOR = (3, 37, 0)
"""The first version of SQLite with STRICT tables."""

TIME = (
    "strftime('%Y-%m-%dT%H:%M:%S', e.time_ns / 1000000000, 'unixepoch')"
    " || printf('.%06dZ', e.time_ns / 1000 % 1000000)"
)
"""SQL for the time of event `e` as ISO 8601 text, UTC, to the microsecond."""

INDEXES = {
    "event_source": "event (source)",
    "event_sourcetype": "event (sourcetype)",
    "event_process": "event (process)",
    "process_pid": "process (pid)",
    "process_proc": "process (proc)",
}
"""Made when the session ends. SQLite appends the rowid to each index, so rows come sorted by id."""

OTHER_INDEXES = {
    "metric_name": "metric (name)",
    "payload_channel": "payload (channel)",
    "syscall_time": "syscall (time_ns)",
}
"""Made with them. Queries for events do not need these, and files of version 1 lack them."""

LARGE_EVENTS = 50_000
"""A session with so many events keeps answers as well (the table `answer`); fewer are read in a
tenth of a second."""

_TABLES = (
    """
    CREATE TABLE session ( -- the recording itself; one row
        id INTEGER PRIMARY KEY, -- number of the session in its folder
        command TEXT NOT NULL, -- base name of the command
        args TEXT NOT NULL, -- the command line: a JSON list
        cwd TEXT NOT NULL, -- where it was started
        pid INTEGER NOT NULL, -- of its first process
        recorder_pid INTEGER NOT NULL, -- of the recorder
        recorder_started_ticks INTEGER NOT NULL, -- field 22 of /proc/PID/stat of the recorder
        boot_id TEXT NOT NULL, -- /proc/sys/kernel/random/boot_id
        host TEXT NOT NULL, -- name of the machine
        uid INTEGER NOT NULL, -- user id of who recorded
        username TEXT NOT NULL, -- name of that user
        version TEXT NOT NULL, -- of scopetrace
        started_ns INTEGER NOT NULL, -- Unix time of the start [ns]
        ended_ns INTEGER, -- Unix time of the end; NULL: not yet, or cut off [ns]
        status TEXT NOT NULL, -- running, finished, stopped, incomplete or interrupted
        exit_code INTEGER, -- exit status of the command
        signal INTEGER, -- number of the signal that ended it
        events INTEGER NOT NULL, -- how many events there are
        lost INTEGER NOT NULL, -- how many could not be stored
        config TEXT NOT NULL -- the configuration: a comment that names its file, then JSON
    ) STRICT""",
    """
    CREATE TABLE process ( -- one row for each program that a process ran, and each user it became
        id INTEGER PRIMARY KEY, -- number of the process image, from 1; used once, unlike a pid
        pid INTEGER NOT NULL, -- process id
        ppid INTEGER NOT NULL, -- process id of the parent
        parent INTEGER NOT NULL, -- process.id of the image it came from; 0: outside the session
        started_ns INTEGER NOT NULL, -- Unix time of its fork or exec [ns]
        proc TEXT NOT NULL, -- base name of the program
        cmd TEXT NOT NULL, -- command line as one text
        args TEXT NOT NULL, -- command line: a JSON list
        exe TEXT NOT NULL, -- path of the program
        cwd TEXT NOT NULL, -- current working directory at the start
        uid INTEGER NOT NULL, -- effective user id
        gid INTEGER NOT NULL, -- effective group id
        username TEXT NOT NULL, -- name of the user
        groupname TEXT NOT NULL, -- name of the group
        ended_ns INTEGER, -- Unix time of its end; NULL: not known [ns]
        exit_code INTEGER, -- exit status
        signal INTEGER, -- number of the signal that ended it
        replaced INTEGER -- 1: an exec put another program in its place
    ) STRICT""",
    """
    CREATE TABLE event ( -- one row for each event
        id INTEGER PRIMARY KEY, -- number of the event in its session, from 1
        time_ns INTEGER NOT NULL, -- Unix time at which it happened [ns]
        process INTEGER NOT NULL, -- process.id
        tid INTEGER NOT NULL, -- thread id
        sourcetype TEXT NOT NULL, -- kind of event: fs, net, console…
        source TEXT NOT NULL, -- name of the event (fs.open); of text where it was written
        channel INTEGER NOT NULL, -- shared by all events of one open file or flow; 0: none
        data TEXT NOT NULL -- its fields: a JSON object
    ) STRICT""",
)

_GATE = """
    CREATE TABLE gate ( -- calls by how they were made, if some make no stop (key `gate`)
        way TEXT PRIMARY KEY, -- gated: without a stop; else why it stopped: docs/performance.md
        calls INTEGER NOT NULL -- how many
    ) STRICT, WITHOUT ROWID"""

SESSION_TABLE = _TABLES[0].strip()
"""The statement as the file has it."""
SESSION_COLUMNS = tuple(re.findall(r"^ +(\w+) [A-Z]+", _TABLES[0], re.MULTILINE)[1:])

_MORE_TABLES = (
    """
    CREATE TABLE metric ( -- one row for each value of a metric in one period
        id INTEGER PRIMARY KEY, -- number of the value, from 1
        time_ns INTEGER NOT NULL, -- Unix time of the end of the period [ns]
        process INTEGER NOT NULL, -- process.id
        name TEXT NOT NULL, -- name of the metric
        type TEXT NOT NULL, -- counter, gauge, timer, histogram or set
        unit TEXT NOT NULL, -- unit of the value; empty: not known
        value ANY NOT NULL, -- INTEGER or REAL, as it was measured [unit]
        tags TEXT NOT NULL -- a JSON object
    ) STRICT""",
    """
    CREATE TABLE payload ( -- what went through connections (`run -p`), one row for each transfer
        id INTEGER PRIMARY KEY, -- number of the piece, from 1
        time_ns INTEGER NOT NULL, -- Unix time of the transfer [ns]
        process INTEGER NOT NULL, -- process.id
        channel INTEGER NOT NULL, -- event.channel of the flow
        direction TEXT NOT NULL, -- in or out, as the program sees it
        data BLOB NOT NULL, -- the bytes
        missing INTEGER NOT NULL -- how many followed these and were not recorded [bytes]
    ) STRICT""",
)

_SYSCALL = """
    CREATE TABLE syscall ( -- every system call that was recorded whole (`run --syscalls`)
        id INTEGER PRIMARY KEY, -- number of the call, from 1, in the order in which they ended
        time_ns INTEGER NOT NULL, -- Unix time at which it was entered [ns]
        duration_ns INTEGER NOT NULL, -- until it returned, or its thread ended [ns]
        process INTEGER NOT NULL, -- process.id
        tid INTEGER NOT NULL, -- thread id
        abi INTEGER NOT NULL, -- 0 x86-64, 1 i386, 2 x32; 16 signal, 17 end, 18 inherited fd
        number INTEGER NOT NULL, -- of the call in its ABI, of the signal, or the descriptor
        result INTEGER, -- what it returned; negative: -errno; NULL: it did not return
        data BLOB NOT NULL -- arguments and copied memory, packed: ext/call/packed.h
    ) STRICT"""

_ANSWER = """
    CREATE TABLE answer ( -- what views of a large session show, put together when it ended
        id INTEGER PRIMARY KEY, -- number of the part, from 1
        kind TEXT NOT NULL, -- of the records: FileRecord, FlowRecord, NameRecord
        made_from TEXT NOT NULL, -- version of scopetrace, fields of a record, last event
        data BLOB NOT NULL -- records: a JSON list of lists
    ) STRICT"""

_METRICS = f"""
    SELECT e.id, {TIME} AS time, e.time_ns, e.name, e.type, e.unit, e.value, p.proc, p.pid, e.tags
    FROM metric AS e LEFT JOIN process AS p ON p.id = e.process"""

_EVENTS = f"""
    SELECT e.id, {TIME} AS time, e.time_ns, e.sourcetype, e.source, p.proc, p.cmd, p.pid, e.tid,
        p.uid, p.gid, p.username, p.groupname, e.channel, e.data
    FROM event AS e LEFT JOIN process AS p ON p.id = e.process"""
"""The view that the others are made of: the schema is read at each opening, so it is kept short."""


def view_sql(source: Source) -> str:
    """Return the SELECT that is the view of `source`."""
    columns = ["id", "time", "time_ns", "proc", "pid"]
    if source.column == "sourcetype":
        columns.append("source")
    names = [field.name for field in source.fields]
    columns += [f"json_extract(data, '$.{name}') AS {column(name)}" for name in names]
    columns += [f"{sql} AS {name}" for name, sql in duration_columns(source, "data").items()]
    where = f"{source.column} = '{source.name}'"
    if source.column == "source":
        where += " AND sourcetype <> 'metric'"  # a metric may have the name of an event
    return f"SELECT {', '.join(columns)}, channel FROM events WHERE {where}"


def duration_columns(source: Source, data: str) -> dict[str, str]:
    """Return the SQL of `duration_ms` and `duration_us` of a source over the column `data`."""
    duration = f"json_extract({data}, '$.duration')"
    return {
        name: f"{duration} / {scale.divisor}.0"
        if scale.divisor > 1
        else f"{duration} * {scale.factor}"
        for name, scale in durations(source).items()
    }


def _version_1(db: sqlite3.Connection) -> None:
    for table in _TABLES:
        db.execute(table)


def _version_2(db: sqlite3.Connection) -> None:
    for table in _MORE_TABLES:
        db.execute(table)
    column = "tags TEXT NOT NULL DEFAULT '{}' /* tags of the configuration: a JSON object */"
    db.execute(f"ALTER TABLE process ADD COLUMN {column}")


def _version_3(db: sqlite3.Connection) -> None:
    column = "args_missing INTEGER NOT NULL DEFAULT 0 /* arguments beyond `argslimit` */"
    db.execute(f"ALTER TABLE process ADD COLUMN {column}")


def _version_4(db: sqlite3.Connection) -> None:
    db.execute(_SYSCALL)


def _version_5(db: sqlite3.Connection) -> None:
    db.execute(_GATE)


def _version_6(db: sqlite3.Connection) -> None:
    db.execute(_ANSWER)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _version_1,
    _version_2,
    _version_3,
    _version_4,
    _version_5,
    _version_6,
)
"""Step n, counted from 0, turns version n into version n + 1."""


def migrate(db: sqlite3.Connection) -> None:
    """Bring a file that is open for writing to the present version, all steps or none.

    Raises:
        SessionError: a newer scopetrace wrote it, or it is no session at all.
    """
    version = _version(db) if _is_ours(db) else 0
    if version == len(MIGRATIONS):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[version:]:
            step(db)
        _make_views(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _make_views(db: sqlite3.Connection) -> None:
    """Replace all views by those of this version."""
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
        db.execute(f'DROP VIEW "{name}"')
    db.execute(f"CREATE VIEW events AS {_EVENTS}")
    db.execute(f"CREATE VIEW metrics AS {_METRICS}")
    for source in SOURCES:
        db.execute(f"CREATE VIEW {source.view} AS {view_sql(source)}")


def check_readable(db: sqlite3.Connection) -> None:
    """Check that an open file is a session that this version can read.

    Raises:
        SessionError: it is not; the sentence has no file name, which the caller puts before it.
    """
    if not _is_ours(db) or _version(db) == 0:
        raise SessionError("it is not a scopetrace session")


def create_indexes(db: sqlite3.Connection) -> None:
    """Make all indexes in one transaction; if one fails (the disk is full), none is made."""
    db.execute("BEGIN")
    try:
        for name, columns in (INDEXES | OTHER_INDEXES).items():
            db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")
        db.execute("COMMIT")
    except sqlite3.Error:
        with suppress(sqlite3.Error):  # SQLite may have rolled it back
            db.execute("ROLLBACK")
        raise


def has_indexes(db: sqlite3.Connection) -> bool:
    """Return whether the indexes for queries of events exist.

    They do not while recording, nor if the recorder was killed.
    """
    found = db.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")
    return INDEXES.keys() <= {name for (name,) in found}


def has_index(db: sqlite3.Connection, name: str) -> bool:
    """Return whether a file has an index; one that is being recorded has none."""
    found = db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?", (name,))
    return found.fetchone() is not None


def has_table(db: sqlite3.Connection, name: str) -> bool:
    """Return whether a file has a table; files of older versions lack the newer ones."""
    found = db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None


def check_sqlite() -> None:
    """Raise SessionError if this version of SQLite cannot read or write session files."""
    if sqlite3.sqlite_version_info < SQLITE_FLOOR:
        floor = ".".join(map(str, SQLITE_FLOOR[:2]))
        raise SessionError(f"SQLite {floor} or later is needed; this is {sqlite3.sqlite_version}")


def _is_ours(db: sqlite3.Connection) -> bool:
    """Return whether a file has our application id; false for an empty file.

    Raises:
        SessionError: it is a database of another program.
    """
    if db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return True
    if db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise SessionError("it is not a scopetrace session")
    return False


def _version(db: sqlite3.Connection) -> int:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise SessionError(
            f"a newer scopetrace wrote it (version {version} of the file, known is"
            f" {len(MIGRATIONS)})"
        )
    return version
