"""Delete the files that killed recorders left beside the sessions.

Those are:
1. logs, fault reports and reserves of space whose session file does not exist;
2. the reserve of a session whose recorder has ended;
3. a hidden file whose maker ended while making it.
The write-ahead log of an interrupted session is part of that session and stays.
"""

from __future__ import annotations

import sqlite3
import stat
import time
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from scopetrace.db.folder import why_unsafe
from scopetrace.db.paths import COMPANIONS, RESERVE, is_being_made, parse_file_name
from scopetrace.db.running import is_running


def delete_leftovers(folder: Path) -> int:
    """Delete the leftover files in a folder of sessions; return their number."""
    if why_unsafe(folder) is not None:
        return 0  # other users may have put files there
    with suppress(OSError):
        return sum(_delete(path) for path in list(folder.iterdir()) if is_leftover(path))
    return 0


def is_leftover(path: Path) -> bool:
    """Return whether no session needs a file any more."""
    if path.name.startswith("."):
        return is_being_made(path.name, _age_s(path)) is False
    for suffix in COMPANIONS:
        session = path.with_name(path.name.removesuffix(suffix))
        if session != path and parse_file_name(session.name):
            # Looked up now, not in a list that was read before: a session exists before its files.
            return not session.exists() or (suffix == RESERVE and not _is_recorded(session))
    return False


def _delete(path: Path) -> bool:
    with suppress(OSError):
        if stat.S_ISREG(path.lstat().st_mode):
            path.unlink()
            return True
    return False


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return 0.0


def _is_recorded(session: Path) -> bool:
    """Return whether a session's recorder still runs; true if the session cannot be read."""
    sql = "SELECT recorder_pid, recorder_started_ticks, boot_id FROM session"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(session))}?mode=ro", uri=True)) as db:
            return is_running(*db.execute(sql).fetchone())
    except (sqlite3.Error, TypeError):
        return True
