"""The row of a session as read without SQLite is the one that SQLite reads, or none."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopetrace.db.schema import SESSION_COLUMNS
from scopetrace.db.text import decode_text
from scopetrace.model.session import SessionInfo
from scopetrace.query.session_row import read_row
from scopetrace.store.sessions import SessionStore
from support.session_builder import begin, event, record

texts = st.text(max_size=30) | st.integers(0, 9000).map("ä".__mul__) | st.just("/bad\udcff")
integers = st.integers(-(2**63), 2**63 - 1)


def as_sqlite_reads_it(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(path)) as db:
        db.text_factory = decode_text
        db.row_factory = sqlite3.Row
        row = dict(db.execute("SELECT * FROM session").fetchone())
    del row["config"]
    return row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return record(tmp_path, [event("fs.open", file="/a") for _ in range(2000)])


def change(path: Path, sql: str, values: Any = ()) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute(sql, values)


def test_the_columns_are_those_of_what_lists_show() -> None:
    assert {*SESSION_COLUMNS, "path"} == {*SessionInfo._fields, "config"}


@settings(max_examples=30)
@given(
    args=st.lists(texts, max_size=4), cwd=texts, config=texts, number=st.integers(1, 2**40),
    numbers=st.tuples(integers, integers, st.none() | integers),
)  # fmt: skip
def test_it_is_what_sqlite_reads(
    tmp_path_factory: pytest.TempPathFactory,
    args: list[str],
    cwd: str,
    config: str,
    number: int,
    numbers: tuple[int, int, int | None],
) -> None:
    home = tmp_path_factory.mktemp("home")
    writer = SessionStore(home).create("x", args, cwd=cwd, config=config)
    writer.finish(exit_code=numbers[2])
    values = (number, *numbers)
    change(writer.path, "UPDATE session SET id = ?, uid = ?, started_ns = ?, signal = ?", values)

    assert read_row(writer.path) == as_sqlite_reads_it(writer.path)
    shutil.rmtree(home)


@pytest.mark.parametrize("page_bytes", [512, 1024, 32768])
def test_pages_may_have_any_size(path: Path, page_bytes: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {page_bytes}")
        db.execute("VACUUM")

    assert read_row(path) == as_sqlite_reads_it(path)


def test_a_file_with_a_log_or_a_journal_is_left_to_sqlite(path: Path, tmp_path: Path) -> None:
    running = begin(tmp_path)
    assert read_row(running.path) is None
    running.discard()

    Path(f"{path}-journal").touch()
    assert read_row(path) is None


def test_another_database_is_left_to_sqlite(tmp_path: Path) -> None:
    change(tmp_path / "x.db", "CREATE TABLE session (id)")

    assert read_row(tmp_path / "x.db") is None
    assert read_row(tmp_path / "none.db") is None


@pytest.mark.parametrize("sql", ["DELETE FROM session", "ALTER TABLE session ADD COLUMN x TEXT"])
def test_a_table_that_is_not_as_expected_is_left_to_sqlite(path: Path, sql: str) -> None:
    change(path, sql)

    assert read_row(path) is None


def test_a_damaged_file_raises_nothing(path: Path, tmp_path: Path) -> None:
    choose, whole, damaged = random.Random(1), path.read_bytes(), tmp_path / "damaged.db"
    damaged.write_bytes(whole[:-1])
    assert read_row(damaged) is None
    for _ in range(300):
        data = bytearray(whole[:40960])
        data[28:32] = (10).to_bytes(4)
        for _ in range(3):
            data[choose.randrange(len(data))] = choose.choice((0, 1, 0x7F, 0x80, 0xFF))
        damaged.write_bytes(data)
        read_row(damaged)
