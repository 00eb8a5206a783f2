"""The dashboard without a terminal: keys in, lines of the screen out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from scopetrace.dash.app import Dashboard
from support.harness import PATIENCE


async def settle(pilot: Any) -> None:
    """Wait until what was asked for has been read and shown."""
    async with asyncio.timeout(PATIENCE):
        await pilot.pause()
        while not pilot.app.is_idle:
            await pilot.pause(0.01)
        await pilot.pause()
        if not pilot.app.is_idle:  # what was read made it read more
            await settle(pilot)


def screen(pilot: Any) -> list[str]:
    """Return the lines of the screen, without spaces at their ends."""
    strips = pilot.app.screen._compositor.render_strips()
    return [strip.text.rstrip() for strip in strips]


def drive(path: Path, *keys: str, size: tuple[int, int] = (80, 24)) -> list[str]:
    """Open a session, press keys, wait after each, and return the screen at the end.

    A key of several characters that Textual does not know is typed.
    """

    async def go() -> list[str]:
        async with Dashboard(path, "1").run_test(size=size) as pilot:
            await settle(pilot)
            for key in keys:
                await pilot.press(key)
                await settle(pilot)
            return screen(pilot)

    return asyncio.run(go())


def typed(text: str) -> list[str]:
    """Return the keys by which a text is typed."""
    return [*text]
