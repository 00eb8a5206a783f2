from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from scopetrace.db.errors import session_error


def test_an_error_of_the_system_is_told_in_its_words():
    error = OSError(13, "Permission denied")

    assert str(session_error("write", Path("/x.db"), error)) == (
        "cannot write /x.db: Permission denied"
    )


def test_an_extended_result_code_is_told_as_its_kind():
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE

    assert str(session_error("write", Path("/x.db"), error)) == (
        "cannot write /x.db: the disk reports an error"
    )


def test_a_full_database_is_a_full_disk():
    db = sqlite3.connect(":memory:")
    db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.Error) as caught:
        db.execute("CREATE TABLE t (x)")

    assert str(session_error("write", Path("/x.db"), caught.value)).endswith("the disk is full")
    db.close()


def test_a_closed_session_is_called_so():
    db = sqlite3.connect(":memory:")
    db.close()
    with pytest.raises(sqlite3.ProgrammingError) as caught:
        db.execute("SELECT 1")

    assert str(session_error("read", Path("/x.db"), caught.value)).endswith(
        "the session was closed"
    )
