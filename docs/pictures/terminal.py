"""Take pictures of commands in a terminal, as SVG.

usage: terminal.py SCOPETRACE FOLDER, with SCOPETRACE_HOME set: the last session is shown. Writes
summary.svg, tree.svg, why.svg and dash.svg into FOLDER. Needs Textual, which brings Rich.
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

from scopetrace.dash.app import Dashboard
from scopetrace.query import open_session

COLUMNS, ROWS = 100, 24
FONT_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Fonts from the network: the viewer of the picture uses fonts of its own machine."""


def shown(argv: list[str]) -> str:
    """Run a command in a terminal and return what it prints."""
    control, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environ = os.environ | {"TERM": "xterm-256color", "PAGER": "cat"}
    with subprocess.Popen(argv, stdout=terminal, stderr=terminal, env=environ):
        os.close(terminal)
        printed = b""
        while piece := _read(control):
            printed += piece
    os.close(control)
    return printed.decode().replace("\r\n", "\n")


def _read(control: int) -> bytes:
    try:
        return os.read(control, 65536)
    except OSError:  # the other end is closed
        return b""


def picture(command: str, printed: str) -> str:
    """Return the SVG of a terminal with a command and what it printed."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(f"$ {command}\n{printed.rstrip()}"))
    return FONT_FACES.sub("", console.export_svg(title=command))


async def dashboard() -> str:
    """Return the SVG of the dashboard with the files of the last session."""
    with open_session() as session:
        app = Dashboard(session.path, str(session.info.id))
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        await pilot.press("2")
        await pilot.pause(1)
        return FONT_FACES.sub("", app.export_screenshot(title="scopetrace dash"))


def main(scopetrace: str, folder: Path) -> None:
    """Take all pictures."""
    for name in ("summary", "tree", "why"):
        printed = shown([scopetrace, name])
        (folder / f"{name}.svg").write_text(picture(f"scopetrace {name}", printed))
    (folder / "dash.svg").write_text(asyncio.run(dashboard()))


main(sys.argv[1], Path(sys.argv[2]))
