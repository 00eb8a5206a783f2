"""Answers that are kept in a session: used while they hold, and equal to what events say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scopetrace.db.schema import migrate
from scopetrace.db.text import decode_text
from scopetrace.model.file_record import FileRecord
from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FlowPayload, FlowRecord
from scopetrace.query.answers import keep_answer, read_answer

FILE = FileRecord(
    "/a\udcff", ("/b", "/c"), "own", 1, 2, 3, 4, 5, 6, True, False, True, False, ("EACCES",),
    (7, 8), ("cat", "ls"), 9, 10, True,
)  # fmt: skip
FLOW = FlowRecord(
    1, 2, 3, "nc", 4, (5, 6), "IP.TCP", None, Address("inet", "10.0.0.1", 80), "client", None, 7,
    None, "HTTP", "", "", FlowPayload(1, 2, 3, None), FlowPayload(),
)  # fmt: skip


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        opened.text_factory = decode_text
        migrate(opened)
        yield opened


def test_records_come_back_as_they_were(db: sqlite3.Connection) -> None:
    flows = [FLOW._replace(id=number) for number in range(1001)]
    keep_answer(db, FileRecord, [FILE])
    keep_answer(db, FlowRecord, flows)

    assert read_answer(db, FileRecord) == [FILE]
    assert read_answer(db, FlowRecord) == flows


def test_records_are_found_by_a_value(db: sqlite3.Connection) -> None:
    files = [FILE._replace(path=f"/f\udcff{number}", names=()) for number in range(1200)]
    keep_answer(db, FileRecord, files)

    found = read_answer(db, FileRecord, ["/f\udcff7", "/none"])
    assert found is not None
    assert files[7] in found
    assert len(found) < len(files)
    assert read_answer(db, FileRecord, ["/none"]) == []


def test_that_there_is_nothing_is_an_answer_too(db: sqlite3.Connection) -> None:
    assert read_answer(db, FlowRecord) is None

    keep_answer(db, FlowRecord, [])
    assert read_answer(db, FlowRecord) == []


def test_a_new_answer_replaces_the_one_before(db: sqlite3.Connection) -> None:
    keep_answer(db, FileRecord, [FILE] * 1200)
    keep_answer(db, FileRecord, [FILE])

    assert read_answer(db, FileRecord) == [FILE]


@pytest.mark.parametrize("what", ["an event", "another version", "other fields"])
def test_an_answer_does_not_hold_after(
    what: str, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_answer(db, FlowRecord, [FLOW])
    if what == "an event":
        db.execute("INSERT INTO event VALUES (1, 1, 1, 1, 'fs', 'fs.open', 0, '{}')")
    elif what == "another version":
        monkeypatch.setattr("scopetrace.query.answers.__version__", "0.0")
    else:
        monkeypatch.setattr(FlowRecord, "_fields", (*FlowRecord._fields, "more"))

    assert read_answer(db, FlowRecord) is None


def test_a_session_of_an_older_version_has_none(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as opened:
        assert read_answer(opened, FileRecord) is None
