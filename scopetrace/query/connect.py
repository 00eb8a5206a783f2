"""Open a session file as a read-only connection.

1. With mode=ro, which also works while the file is being recorded.
2. If SQLite cannot make the files that its write-ahead log needs (read-only media), with
immutable=1.
   That ignores the log, so it is done only if there is none.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from scopetrace.db.errors import primary_code, session_error
from scopetrace.db.schema import check_readable, check_sqlite
from scopetrace.db.text import decode_text
from scopetrace.errors import SessionError

_BUSY_TIMEOUT_S = 2.0


def connect(path: Path) -> sqlite3.Connection:
    """Open a session for reading, also one that is being recorded or was interrupted.

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
    """Raise SessionError if there is a write-ahead log, which could not be read here."""
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
        timeout=_BUSY_TIMEOUT_S,
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
    """Return whether SQLite could not set up its log, rather than read the file."""
    return primary_code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
