"""The events of a session but those of the most frequent sources, found without an index.

A session that is being recorded has no indexes, nor has one whose recorder was killed. So each
question about the events of one source would take a look at all events. Instead, one look notes
which events are none of `MANY`, in a table that only this connection has and sees; what is
committed later is added when the next question comes.
"""

from __future__ import annotations

import sqlite3

from scopetrace.db.errors import primary_code
from scopetrace.db.schema import has_index

MANY = ("fs.open", "fs.close", "fs.error")
"""The sources of most events."""
MOST = 2_000_000
"""So many events at most are noted; of more, a look at all of them takes no longer."""
_TABLES = (
    "CREATE TEMP TABLE IF NOT EXISTS few (id INTEGER PRIMARY KEY, sourcetype TEXT, source TEXT)",
    "CREATE TEMP TABLE IF NOT EXISTS few_state (upto INTEGER)",
    """
    CREATE TEMP VIEW IF NOT EXISTS few_event AS
    SELECT few.id AS id, e.time_ns AS time_ns, e.process AS process, e.tid AS tid,
        few.sourcetype AS sourcetype, few.source AS source, e.channel AS channel, e.data AS data
    FROM few CROSS JOIN main.event AS e ON e.id = few.id""",
)
_IS_FEW = " AND ".join(f"source <> '{name}'" for name in MANY)
_NOTE = (
    "INSERT OR IGNORE INTO few SELECT id, sourcetype, source FROM main.event NOT INDEXED"
    f" WHERE id > ? AND id <= ? AND {_IS_FEW} LIMIT ?"
)


def few_events(db: sqlite3.Connection) -> str:
    """Return the table to read events from whose source is none of `MANY`, as they are now.

    It has all columns of `event`, which it is where that has an index.
    """
    if has_index(db, "event_source"):
        return "event"
    try:
        return "few_event" if _are_noted(db) else "event"
    except sqlite3.OperationalError as error:
        if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
            raise
        return "event"  # there is no room for the table


def _are_noted(db: sqlite3.Connection) -> bool:
    """Note the events that are not noted yet; return whether they are few."""
    for table in _TABLES:
        db.execute(table)
    (last,) = db.execute("SELECT max(id) FROM main.event").fetchone()
    row = db.execute("SELECT upto FROM few_state").fetchone()
    upto = row[0] if row else 0
    if upto is None:
        return False
    if (last or 0) > upto:
        noted = db.execute(_NOTE, (upto, last, MOST)).rowcount
        (count,) = db.execute("SELECT count(*) FROM few").fetchone()
        is_too_many = noted == MOST or count > MOST
        if is_too_many:
            db.execute("DELETE FROM few")
        db.execute("DELETE FROM few_state")
        db.execute("INSERT INTO few_state VALUES (?)", (None if is_too_many else last,))
        return not is_too_many
    return True
