"""How large files of ours may become: RLIMIT_FSIZE, where it cannot be lifted.

A write beyond it fails in the middle (SIGXFSZ is ignored, so with EFBIG), which SQLite takes for an
error of the disk. So SQLite is given the limit as its own, and a full file is like a full disk.
"""

from __future__ import annotations

import resource
import sqlite3
from contextlib import suppress
from pathlib import Path

PAGE_BYTES = 8192
"""Of the file: an event is some 250 bytes, so that a page of SQLite's default holds few."""
CHECKPOINT_PAGES = 2000
LEAST_PAGES = 16
"""A session without an event has hardly less."""


def file_limit() -> int | None:
    """Return how many bytes a file may have; None: as many as it likes."""
    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if soft == resource.RLIM_INFINITY else soft


def limit_growth(db: sqlite3.Connection, spare_pages: int) -> None:
    """Keep a session, `spare_pages` short of it, and its log below the limit."""
    limit = file_limit()
    pages = CHECKPOINT_PAGES if limit is None else min(limit // PAGE_BYTES // 4, CHECKPOINT_PAGES)
    db.execute(f"PRAGMA wal_autocheckpoint = {max(pages, 1)}")
    if limit is not None:
        most = max(limit // PAGE_BYTES - spare_pages, 1)
        db.execute(f"PRAGMA max_page_count = {most}")


def is_at_limit(path: Path) -> bool:
    """Tell whether a session, or its log, has come near the limit."""
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
