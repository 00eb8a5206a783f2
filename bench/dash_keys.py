"""How long the dashboard takes to answer a key, and how much memory: `dash_keys.py SESSION`.

It prints the time of the slowest key in ms and the peak of the resident memory in MB.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from pathlib import Path

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
SIZE = (120, 40)
PAUSE_S = 0.1
"""Between two keys, in which the dashboard reads on."""


async def press_all(path: Path) -> float:
    """Press all keys; return the time of the slowest, in seconds."""
    slowest_s = 0.0
    async with Dashboard(path, "1").run_test(size=SIZE) as pilot:
        await pilot.pause()
        for key in KEYS:
            before_s = time.perf_counter()
            await pilot.press(key)
            slowest_s = max(slowest_s, time.perf_counter() - before_s)
            await pilot.pause(PAUSE_S)
    return slowest_s


prefer_keys()
slowest_ms = asyncio.run(press_all(Path(sys.argv[1]))) * 1e3
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"{slowest_ms:.0f} {peak_mb}")
