from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from scopetrace import __version__
from scopetrace.errors import SessionError
from scopetrace.query import list_sessions, open_session
from scopetrace.store import new_file
from scopetrace.store.sessions import SessionStore
from support.session_builder import begin


def test_a_new_session_tells_what_is_true_of_this_process(tmp_path):
    writer = SessionStore(tmp_path).create("/usr/bin/ls", ["ls", "-l"], pid=70, config="a: 1\n")
    with open_session(home=tmp_path) as session:
        info = session.info

        assert (info.id, info.command, info.args, info.pid) == (1, "ls", ("ls", "-l"), 70)
        assert (info.recorder_pid, info.uid) == (os.getpid(), os.getuid())
        assert (info.cwd, info.host) == (str(Path.cwd()), os.uname().nodename)
        assert (info.version, info.status, info.events) == (__version__, "running", 0)
        assert info.ended_ns is info.exit_code is info.signal is None
        assert session.config == "a: 1\n"
    writer.discard()


def test_its_file_is_for_its_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0o377)
    try:
        writer = begin(tmp_path)
    finally:
        os.umask(before)

    assert writer.path == tmp_path / "sessions" / "1-python3.db"
    assert writer.path.stat().st_mode & 0o777 == 0o600
    writer.discard()


def test_names_that_are_no_text_survive(tmp_path):
    args = tuple(map(os.fsdecode, (b"\xff", b"a\nb", "é".encode())))
    begin(tmp_path, args[0], args=args, cwd=os.fsdecode(b"/\xfe")).finish()
    info = list_sessions(tmp_path)[0]

    assert (info.command, info.args, info.cwd) == (args[0], args, "/\udcfe")


def test_a_user_without_a_name_has_a_number(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)

    writer = begin(tmp_path)
    assert list_sessions(tmp_path)[0].username == "4000000000"
    writer.discard()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "sessions").write_text("")

    with pytest.raises(SessionError, match=r"^cannot make the folder .*: File exists$"):
        SessionStore(tmp_path).create("ls", ["ls"])


def test_a_session_that_cannot_be_made_leaves_nothing(tmp_path, monkeypatch):
    def full(db):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(new_file, "migrate", full)
    with pytest.raises(SessionError, match=r"cannot write .*1-ls\.db: .*full"):
        SessionStore(tmp_path).create("ls", ["ls"])

    assert [path.name for path in (tmp_path / "sessions").iterdir()] == [".last-id"]


def log_in_the_way(home):
    """Have SQLite find what it opens as no log: it follows no symbolic link."""
    log = SessionStore(home).folder / "1-x.db-shm"
    log.parent.mkdir(parents=True)
    log.symlink_to("nowhere")
    return log


def test_a_log_that_cannot_be_opened_for_a_moment_is_waited_for(tmp_path):
    """As when root reads another user's session just then: SQLite makes the log as root's first."""
    removal = threading.Timer(0.1, log_in_the_way(tmp_path).unlink)
    removal.start()

    begin(tmp_path, command="x").finish()

    removal.join()
    assert [info.command for info in list_sessions(tmp_path)] == ["x"]


def test_a_log_that_cannot_be_opened_is_one_sentence(tmp_path):
    log_in_the_way(tmp_path)

    with pytest.raises(SessionError, match=r"cannot write .*/1-x.db: it cannot be opened"):
        begin(tmp_path, command="x")

    assert list_sessions(tmp_path) == []


def test_a_discarded_session_leaves_nothing_and_its_id_is_free(tmp_path):
    writer = begin(tmp_path)
    writer.discard()

    assert list_sessions(tmp_path) == []
    assert [path.name for path in writer.path.parent.iterdir()] == [".last-id"]
    again = begin(tmp_path)
    assert again.id == writer.id
    again.discard()
