"""Bytes of one direction that wait for more, and when the first of them came.

What waits is the beginning of one thing (a head, a frame, a line), whose end is not there yet. So
one time is enough: whatever begins later begins in the feed that is being read.
"""

from __future__ import annotations


class Unread:
    """What is left of the last feeds, joined to the next one."""

    __slots__ = ("_kept", "_now_ns", "_since_ns", "old")

    def __init__(self) -> None:
        self._kept = bytearray()
        self._since_ns = self._now_ns = 0
        self.old = 0
        """How many bytes of the joined ones were there before."""

    def __len__(self) -> int:
        return len(self._kept)

    def joined(self, time_ns: int, data: bytes) -> bytes | bytearray:
        """Return what waits and `data`. Whoever asks must `keep` what it did not read."""
        self._now_ns = time_ns
        self.old = len(self._kept)
        if not self.old:
            return data
        self._kept += data
        return self._kept

    def time_of(self, position: int) -> int:
        """Return when the byte at this position of the joined ones came."""
        return self._since_ns if position < self.old else self._now_ns

    def keep(self, buffer: bytes | bytearray, position: int) -> None:
        """Keep the joined bytes from this position on."""
        self._since_ns = self.time_of(position)
        if buffer is self._kept:
            del self._kept[:position]
        elif position < len(buffer):
            self._kept += buffer[position:]

    def take(self) -> bytes:
        """Remove and return what waits."""
        taken = bytes(self._kept)
        self._kept.clear()
        return taken
