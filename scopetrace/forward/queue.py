"""Lines that wait to be sent: bounded in bytes, filled by one thread and emptied by another.

An item is a line with its end, or a few that belong together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

Item = TypeVar("Item")

LINE_BYTES = 64
"""What a line takes in memory besides its bytes, about."""


class Outbox:
    """A queue of lines, each with its end.

    Args:
        most_bytes: how much may wait; one line may go beyond.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._lines: deque[bytes] = deque()
        self._taken_up = 0
        self.entered = 0
        """Lines that were taken, in all."""

    @property
    def size(self) -> int:
        """How many bytes of memory the lines take."""
        return self._taken_up

    def offer(self, items: Sequence[Item], encode: Callable[[Item], bytes]) -> int:
        """Take the lines of as many items, from the first, as there is room for; say how many.

        What there is no room for is not even encoded. This never waits.
        """
        room = self._most_bytes - self._taken_up
        lines = []
        for item in items:
            if room <= 0:
                break
            line = encode(item)
            lines.append(line)
            room -= len(line) + LINE_BYTES
        with self._lock:
            self._lines += lines
            self._taken_up += sum(map(len, lines)) + len(lines) * LINE_BYTES
        self.entered += sum(line.count(b"\n") for line in lines)
        return len(lines)

    def take(self, enough_bytes: int) -> bytes:
        """Remove lines, from the oldest, until there are enough; nothing if there are none."""
        found, size = [], 0
        with self._lock:
            while self._lines and size < enough_bytes:
                line = self._lines.popleft()
                found.append(line)
                size += len(line)
            self._taken_up -= size + len(found) * LINE_BYTES
        return b"".join(found)
