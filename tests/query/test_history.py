from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from scopetrace.db.running import boot_id, started_ticks
from scopetrace.errors import SessionError
from scopetrace.query import delete_session, list_sessions
from scopetrace.query.history import find_session
from support.session_builder import begin, closed, record


def test_no_folder_means_no_sessions(tmp_path):
    assert list_sessions(tmp_path / "none") == []


def test_sessions_are_listed_in_ascending_order(tmp_path):
    for _ in range(11):
        record(tmp_path, [closed("/a")])

    assert [info.id for info in list_sessions(tmp_path)] == list(range(1, 12))
    assert [info.id for info in list_sessions(tmp_path, last=2)] == [10, 11]
    assert len(list_sessions(tmp_path, last=20)) == 11
    assert list_sessions(tmp_path, last=0) == []


def test_a_session_runs_as_long_as_its_recorder(tmp_path):
    child = subprocess.Popen(["sleep", "60"])
    writer = begin(
        tmp_path, recorder_pid=child.pid, recorder_started_ticks=started_ticks(child.pid)
    )
    assert list_sessions(tmp_path)[0].status == "running"

    child.kill()
    child.wait()
    assert list_sessions(tmp_path)[0].status == "interrupted"
    writer.discard()


@pytest.mark.parametrize("facts", [{"recorder_started_ticks": 1}, {"boot_id": "another"}])
def test_another_process_of_the_recorders_number_is_not_the_recorder(tmp_path, facts):
    assert boot_id() != "another"
    writer = begin(tmp_path, **facts)

    assert list_sessions(tmp_path)[0].status == "interrupted"
    writer.discard()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"something else entirely" * 500),
        lambda path: path.write_bytes(path.read_bytes()[:10_000]),
        lambda path: path.write_bytes(path.read_bytes()[:20] + b"\xff" * 30_000),
        lambda path: execute(path, "PRAGMA user_version = 99"),
        lambda path: execute(path, "DELETE FROM session"),
        lambda path: execute(path, "UPDATE session SET args = 'no JSON'"),
        lambda path: execute(path, "DROP TABLE session"),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), path.symlink_to("/nonexistent/1-python3.db.db")),
    ],
)
def test_a_file_that_cannot_be_read_is_listed_and_hurts_nobody(tmp_path, damage):
    damage(record(tmp_path, [closed("/a")]))
    record(tmp_path, [closed("/a")])

    found = list_sessions(tmp_path)
    assert found[-1].status == "finished"
    if len(found) == 2:
        assert (found[0].id, found[0].command, found[0].status) == (1, "python3", "unreadable")


def execute(path, sql):
    with closing(sqlite3.connect(path)) as db:
        db.execute(sql)
        db.commit()


def test_a_session_is_found_by_its_id_and_the_last_one_without(tmp_path):
    paths = [record(tmp_path, []) for _ in range(3)]

    assert find_session(2, tmp_path) == paths[1]
    assert find_session(None, tmp_path) == paths[2]


def test_without_sessions_it_is_said_how_to_make_one(tmp_path):
    with pytest.raises(SessionError) as caught:
        find_session(None, tmp_path)

    assert str(caught.value) == "no sessions yet: start one with `scopetrace run COMMAND`"


@pytest.mark.parametrize(
    ("deleted", "sentence"),
    [
        ((), "no session 7; sessions: 1 to 3"),
        ((2,), "no session 7; sessions: 1 to 3, some of them deleted"),
        ((1, 2), "no session 7; the only session is 3"),
    ],
)
def test_an_unknown_id_is_answered_with_those_there_are(tmp_path, deleted, sentence):
    for _ in range(3):
        record(tmp_path, [])
    for info in list_sessions(tmp_path):
        if info.id in deleted:
            delete_session(info)

    with pytest.raises(SessionError) as caught:
        find_session(7, tmp_path)
    assert str(caught.value) == sentence


def test_a_session_is_deleted_with_all_that_belongs_to_it(tmp_path):
    path = record(tmp_path, [closed("/a")])
    info = list_sessions(tmp_path)[0]
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").write_bytes(b"")
    delete_session(info)

    assert [file.name for file in path.parent.iterdir()] == [".last-id"]
    delete_session(info)  # twice is no mistake


def test_an_unreadable_file_can_be_deleted(tmp_path):
    path = record(tmp_path, [])
    path.write_bytes(b"")
    delete_session(list_sessions(tmp_path)[0])

    assert list_sessions(tmp_path) == []


def test_a_session_being_recorded_is_not_deleted_whatever_is_remembered_of_it(tmp_path):
    writer = begin(tmp_path)
    info = list_sessions(tmp_path)[0]._replace(status="finished")

    with pytest.raises(SessionError, match="session 1 is still being recorded"):
        delete_session(info)
    assert writer.path.exists()
    writer.discard()


def test_the_id_of_a_deleted_session_is_not_used_again(tmp_path):
    record(tmp_path, [])
    delete_session(list_sessions(tmp_path)[0])
    record(tmp_path, [])

    assert [info.id for info in list_sessions(tmp_path)] == [2]
