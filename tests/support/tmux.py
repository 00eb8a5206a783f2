"""A terminal that shows what a person would see: tmux, with a server of its own for each test."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager

from support.harness import PATIENCE, Argv, Stage


class Tmux:
    """One server of tmux and its windows, run by the user of a stage."""

    def __init__(self, stage: Stage, tmux: str) -> None:
        self._stage = stage
        self._command = [tmux, "-u", "-S", str(stage.work / "tmux"), "-f", "/dev/null"]

    def __call__(self, *words: str) -> str:
        """Give a command to tmux and return its output."""
        ending = self._stage.run([*self._command, *words])
        assert ending.status == 0, ending
        return ending.stdout.decode()

    def start(self, window: str, argv: Argv, columns: int = 80, lines: int = 24) -> None:
        """Run a program in a new window."""
        # Nothing of tmux keeps our pipes open, and the window stays when the program has ended.
        line = f"{shlex.join(map(str, argv))}; echo status $?; exec sleep 60"
        size = ("-x", str(columns), "-y", str(lines))
        self("new-session", "-d", "-s", window, *size, line)

    def press(self, window: str, *keys: str) -> None:
        """Press keys, by the names that tmux has for them."""
        self("send-keys", "-t", window, *keys)

    def screen(self, window: str) -> str:
        """Return what a window shows."""
        return self("capture-pane", "-p", "-t", window)

    def until(self, window: str, text: str) -> str:
        """Wait until a window shows a text; return what it shows."""
        deadline = time.monotonic() + PATIENCE
        while text not in (shown := self.screen(window)):
            assert time.monotonic() < deadline, f"waited in vain for {text} in:\n{shown}"
            time.sleep(0.05)
        return shown


@contextmanager
def tmux_of(stage: Stage, tmux: str) -> Iterator[Tmux]:
    """Begin a server; end it, and what runs in its windows, at the end."""
    server = Tmux(stage, tmux)
    try:
        yield server
    finally:
        stage.run([*server._command, "kill-server"])
