"""How long the dashboard takes to answer a key, and how much memory: `dash_keys.py SESSION`.

It prints the time of the slowest key in ms and the peak of the resident memory in MB.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from pathlib import Path

from textual.events import Key

from scopetrace.cli.dash import prefer_keys
from scopetrace.dash.app import Dashboard

KEYS = (
    *("down", "down", "pagedown", "pagedown", "end", "home", "enter", "down", "enter", "backspace"),
    *(
        "backspace",
        "2",
        "down",
        "end",
        "s",
        "3",
        "down",
        "end",
        "4",
        "down",
        "end",
        "5",
        "down",
        "6",
    ),
    *("down", "7", "end", "pageup", "pageup", "home", "enter", "y", "escape", "/", "x", "enter"),
)
"""What a user presses who looks through all views."""
NAMES = {"/": "slash"}
"""Textual's names of keys that are characters."""
SIZE = (120, 40)
PAUSE_S = 0.1
"""Between two keys, in which the dashboard reads on."""


async def press_all(path: Path) -> float:
    """Press all keys; return the time of the slowest, in seconds."""
    slowest_s = 0.0
    app = Dashboard(path, "1")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        for key in KEYS:
            before_s = time.perf_counter()
            await press(app, key)
            slowest_s = max(slowest_s, time.perf_counter() - before_s)
            await asyncio.sleep(PAUSE_S)
    return slowest_s


async def press(app: Dashboard, key: str) -> None:
    """Give the application a key; wait until it was handled and the screen was refreshed.

    The pilot's own press() waits until the process is idle, so also for the thread that reads.
    """
    is_shown = asyncio.Event()
    app.post_message(Key(NAMES.get(key, key), key if len(key) == 1 else None))
    app.call_later(lambda: (app.focused or app.screen).call_after_refresh(is_shown.set))
    await is_shown.wait()


prefer_keys()
slowest_ms = asyncio.run(press_all(Path(sys.argv[1]))) * 1e3
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"{slowest_ms:.0f} {peak_mb}")
