"""The queue of lines to send: bounded in bytes, filled by one thread and emptied by another.

An item is a line with its end, or a few that belong together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

Item = TypeVar("Item")

LINE_OVERHEAD_BYTES = 64
"""Memory for a line besides its own bytes, about."""


class SendQueue:
    """A queue of lines, each with its end.

    Args:
        most_bytes: its capacity; the last line may exceed it.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._lines: deque[bytes] = deque()
        self._size = 0
        self.entered = 0
        """Lines that were ever queued."""

    @property
    def size(self) -> int:
        """Bytes of memory that the queued lines take."""
        return self._size

    def offer(self, items: Sequence[Item], encode: Callable[[Item], bytes]) -> int:
        """Queue the lines of the first items, as many as fit; return how many. Never blocks.

        Items that do not fit are not encoded.
        """
        room = self._most_bytes - self._size
        lines = []
        for item in items:
            if room <= 0:
                break
            line = encode(item)
            lines.append(line)
            room -= len(line) + LINE_OVERHEAD_BYTES
        with self._lock:
            self._lines += lines
            self._size += sum(map(len, lines)) + len(lines) * LINE_OVERHEAD_BYTES
        self.entered += sum(line.count(b"\n") for line in lines)
        return len(lines)

    def take(self, enough_bytes: int) -> bytes:
        """Remove and return the oldest lines, at least `enough_bytes` if there are so many."""
        found, size = [], 0
        with self._lock:
            while self._lines and size < enough_bytes:
                line = self._lines.popleft()
                found.append(line)
                size += len(line)
            self._size -= size + len(found) * LINE_OVERHEAD_BYTES
        return b"".join(found)
