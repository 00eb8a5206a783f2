"""A session file becomes a read-only connection, wherever it lies and whoever is writing it.

In order: as it is, which also serves a file that is being recorded; then, on media where SQLite
cannot make the files that its write-ahead log needs, as a file that nobody changes. The second way
would not see a log, so it is taken only if there is none.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from scopetrace.db.errors import primary_code, session_error
from scopetrace.db.schema import check_readable, check_sqlite
from scopetrace.db.text import decode_text
from scopetrace.errors import SessionError

_BUSY_SECONDS = 2.0


def connect(path: Path) -> sqlite3.Connection:
    """Open a session for reading, whatever state it was left in.

    Raises:
        SessionError: there is no such file, it cannot be read, or it is no session.
    """
    check_sqlite()
    _check_file(path)
    try:
        return _open(path, "mode=ro")
    except sqlite3.Error as error:
        if not _refused(error):
            raise session_error("read", path, error) from None
    _check_log(path)
    try:
        return _open(path, "mode=ro&immutable=1")
    except sqlite3.Error as error:
        raise session_error("read", path, error) from None


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise SessionError(f"no session file at {path}") from None
    except OSError as error:
        raise session_error("read", path, error) from None
    if empty:
        raise SessionError(f"cannot read {path}: the file is empty")


def _check_log(path: Path) -> None:
    """Refuse to leave out what stands in a write-ahead log that cannot be read here."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:
        raise SessionError(
            f"cannot read {path}: part of it is in {log.name}, which can be read only where this"
            " user may write: copy both files there"
        )


def _open(path: Path, how: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        db.text_factory = decode_text
        check_readable(db)
    except SessionError as error:
        db.close()
        raise SessionError(f"cannot read {path}: {error}") from None
    except sqlite3.Error:
        db.close()
        raise
    return db


def _refused(error: sqlite3.Error) -> bool:
    """Tell whether the log could not be set up, rather than the file read."""
    return primary_code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
