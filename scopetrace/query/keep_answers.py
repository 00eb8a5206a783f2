"""What is put together once for a large session, when it has ended (`query.answers`).

A session that is being recorded or was cut off keeps no answers, nor does one that is small, nor is
anything kept about very many files.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from scopetrace.query.answers import keep_answer

MOST_FILES = 100_000
"""Putting the answer together takes up to a kilobyte of memory for each file."""


def keep_answers(db: sqlite3.Connection) -> None:
    """Keep the answers of a large session (`db.schema.LARGE_EVENTS`) that has ended, all or none.

    Args:
        db: the session, open for writing.

    Raises:
        sqlite3.Error: they could not be written.
    """
    db.execute("BEGIN")
    try:
        _keep_files(db)
        _keep_flows(db)
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite may have rolled it back
            db.execute("ROLLBACK")
        raise


def _keep_files(db: sqlite3.Connection) -> None:
    from scopetrace.model.file_record import FileRecord, NameRecord
    from scopetrace.query.file_names import name_records
    from scopetrace.query.files import add_up, file_records
    from scopetrace.query.path_classes import read_path_classes

    (config,) = db.execute("SELECT config FROM session").fetchone()
    files = add_up(db, most=MOST_FILES, with_uses=True)
    if files is not None:
        keep_answer(db, FileRecord, file_records(db, read_path_classes(config), files))
        if files.has_uses:
            keep_answer(db, NameRecord, name_records(db, files))


def _keep_flows(db: sqlite3.Connection) -> None:
    from scopetrace.model.flow_record import FlowRecord
    from scopetrace.query.flows import read_from_events

    keep_answer(db, FlowRecord, read_from_events(db))
