"""Copies of sessions: whole, of running ones, and without secrets."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from scopetrace.db.schema import has_indexes
from scopetrace.errors import MissingLogWarning, SessionError
from scopetrace.model.metric import Sample
from scopetrace.model.payload import Payload
from scopetrace.query import open_session
from scopetrace.store.writer import SessionWriter
from support.session_builder import STARTED_NS, begin, event, image, record

SECRET = "hunter2hunter2"
EVENTS = (
    event("fs.open", file="/etc/app.conf"),
    event("stdout", message=f"the password is {SECRET}\nsecond\n"),
    event("/var/log/app.log", message=f"{SECRET}\n"),
    event("http.req", http_target=f"/login?key={SECRET}", authorization=SECRET, cookie=SECRET),
    event("http.resp", **{"set-cookie": f"id={SECRET}", "http_status_code": 200}),
    event(
        "proc.start",
        exe="/bin/curl",
        args=["curl", "--password", SECRET],
        env=[f"API_TOKEN={SECRET}", "HOME=/root"],
    ),
)


def full_session(home: Path) -> SessionWriter:
    """Begin a session with a secret wherever one can be."""
    writer = begin(home, args=("curl", "--password", SECRET), config=f"authtoken: {SECRET}\n")
    args = ("curl", "-u", f"ann:{SECRET}", "http://h/")
    writer.add_process(image(2, args=args, cmd=" ".join(args), tags={"token": SECRET, "a": "b"}))
    writer.add_events(EVENTS)
    tags = {"http_target": f"/x?{SECRET}", "args": f"curl --password {SECRET}", "numops": 1}
    writer.add_metrics([Sample(STARTED_NS, 1, "http.req", "counter", "request", 1, tags)])
    writer.add_payloads([Payload(STARTED_NS, 1, 5, True, SECRET.encode(), 0)])
    writer.commit()
    return writer


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


TABLES = ("event", "process", "metric", "payload")


def test_a_copy_has_every_row(tmp_path: Path) -> None:
    writer = full_session(tmp_path)
    writer.finish(exit_code=3)
    copy = tmp_path / "copy.db"
    with open_session(writer.path) as session:
        session.save(copy)
        info = session.info

    assert all(rows(copy, table) == rows(writer.path, table) for table in (*TABLES, "session"))
    with open_session(copy) as copied:
        assert copied.info._replace(path=info.path) == info
        assert has_indexes(copied._db)
    assert not Path(f"{copy}-wal").exists()


def test_a_copy_of_a_running_session_is_one_that_was_stopped(tmp_path: Path) -> None:
    writer = full_session(tmp_path)
    copy = tmp_path / "copy.db"
    with open_session(writer.path) as session:
        assert session.info.status == "running"
        session.save(copy)
    writer.add_events(EVENTS)
    writer.finish(exit_code=0)

    with open_session(copy) as copied:
        assert [each.source for each in copied.events()] == [each.source for each in EVENTS]
        info = copied.info
        assert (info.status, info.events, info.exit_code) == ("stopped", len(EVENTS), None)
        assert info.ended_ns is not None
        assert has_indexes(copied._db)
    assert copy.read_bytes()[18:20] == b"\x01\x01", "it needs no log to be read"


def test_a_redacted_copy_has_no_secret_anywhere_in_the_file(tmp_path: Path) -> None:
    writer = full_session(tmp_path)
    writer.finish(exit_code=0)
    plain, copy = tmp_path / "plain.db", tmp_path / "copy.db"
    with open_session(writer.path) as session:
        session.save(plain)
        session.save(copy, redact=True)

    assert SECRET.encode() in plain.read_bytes()
    assert SECRET.encode() not in copy.read_bytes()
    with open_session(copy) as copied:
        events = list(copied.events())
        assert [each.source for each in events] == [each.source for each in EVENTS]
        assert events[0].data == {"file": "/etc/app.conf"}
        assert events[1].data == {"message": "[redacted]\n[redacted]\n"}
        assert events[3].data["http_target"] == "/login?[redacted]"
        assert events[5].data == {
            "exe": "/bin/curl",
            "args": ["curl", "--password", "[redacted]"],
            "env": ["API_TOKEN=[redacted]", "HOME=/root"],
        }
        assert copied.info.args == ("curl", "--password", "[redacted]")
        second = list(copied.processes())[1]
        assert second.args == ("curl", "-u", "[redacted]", "http://h/")
        assert second.tags == {"token": "[redacted]", "a": "b"}
        (metric,) = copied.metrics()
        assert metric.tags["args"] == "curl --password [redacted]"
        assert [piece.data for piece in copied.payload()] == [b"x" * len(SECRET)]


def test_many_rows_are_redacted_page_by_page(tmp_path: Path) -> None:
    path = record(tmp_path, [event("stdout", message=f"{SECRET} {n}") for n in range(2500)])
    with open_session(path) as session:
        session.save(tmp_path / "copy.db", redact=True)

    with open_session(tmp_path / "copy.db") as copied:
        assert {each.text("message") for each in copied.events()} == {"[redacted]"}
        assert copied.last_id == 2500


def test_bytes_that_are_no_utf_8_survive(tmp_path: Path) -> None:
    path = record(tmp_path, [event("fs.open", file="/\udce9"), event("/l\udce9", message="x")])
    with open_session(path) as session:
        session.save(tmp_path / "copy.db", redact=True)

    with open_session(tmp_path / "copy.db") as copied:
        first, second = copied.events()
        assert (first.data["file"], second.source) == ("/\udce9", "/l\udce9")


def test_what_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    path = record(tmp_path, EVENTS)
    with open_session(path) as session, pytest.raises(SessionError, match="cannot write "):
        session.save(tmp_path / "none" / "copy.db")


def test_a_copy_of_the_file_alone_of_a_running_session_is_told(tmp_path: Path) -> None:
    writer = full_session(tmp_path)
    alone = tmp_path / "alone.db"
    shutil.copy(writer.path, alone)

    for _ in range(2):  # reading leaves no log that would look like the missing one
        with pytest.raises(SessionError, match="while it was recorded, without alone"):
            open_session(alone)
    shutil.copy(f"{writer.path}-wal", f"{alone}-wal")
    with open_session(alone) as session:
        assert session.last_id == len(EVENTS)
    writer.discard()


def test_a_copy_of_a_session_that_has_just_begun_is_told(tmp_path: Path) -> None:
    writer = begin(tmp_path, started_ns=time.time_ns())
    alone = tmp_path / writer.path.name
    shutil.copy(writer.path, alone)

    with pytest.raises(SessionError, match="while it was recorded, without 1-"):
        open_session(alone)
    with closing(sqlite3.connect(writer.path)) as db:
        db.execute("PRAGMA wal_checkpoint(FULL)")
    shutil.copy(writer.path, alone)
    with pytest.warns(MissingLogWarning, match="may lack a part of the recording"):
        open_session(alone).close()
    writer.discard()


def test_a_copy_that_may_lack_a_part_is_read_with_a_warning(tmp_path: Path) -> None:
    writer = full_session(tmp_path)
    with closing(sqlite3.connect(writer.path)) as db:
        db.execute("UPDATE session SET boot_id = 'another'")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(FULL)")
    alone = tmp_path / "alone.db"
    shutil.copy(writer.path, alone)

    with pytest.warns(MissingLogWarning, match="may lack a part of the recording"):
        session = open_session(alone)
    with session:
        assert session.last_id == len(EVENTS)
    command = [sys.executable, "-m", "scopetrace", "events", "-n", "1", "-i", str(alone)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr.startswith(f"scopetrace: {alone} may lack a part of the recording: ")
    assert len(done.stderr.splitlines()) == 1
    writer.discard()
