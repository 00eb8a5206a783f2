from __future__ import annotations

import resource
import sqlite3

import pytest

from scopetrace.db import file_size_limit


@pytest.fixture
def limit(monkeypatch):
    """Have file_limit say so many bytes; the real one would bind pytest, too."""

    def set_limit(size):
        value = resource.RLIM_INFINITY if size is None else size
        monkeypatch.setattr(resource, "getrlimit", lambda _which: (value, value))

    return set_limit


@pytest.mark.parametrize(
    ("size", "pages", "most"),
    [(None, 2000, None), (1 << 20, 32, 120), (1 << 40, 2000, (1 << 27) - 8), (10, 1, 1)],
)
def test_sqlite_keeps_itself_below_the_limit(size, pages, most, limit):
    limit(size)
    db = sqlite3.connect(":memory:")
    unlimited = db.execute("PRAGMA max_page_count").fetchone()[0]

    file_size_limit.limit_growth(db, 8)

    assert db.execute("PRAGMA wal_autocheckpoint").fetchone() == (pages,)
    assert db.execute("PRAGMA max_page_count").fetchone()[0] == (most or unlimited)
    db.close()


def test_a_file_or_its_log_may_be_at_the_limit(tmp_path, limit):
    path = tmp_path / "1-x.db"
    path.write_bytes(b"x" * 100_000)
    for size, at in [(None, False), (1_000_000, False), (150_000, True), (100, True)]:
        limit(size)
        assert file_size_limit.is_at_limit(path) is at
    (tmp_path / "1-x.db-wal").write_bytes(b"x" * 600_000)
    limit(1_000_000)
    assert file_size_limit.is_at_limit(path)


def test_a_transaction_may_be_too_large_for_the_limit_though_the_files_are_small(tmp_path, limit):
    path = tmp_path / "1-x.db"
    for size, room in [(None, False), (100_000, True), (1 << 60, False)]:
        limit(size)
        assert file_size_limit.has_room_on_disk(path) is room
    limit(100_000)
    assert not file_size_limit.has_room_on_disk(tmp_path / "nowhere" / "1-x.db")
