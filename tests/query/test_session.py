from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from scopetrace.errors import SessionError
from scopetrace.query import open_session
from scopetrace.store.sessions import SessionStore
from scopetrace.store.writer import SessionWriter
from support.interpreter import only_path_to_us
from support.session_builder import begin, closed, event, image, record


def test_the_last_session_is_opened_by_default(tmp_path):
    record(tmp_path, [])
    record(tmp_path, [])

    with open_session(home=tmp_path) as session:
        assert session.info.id == 2


@pytest.mark.parametrize("name", [1, "1", "path", Path])
def test_a_session_is_opened_by_id_or_path(tmp_path, name):
    path = record(tmp_path, [closed("/a")])
    record(tmp_path, [])
    named = {"path": str(path), Path: path}.get(name, name)

    with open_session(named, home=tmp_path) as session:
        assert session.path == path
        assert session.info.id == 1


def test_an_environment_variable_says_where_sessions_are(tmp_path, monkeypatch):
    monkeypatch.setenv("SCOPETRACE_HOME", str(tmp_path))
    SessionStore().create("ls", ["ls"]).finish()

    with open_session() as session:
        assert session.path.parent == tmp_path / "sessions"


@pytest.mark.parametrize("name", [7, "7", "seven", "/nonexistent/x.db"])
def test_an_unknown_session_is_one_sentence(tmp_path, name):
    record(tmp_path, [])

    with pytest.raises(SessionError, match="no session"):
        open_session(name, home=tmp_path)


def test_an_event_says_whose_process_it_was(tmp_path):
    record(tmp_path, [closed("/a")])

    with open_session(home=tmp_path) as session:
        found, (process,) = session.event(1), session.processes()
        for one in (found, process):
            assert (one.uid, one.gid, one.username, one.groupname) == (1000, 1001, "ann", "staff")


def test_one_event_is_found_by_its_id(tmp_path):
    record(tmp_path, [closed("/a"), closed("/b")])

    with open_session(home=tmp_path) as session:
        assert session.event(2).data["file"] == "/b"
        for wrong in (0, 3, -1, 10**30):
            with pytest.raises(SessionError, match=f"session 1 has no event {wrong}; its events"):
                session.event(wrong)


def test_a_session_without_events_says_so(tmp_path):
    record(tmp_path, [])

    with open_session(home=tmp_path) as session:
        assert list(session.events()) == []
        assert session.last_id == 0
        with pytest.raises(SessionError, match="has no event 1; it has none"):
            session.event(1)


def test_a_follower_sees_each_event_once_and_in_order(tmp_path):
    """While one thread commits batch after batch, another asks for what is new."""
    writer = begin(tmp_path)
    ended = threading.Event()

    def write():
        for batch in range(50):
            writer.add_events([closed(f"/{batch}/{n}") for n in range(20)])
            writer.commit()
        ended.set()

    thread = threading.Thread(target=write)
    seen = []
    with open_session(home=tmp_path) as session:
        thread.start()
        while True:
            over = ended.is_set()
            seen += session.events(after_id=seen[-1].id if seen else 0)
            if over:
                break
        thread.join()
        writer.finish()

        assert [found.id for found in seen] == list(range(1, 1001))
        assert [found.data["file"] for found in seen] == [
            f"/{batch}/{n}" for batch in range(50) for n in range(20)
        ]
        assert session.info.status == "finished"
        assert list(session.events(after_id=1000)) == []
        assert len(list(session.events(source="fs.close", last=5))) == 5


def test_what_is_added_while_reading_is_for_the_next_question(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/a")] * 700)
    writer.commit()
    with open_session(home=tmp_path) as session:
        reading = session.events()
        next(reading)
        writer.add_events([closed("/b")] * 10)
        writer.commit()

        assert len(list(reading)) == 699
        assert len(list(session.events(after_id=700))) == 10
    writer.discard()


def test_a_slow_reader_lets_the_log_be_emptied(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/a")] * 700)
    writer.commit()
    with open_session(home=tmp_path) as session:
        reading = session.events()
        next(reading)

        busy, _, _ = writer._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0
    writer.discard()


def test_reading_a_million_events_keeps_few_in_memory(tmp_path):
    """Not a million, but so many that a list of them would show."""
    writer: SessionWriter = begin(tmp_path)
    for _ in range(50):
        writer.add_events([event("stdout", message="x" * 2000)] * 1000)
        writer.commit()
    writer.finish()
    script = (
        "import re, sys\n"
        "from scopetrace.query import open_session\n"
        "with open_session(sys.argv[1]) as session:\n"
        "    print(sum(len(r.data['message']) for r in session.events()))\n"
        "    print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(writer.path)],
        capture_output=True,
        text=True,
        check=True,
        env=only_path_to_us(),
    )
    characters, kilobytes = map(int, done.stdout.split())

    assert characters == 100_000_000
    assert kilobytes < 60_000


def test_asking_imports_nothing_that_is_slow_to_start():
    script = "import sys, scopetrace.query; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=only_path_to_us(),
    )
    slow = {"msgspec", "dataclasses", "importlib.metadata", "logging", "asyncio", "difflib", "yaml"}

    assert not slow & set(done.stdout.split())


def test_tags_of_a_process_are_those_of_its_events(tmp_path):
    images = (image(2, pid=80, tags={"stage": "test"}),)
    path = record(tmp_path, [event("fs.open"), event("fs.open", process=2)], images)

    with open_session(path) as session:
        assert [found.tags for found in session.events()] == [{}, {"stage": "test"}]
        assert [found.tags for found in session.processes()] == [{}, {"stage": "test"}]


def test_a_session_of_the_first_version_is_read_and_has_no_tags(tmp_path):
    path = record(tmp_path, [event("fs.open", file="/x")])
    with sqlite3.connect(path) as db:
        db.execute("DROP VIEW metrics")
        for table in ("metric", "payload"):
            db.execute(f"DROP TABLE {table}")
        for column in ("tags", "args_missing"):
            db.execute(f"ALTER TABLE process DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 1")
    db.close()

    with open_session(path) as session:
        (found,) = session.events()
        assert (found.data, found.tags) == ({"file": "/x"}, {})
        assert (process := next(session.processes())).tags == {}
        assert process.args_missing == 0
        assert list(session.metrics()) == []
        assert session.flows() == []
        assert list(session.payload()) == []


def test_a_session_that_is_being_completed_is_waited_for(tmp_path, monkeypatch):
    writer = begin(tmp_path)
    writer.update(exit_code=3)
    writer.commit()
    sleep = time.sleep

    def complete(seconds):
        monkeypatch.setattr("time.sleep", sleep)
        writer.finish(exit_code=3)

    monkeypatch.setattr("time.sleep", complete)

    with open_session(home=tmp_path) as session:
        assert session.info.status == "running"
        session.wait_for_recorder()
        assert session.info.status == "finished"


@pytest.mark.parametrize("what", ["the program", "another process"])
def test_a_session_of_what_still_runs_is_not_waited_for(what, tmp_path, monkeypatch):
    writer = begin(tmp_path)
    if what == "another process":
        writer.add_process(image(2, pid=71, parent=1))
        writer.update(exit_code=3)
        writer.commit()
    writer.commit()
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("it is waited for"))

    with open_session(home=tmp_path) as session:
        session.wait_for_recorder()
    writer.finish(exit_code=3)
