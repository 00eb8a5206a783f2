"""The dashboard as a person sees it: of a session that is recorded, and of one that is over."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from support.harness import Stage, scopetrace_command
from support.tmux import tmux_of

pytestmark = pytest.mark.parametrize("stage", [None], indirect=True, ids=["as-we-are"])
"""What is read of sessions does not depend on the user; recording by each is tested elsewhere."""

HOSTILE = "[red]\x1b[31m.txt"
SHOWN = "[red]\\x1b[31m.txt"
WHEN_RECORDED = 'until "$0" "$@" tree >/dev/null 2>&1; do sleep 0.1; done; exec "$0" "$@" dash'
"""A shell script that opens the dashboard as soon as there is a session."""
COLOR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)")
"""An escape sequence that chooses a colour other than the terminal's own (39, 49)."""


def test_a_live_session_until_its_end(stage: Stage, needs: Callable[[str], str]) -> None:
    stage.new_home()
    (stage.work / HOSTILE).write_text("x")
    script = "read go; cat *.txt >copy; echo done >&2; read go; exit 3"
    with tmux_of(stage, needs("tmux")) as tmux:
        tmux.start("program", scopetrace_command("run", "sh", "-c", script))
        tmux.start("dash", ["sh", "-c", WHEN_RECORDED, *scopetrace_command()])
        tmux.until("dash", "running: sh -c")
        tmux.press("program", "Enter")
        tmux.until("dash", "cat '[red]")
        tmux.press("dash", "2")
        tmux.until("dash", SHOWN)
        tmux.press("program", "Enter")
        tmux.until("dash", "exit 3: sh -c")

        tmux.press("dash", "/", *"red", "Enter")
        shown = tmux.until("dash", "contains: red")
        assert SHOWN in shown
        assert "/copy" not in shown
        tmux.press("dash", "Enter")
        tmux.until("dash", "fs.open")
        tmux.press("dash", "y")
        tmux.until("dash", "scopetrace events -a")
        assert not COLOR.search(tmux("capture-pane", "-p", "-e", "-t", "dash"))
        tmux.press("dash", "q", "q")
        tmux.until("dash", "status 0")


def test_every_view_of_a_session_at_three_sizes(stage: Stage, needs: Callable[[str], str]) -> None:
    connect = "import socket; socket.create_connection(('127.0.0.1', 1))"
    script = 'cat missing; echo text; python3 -c "$0"; true'
    stage.record(["sh", "-c", script, connect])
    expected = (
        ("1", "cat missing"),
        ("2", "/missing"),
        ("3", "PEER"),
        ("4", "ENOENT"),
        ("5", "stderr"),
        ("6", "======"),
        ("7", "proc.start"),
    )
    with tmux_of(stage, needs("tmux")) as tmux:
        for columns, lines in ((80, 24), (120, 40), (200, 50)):
            window = f"w{columns}"
            tmux.start(window, scopetrace_command("dash", "1"), columns, lines)
            tmux.until(window, "sh -c")
            for key, text in expected:
                tmux.press(window, key)
                tmux.until(window, text)
            tmux.press(window, "q")
            tmux.until(window, "status 0")
