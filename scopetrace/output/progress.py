"""Progress of what takes longer than a second: one line of the terminal, replaced as it goes on.

It is drawn on standard error, only if that is a terminal, and is gone when the work is done.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TextIO, TypeVar

from scopetrace.output.width import shorten, terminal_columns

Item = TypeVar("Item")

PATIENCE_S = 1.0
"""Nothing is drawn before."""
INTERVAL_S = 0.1
CLEAR = "\r\x1b[K"
"""Go to the start of the line and erase it (ECMA-48, EL)."""


class Progress:
    """Counts steps towards a total and draws them; a context manager.

        with Progress("exporting", total=1000) as progress:
            for chunk in chunks:
                ...
                progress.step(len(chunk))

    Args:
        doing: what is being done, a participle.
        total: how many steps there are; None: it is not known.
        stream: where to draw; None: on standard error, past a pager.
    """

    def __init__(self, doing: str, total: int | None = None, stream: TextIO | None = None) -> None:
        self._doing = doing
        self._total = total
        self._stream = sys.__stderr__ if stream is None else stream
        self._columns = None if self._stream is None else terminal_columns(self._stream)
        self._done = 0
        self._due_s = time.monotonic() + PATIENCE_S
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self._drawn:
            self._write(CLEAR)

    def step(self, count: int = 1) -> None:
        """Count more steps as done."""
        self._done += count
        if self._columns is not None and time.monotonic() >= self._due_s:
            self._due_s = time.monotonic() + INTERVAL_S
            self._drawn = True
            self._write(CLEAR + shorten(self._text(), self._columns - 1))

    def _text(self) -> str:
        if not self._total:
            return f"{self._doing}: {self._done:,}"
        share = min(100 * self._done // self._total, 100)
        return f"{self._doing}: {self._done:,} of {self._total:,} ({share} %)"

    def _write(self, text: str) -> None:
        assert self._stream is not None
        with suppress(OSError):
            self._stream.write(text)
            self._stream.flush()


def tracked(items: Iterable[Item], doing: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items, and draw how many were taken."""
    with Progress(doing, total) as progress:
        for item in items:
            yield item
            progress.step()
