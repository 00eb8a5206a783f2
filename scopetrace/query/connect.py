"""Open a session file as a read-only connection.

A session that is being recorded has a write-ahead log beside it, whose rows are in the file only
later. A copy of the file alone may lack them: if it lacks them all, that is an error, else a
warning (`may_lack_log`).

1. With mode=ro, which also works while the file is being recorded.
2. If SQLite cannot make the files that its write-ahead log needs (read-only media), with
immutable=1.
   That ignores the log, so it is done only if there is none.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from scopetrace.db.errors import primary_code, session_error
from scopetrace.db.paths import RESERVE, SESSIONS
from scopetrace.db.running import is_running
from scopetrace.db.schema import check_readable, check_sqlite
from scopetrace.db.text import decode_text
from scopetrace.errors import MissingLogWarning, SessionError

_BUSY_TIMEOUT_S = 2.0
_READ_VERSION = 19
"""Where the header of a file says which versions of SQLite can read it; 2: those with a log."""
_HEADER_BYTES = _READ_VERSION + 1
_WAL = b"\x02"
_START_NS = 10_000_000_000
"""A recorder makes the log milliseconds after the session began."""
_EMPTY_SESSION = """
    SELECT started_ns, recorder_pid, recorder_started_ticks, boot_id FROM session
    WHERE status = 'running' AND NOT EXISTS (SELECT 1 FROM process)"""


def connect(path: Path) -> sqlite3.Connection:
    """Open a session for reading, also one that is being recorded or was interrupted.

    Raises:
        SessionError: there is no such file, it cannot be read, or it is no session.
    """
    check_sqlite()
    if _needs_log(path) and not Path(f"{path}-wal").exists():
        _check_copied_alone(path)
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


def may_lack_log(path: Path) -> bool:
    """Return whether a file needs a log and has none; once it is open, SQLite makes an empty one.

    What else the recorder keeps beside a file shows that it is no copy, but that another program
    has moved the log into it.

    Raises:
        SessionError: it cannot be read, or is empty.
    """
    has_log = _log_bytes(path) > 0
    return _needs_log(path) and not (has_log or Path(f"{path}{RESERVE}").exists())


def _log_bytes(path: Path) -> int:
    """Return the size of the log beside a file; 0 if there is none, as when its recorder ends."""
    try:
        return Path(f"{path}-wal").stat().st_size
    except OSError:
        return 0


def is_where_recorded(path: Path) -> bool:
    """Return whether a recorder may be writing this file, rather than one of which it is a copy."""
    return path.absolute().parent.name == SESSIONS


def missing_log(path: Path) -> MissingLogWarning:
    """Return the warning that a file may lack a part of the recording."""
    return MissingLogWarning(
        f"{path} may lack a part of the recording: there is no {path.name}-wal beside it, as if it"
        " was copied while it was recorded; `scopetrace save` copies a session whole"
    )


def _needs_log(path: Path) -> bool:
    """Return whether a file is in the mode of being recorded (SQLite's fileformat2, 1.3.3).

    Raises:
        SessionError: it cannot be read, is empty, or is no regular file.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a FIFO would keep us waiting
            raise SessionError(f"cannot read {path}: it is no regular file")
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        raise SessionError(f"no session file at {path}") from None
    except OSError as error:
        raise session_error("read", path, error) from None
    if not header:
        raise SessionError(f"cannot read {path}: the file is empty")
    return header[_READ_VERSION:] == _WAL


def _check_copied_alone(path: Path) -> None:
    """Raise SessionError if all that was recorded is in a log that is not there."""
    try:
        with closing(_open(path, "mode=ro&immutable=1")) as db:
            row = db.execute(_EMPTY_SESSION).fetchone()
    except sqlite3.Error:
        return
    if row and not (is_where_recorded(path) and _has_just_begun(*row)):
        raise SessionError(
            f"cannot read {path}: it was copied while it was recorded, without {path.name}-wal,"
            " which has the events; `scopetrace save` copies a session whole"
        )


def _has_just_begun(started_ns: int, pid: int, ticks: int, boot: str) -> bool:
    """Return whether a recorder may be about to make the log of a session."""
    return time.time_ns() - started_ns < _START_NS and is_running(pid, ticks, boot)


def _check_log(path: Path) -> None:
    """Raise SessionError if there is a write-ahead log, which could not be read here."""
    log = Path(f"{path}-wal")
    if _log_bytes(path):
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
