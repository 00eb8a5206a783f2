"""What killed recorders leave beside the sessions, and how it goes.

A file is left over if its session is not there: logs, reports of faults, reserves of space. So is
the reserve of a session whose recorder is gone, and a file whose maker ended while making it.
The log of an interrupted session is part of that session and stays.
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


def clear_leftovers(folder: Path) -> int:
    """Delete what is left over in a folder of sessions; return how many files that were."""
    if why_unsafe(folder) is not None:
        return 0  # what others put there is not ours to judge
    with suppress(OSError):
        return sum(_delete(path) for path in list(folder.iterdir()) if is_left(path))
    return 0


def is_left(path: Path) -> bool:
    """Tell whether a file belongs to no session, or to none that still needs it."""
    if path.name.startswith("."):
        return is_being_made(path.name, _age_s(path)) is False
    for suffix in COMPANIONS:
        session = path.with_name(path.name.removesuffix(suffix))
        if session != path and parse_file_name(session.name):
            # Looked for now: it is there before any of these, and a list of files takes its time.
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
    """Tell whether a session's recorder still runs; of one that cannot be read, perhaps it does."""
    asked = "SELECT recorder_pid, recorder_started_ticks, boot_id FROM session"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(session))}?mode=ro", uri=True)) as db:
            return is_running(*db.execute(asked).fetchone())
    except (sqlite3.Error, TypeError):
        return True
