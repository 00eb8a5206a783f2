"""Errors of SQLite and of the system as sentences."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from scopetrace.db.file_size_limit import has_room_on_disk, is_at_limit
from scopetrace.errors import SessionError

_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
    sqlite3.SQLITE_PERM: "permission denied",
    sqlite3.SQLITE_AUTH: "permission denied",
    sqlite3.SQLITE_BUSY: "another program holds it locked",
    sqlite3.SQLITE_LOCKED: "another program holds it locked",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "it is not a scopetrace session",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_TOOBIG: "a value is too big for SQLite",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
}


_AT_SIZE_LIMIT = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
"""Results of a write beyond RLIMIT_FSIZE."""


def primary_code(error: sqlite3.Error) -> int | None:
    """Return the primary result code of an error, or None if SQLite did not report one.

    It is the low 8 bits (https://www.sqlite.org/rescode.html).
    """
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def session_error(action: str, path: Path, error: sqlite3.Error | OSError) -> SessionError:
    """Return a SessionError that says why `action` ("write") of the file `path` failed."""
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
    else:
        code = primary_code(error)
        reason = _SENTENCES.get(code or 0, str(error))
        if isinstance(error, sqlite3.ProgrammingError) and "closed database" in reason:
            reason = "the session was closed"
        if (code in _AT_SIZE_LIMIT and is_at_limit(path)) or (
            code == sqlite3.SQLITE_FULL and has_room_on_disk(path)
        ):
            reason = "files may not grow beyond a limit (ulimit -f)"
    return SessionError(f"cannot {action} {path}: {reason}")
