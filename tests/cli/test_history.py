from __future__ import annotations

import json
import time

import pytest

from scopetrace.query import open_session

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


@pytest.fixture
def sessions(recorder):
    """Three that ended and one that is being recorded."""
    day = 86400 * SECOND
    now = time.time_ns() - 20 * SECOND  # an age of whole minutes is the same for some time to come
    recorder.record(started_ns=now - 9 * day, ended_ns=now - 9 * day + 186 * SECOND)
    recorder.record(
        recorder.event("stdout", "console", message="x"),
        command="nginx",
        pid=1234,
        started_ns=now - day - 3 * 3600 * SECOND,
        ended_ns=now - day,
        exit_code=None,
        signal=9,
    )
    recorder.start("sleep", recorder_pid=2**22 + 1, started_ns=now - 61 * MINUTE)
    return recorder.start("make", started_ns=now - 150 * MINUTE)


def test_history_is_a_table_of_what_was_recorded(sessions, scopetrace):
    status, out, err = scopetrace("history")

    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["ID", "COMMAND", "CMDLINE", "PID", "AGE", "DURATION", "EVENTS", "STATUS"],
        ["1", "python3", "python3", "log.py", "70", "9d", "3m6s", "0", "exit", "0"],
        ["2", "nginx", "nginx", "log.py", "1234", "1d3h", "3h", "1", "SIGKILL"],
        ["3", "sleep", "sleep", "log.py", "70", "1h1m", "-", "0", "interrupted"],
        ["4", "make", "make", "log.py", "70", "2h30m", "2h30m", "0", "running"],
    ]


def test_history_can_be_short(sessions, scopetrace):
    def ids(*args):
        return [line.split()[0] for line in scopetrace("history", *args)[1].splitlines()[1:]]

    assert ids("-n", "2") == ["3", "4"]
    assert ids("-n0") == []
    assert ids("-n0", "-a") == ["1", "2", "3", "4"]
    assert ids("--running") == ["4"]


def test_paths_alone_are_for_other_programs(sessions, scopetrace):
    assert scopetrace("history", "-d", "-n", "1")[1] == f"{sessions.path}\n"


@pytest.mark.parametrize("form", ["csv", "md"])
def test_other_forms_have_the_names_of_json(form, sessions, scopetrace):
    (names, *_) = scopetrace("history", "--format", form)[1].splitlines()
    body = json.loads(scopetrace("history", "-j")[1].splitlines()[0])

    assert names.strip("| ").replace(" | ", ",") == ",".join(body)


def test_paths_have_no_other_form(scopetrace):
    text = "scopetrace: --dir and --format csv do not go together\n"
    assert scopetrace("history", "-d", "--format", "csv") == (2, "", text)


def test_json_tells_all_that_is_known(sessions, scopetrace):
    bodies = [json.loads(line) for line in scopetrace("hist", "-j")[1].splitlines()]

    assert [body["status"] for body in bodies] == ["finished", "finished", "interrupted", "running"]
    assert bodies[1]["args"] == ["nginx", "log.py"]
    assert bodies[1]["signal"] == 9
    assert bodies[2]["ended"] is None
    assert bodies[3]["path"] == str(sessions.path)
    with open_session(sessions.path) as session:
        assert bodies[3]["started"] == session.info.started_ns // 1000 / 1e6


def test_a_long_command_line_is_cut_and_made_safe(recorder, scopetrace):
    recorder.start("x", args=("x", "\x1b[2J", "a" * 99))

    line = scopetrace("history")[1].splitlines()[1]

    assert "x '\\x1b[2J' aaaaa" in line
    assert "…" in line
    assert len(line) < 120


def test_no_session_at_all_is_an_empty_table(scopetrace):
    assert scopetrace("history")[:2] == (
        0,
        "ID  COMMAND  CMDLINE  PID  AGE  DURATION  EVENTS  STATUS\n",
    )
    assert scopetrace("history", "-j") == (0, "", "")


@pytest.mark.parametrize("columns", [80, 120])
def test_history_fits_the_terminal(columns, recorder, scopetrace, monkeypatch):
    recorder.record(args=("python3", "-m", "project.main", *("argument",) * 30), exit_code=137)
    monkeypatch.setattr("scopetrace.cli.history.terminal_columns", lambda stream: columns)

    headings, line = scopetrace("history")[1].splitlines()

    assert headings.split() == (
        ["ID", "CMDLINE", "AGE", "DURATION", "EVENTS", "STATUS"]
        if columns == 80
        else ["ID", "COMMAND", "CMDLINE", "PID", "AGE", "DURATION", "EVENTS", "STATUS"]
    )
    assert len(line) == columns
    assert "python3 -m" in line and "argument argument  " in line
    assert line.endswith("exit 137")
