from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pexpect
import pytest

import scopetrace
from scopetrace.errors import CommandNotExecutable, CommandNotFound, SessionError, UsageError
from support.session_builder import record


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SCOPETRACE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def test_a_program_is_run_and_its_session_is_given(tmp_path):
    with scopetrace.run(["sh", "-c", "echo hi; exit 3"], stdout=subprocess.DEVNULL) as session:
        assert (session.info.status, session.info.exit_code) == ("finished", 3)
        assert session.info.cwd == str(tmp_path)
        [console] = session.events(sourcetype="console")
        assert console.data["message"] == "hi\n"


def test_a_configuration_can_be_given(tmp_path):
    (tmp_path / "only.yml").write_text("event:\n  watch:\n    - type: process\n")

    with scopetrace.run(["true"], config=tmp_path / "only.yml") as session:
        assert {event.sourcetype for event in session.events()} == {"process"}


def test_a_folder_of_our_name_in_the_current_one_is_not_us(tmp_path):
    (tmp_path / "scopetrace").mkdir()
    (tmp_path / "scopetrace/__init__.py").write_text("raise SystemExit('the wrong one')\n")

    with scopetrace.run(["true"]) as session:
        assert session.info.exit_code == 0


@pytest.mark.parametrize(
    ("command", "error"),
    [("none-of-that-name", CommandNotFound), ("/etc/passwd", CommandNotExecutable)],
)
def test_what_cannot_be_run_is_an_error_and_no_session(command, error, tmp_path):
    with pytest.raises(error):
        scopetrace.run([command], stderr=subprocess.DEVNULL)

    assert list((tmp_path / "home").rglob("*.db")) == []


@pytest.mark.parametrize("command", ["ls -l | wc", b"ls", []])
def test_a_command_is_a_list(command):
    with pytest.raises(UsageError, match=r"is a list of its name and arguments: run\(\['ls'"):
        scopetrace.run(command)


def test_the_exit_status_is_at_hand_and_arguments_may_be_paths(tmp_path):
    script = tmp_path / "script.sh"
    script.write_text("exit 3\n")

    with scopetrace.run(["sh", script]) as session:
        assert session.exit_code == 3
    with scopetrace.run(["sh", "-c", "kill -9 $$"]) as session:
        assert (session.exit_code, session.info.signal) == (None, 9)


def test_nothing_is_said_on_a_terminal(tmp_path):
    script = "import scopetrace; scopetrace.run(['echo', 'out'])"
    out, status = pexpect.run(f'{sys.executable} -P -c "{script}"', withexitstatus=True)

    assert (out, status) == (b"out\r\n", 0)


def test_a_wrong_configuration_is_an_error(tmp_path):
    (tmp_path / "bad.yml").write_text("event: 3\n")

    with pytest.raises(SessionError):
        scopetrace.run(["true"], config=tmp_path / "bad.yml", stderr=subprocess.DEVNULL)


def test_an_earlier_session_of_a_process_of_the_same_number_is_not_taken_for_it(
    tmp_path, monkeypatch
):
    path = record(tmp_path / "home", [])
    popen = subprocess.Popen

    def as_before(*args, **options):
        process = popen(*args, **options)
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"UPDATE session SET pid = {process.pid}")
            db.commit()
        return process

    monkeypatch.setattr(subprocess, "Popen", as_before)
    with pytest.raises(CommandNotFound):
        scopetrace.run(["none-of-that-name"], stderr=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "places",
    [
        {"SCOPETRACE_HOME": "relative"},
        {"XDG_STATE_HOME": "{folder}/state"},
        {"HOME": "{folder}/own"},
    ],
)
def test_the_session_is_found_where_the_environment_of_the_program_says(tmp_path, places):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    places_of_ours = ("SCOPETRACE_HOME", "XDG_STATE_HOME")
    environ = {name: os.environ[name] for name in os.environ if name not in places_of_ours}
    environ |= {name: place.format(folder=tmp_path) for name, place in places.items()}

    with scopetrace.run(["true"], env=environ, cwd=elsewhere) as session:
        assert session.info.exit_code == 0
