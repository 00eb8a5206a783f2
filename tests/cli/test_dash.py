"""`scopetrace dash`, up to where the dashboard begins (tests/dash)."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture
def terminal(monkeypatch):
    """Standard input, output and error are a terminal."""
    monkeypatch.setattr("scopetrace.cli.dash.on_terminal", lambda: True)


def test_without_a_terminal_it_is_one_sentence_and_status_2(scopetrace, recorder):
    recorder.record()

    assert scopetrace("dash") == (
        2,
        "",
        "scopetrace: the dashboard needs a terminal; `scopetrace summary` needs none\n",
    )


def test_without_textual_it_is_one_sentence_and_status_1(recorder):
    recorder.record()
    script = (
        "import sys; sys.modules['textual'] = None; from scopetrace.cli import dash, main;"
        " dash.on_terminal = lambda: True; sys.exit(main(['dash']))"
    )
    done = subprocess.run(
        (sys.executable, "-c", script), capture_output=True, text=True, timeout=30
    )

    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "scopetrace: the dashboard needs Textual: pip install 'scopetrace[dash]'\n",
    )


@pytest.mark.usefixtures("terminal")
def test_a_session_that_is_not_there_is_one_sentence(scopetrace):
    status, out, err = scopetrace("dash", "7")

    assert (status, out) == (1, "")
    assert err.startswith("scopetrace: ")


@pytest.mark.usefixtures("terminal")
def test_a_session_is_shown_by_the_name_that_commands_know(scopetrace, recorder, monkeypatch):
    path = recorder.record().path
    shown = []
    monkeypatch.setattr("scopetrace.dash.app.Dashboard.run", lambda self, mouse: shown.append(self))
    monkeypatch.setattr("scopetrace.cli.dash.prefer_keys", lambda: None)

    for name in ("1", str(path)):
        assert scopetrace("dash", name) == (0, "", "")
    assert [app.command_line() for app in shown] == [
        "scopetrace tree --id 1",
        f"scopetrace tree --id {path}",
    ]
    for app in shown:
        app.on_unmount()
