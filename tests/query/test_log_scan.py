"""Logs counted step by step."""

from __future__ import annotations

import sqlite3

import pytest

from scopetrace.query import log_scan, open_session
from scopetrace.query.log_scan import read_logs
from support.session_builder import event, image, record


def test_spans_add_up_to_what_is_read_at_once(tmp_path):
    texts = [
        event(("/a.log", "stderr", "/b.log")[at % 3], process=1 + at % 2, message="x\n" * (at % 5))
        for at in range(100)
    ]
    texts.append(event("/a.log", message="nul \0, \\n is no line end, \\\n is one\nlast"))
    path = record(tmp_path, texts, [image(2)])
    with open_session(path) as session:
        scan = session.log_scan()
        steps = 1
        while scan.read_on(session.last_id, span=7):
            steps += 1

        assert steps == 15
        assert scan.logs() == read_logs(session._db)
        assert [(log.path, log.sourcetype) for log in scan.logs()] == [
            ("/a.log", "file"),
            ("stderr", "console"),
            ("/b.log", "file"),
        ]
        assert sum(log.lines for log in scan.logs()) == sum(at % 5 for at in range(100)) + 3
        assert scan.logs()[0].last == "last"


def test_a_span_whose_query_was_ended_is_counted_once(tmp_path):
    path = record(tmp_path, [event(f"/{at}.log", message="x\n" * 9) for at in range(500)])
    with open_session(path) as session:
        scan, left = session.log_scan(), iter(range(1000))
        session._db.set_progress_handler(lambda: next(left, None) is None, 10)
        with pytest.raises(sqlite3.OperationalError):
            scan.read_on(session.last_id)
        session._db.set_progress_handler(None, 0)
        scan.read_on(session.last_id)

        assert {log.lines for log in scan.logs()} == {9}


def test_those_of_one_process_are_counted_alone(tmp_path):
    texts = [event("stderr", process=number, message="x\n") for number in (1, 2, 2)]
    path = record(tmp_path, texts, [image(2, pid=80)])
    with open_session(path) as session:
        scan = session.log_scan(pid=80)
        scan.read_on(session.last_id)

        assert [log.lines for log in scan.logs()] == [2]


def test_so_many_logs_are_kept_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(log_scan, "MOST_LOGS", 2)
    path = record(tmp_path, [event(f"/{number}.log", message="x\n") for number in range(5)])
    with open_session(path) as session:
        scan = session.log_scan()
        scan.read_on(session.last_id)

        assert [log.path for log in scan.logs()] == ["/0.log", "/1.log"]
