"""What is kept when a large session has ended: what a reader of the events would answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scopetrace.config.stock import stock_text
from scopetrace.db.text import decode_text
from scopetrace.model.file_record import FileRecord
from scopetrace.query import keep_answers as module
from scopetrace.query import open_session
from scopetrace.query.answers import read_answer
from scopetrace.query.keep_answers import keep_answers
from support.flow_builder import closed as closed_flow
from support.flow_builder import opened, piece, record_flows
from support.session_builder import begin, closed, event

FILES = (
    event("fs.open", file="/usr/lib/x.so.6", flags="O_RDONLY"),
    event("fs.error", file="/home/ann/missed", op="openat", error="ENOENT"),
    closed("/home/ann/a\udcff.tmp", file_write_bytes=7, file_write_ops=1),
    event("fs.rename", op="rename", file="/home/ann/a\udcff.tmp", file_new="/home/ann/a"),
    event("fs.delete", op="unlink", file="/home/ann/a"),
)
FLOWS = (opened(), closed_flow(sent=3), opened(at=5))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    payload = (piece(b"abc", at=0.2), piece(b"x", of=9, at=9))
    return record_flows(tmp_path, [*FILES, *FLOWS], payload, config=stock_text())


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as written:
        written.text_factory = decode_text
        yield written


def answers(path: Path) -> tuple[object, ...]:
    with open_session(path) as session:
        return session.files(), list(session.flows())


def test_what_is_kept_is_what_the_events_say(path: Path, db: sqlite3.Connection) -> None:
    before = answers(path)
    keep_answers(db)
    db.execute("UPDATE event SET data = '{}'")  # so that nothing can be read from events

    assert answers(path) == before
    assert [file.path_class for file in before[0]] == ["loader", "own", "own"]


def test_of_some_processes_the_events_are_read(path: Path, db: sqlite3.Connection) -> None:
    keep_answers(db)
    db.execute("UPDATE event SET data = '{}'")

    with open_session(path) as session:
        assert session.files(pid=70) == []


def test_nothing_is_kept_of_very_many_files(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    keep_answers(db)

    assert read_answer(db, FileRecord) is None


def test_if_one_answer_cannot_be_kept_none_is(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(module, "_keep_flows", fails)
    with pytest.raises(sqlite3.OperationalError):
        keep_answers(db)

    assert read_answer(db, FileRecord) is None
    assert not db.in_transaction


@pytest.mark.parametrize(("least", "is_kept"), [(2, True), (3, False)])
def test_the_writer_keeps_answers_of_a_large_session_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int, is_kept: bool
) -> None:
    monkeypatch.setattr("scopetrace.store.writer.LARGE_EVENTS", least)
    writer = begin(tmp_path)
    writer.add_events(FILES[:2])
    writer.finish(keep_answers=keep_answers)

    with closing(sqlite3.connect(writer.path)) as db:
        assert (read_answer(db, FileRecord) is not None) == is_kept


def test_a_session_is_finished_also_if_its_answers_cannot_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(db: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("scopetrace.store.writer.LARGE_EVENTS", 1)
    writer = begin(tmp_path)
    writer.add_events(FILES)
    writer.finish(keep_answers=fails)

    with open_session(writer.path) as session:
        assert (session.info.status, len(session.files())) == ("finished", 3)


def test_a_copy_of_a_large_session_that_runs_has_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scopetrace.query.save.LARGE_EVENTS", 1)
    writer = begin(tmp_path)
    writer.add_events(FILES)
    writer.commit()
    copy = tmp_path / "copy.db"
    with open_session(writer.path) as session:
        session.save(copy)
    writer.discard()

    with closing(sqlite3.connect(copy)) as db:
        assert len(read_answer(db, FileRecord) or ()) == 3
