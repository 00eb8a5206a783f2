"""RLIMIT_FSIZE, the limit on the size of files, where the recorder cannot raise it.

A write beyond it is cut off and fails with EFBIG (SIGXFSZ is ignored), which SQLite takes for an
I/O error. So SQLite gets the limit as max_page_count, and a file at the limit is like a full disk.
"""

from __future__ import annotations

import os
import resource
import sqlite3
from contextlib import suppress
from pathlib import Path

PAGE_BYTES = 8192
"""Page size of a session file; an event takes some 250 bytes."""
CHECKPOINT_PAGES = 2000
"""Pages of the write-ahead log at which SQLite copies it into the file (wal_autocheckpoint)."""
LEAST_PAGES = 16
"""About the size of a session without events."""


def file_limit() -> int | None:
    """Return the limit on the size of a file in bytes; None: there is none."""
    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if soft == resource.RLIM_INFINITY else soft


def limit_growth(db: sqlite3.Connection, spare_pages: int) -> None:
    """Keep a session file `spare_pages` below the limit, and its log below a fraction of it."""
    limit = file_limit()
    pages = CHECKPOINT_PAGES if limit is None else min(limit // PAGE_BYTES // 4, CHECKPOINT_PAGES)
    db.execute(f"PRAGMA wal_autocheckpoint = {max(pages, 1)}")
    if limit is not None:
        most = max(limit // PAGE_BYTES - spare_pages, 1)
        db.execute(f"PRAGMA max_page_count = {most}")


def has_room_on_disk(path: Path) -> bool:
    """Return whether there is a limit, and the disk has room for a session file of that size.

    Then a full file means the limit. What one transaction adds is in no file yet when it fails.
    """
    limit = file_limit()
    if limit is None:
        return False
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize > limit


def is_at_limit(path: Path) -> bool:
    """Return whether a session file, or its log, is near the limit."""
    limit = file_limit()
    if limit is None:
        return False
    if limit < LEAST_PAGES * PAGE_BYTES:
        return True
    for file in (path, Path(f"{path}-wal")):
        with suppress(OSError):
            if file.stat().st_size > limit // 2:
                return True
    return False
