"""Bytes of one direction that a parser waits to complete, and when the first of them came.

They are the beginning of one thing (a head, a frame, a line). So one time is enough: whatever
begins later begins in the feed that is being read. (As h11's `_receivebuffer.py`.)
"""

from __future__ import annotations


class ReceiveBuffer:
    """What is left of the last feeds, joined to the next one."""

    __slots__ = ("_kept", "_since_ns", "now_ns", "old")

    def __init__(self) -> None:
        self._kept = bytearray()
        self._since_ns = 0
        self.now_ns = 0
        """The time of the feed that is being read."""
        self.old = 0
        """How many of the joined bytes were there before that."""

    def __len__(self) -> int:
        return len(self._kept)

    def joined(self, time_ns: int, data: bytes) -> bytes | bytearray:
        """Return the bytes that wait and `data`. The caller must `keep` what it does not read."""
        self.now_ns = time_ns
        self.old = len(self._kept)
        if not self.old:
            return data
        self._kept += data
        return self._kept

    def time_of(self, position: int) -> int:
        """Return when the byte at this position of the joined ones came."""
        return self._since_ns if position < self.old else self.now_ns

    def keep(self, buffer: bytes | bytearray, position: int) -> None:
        """Keep the joined bytes from this position on."""
        self._since_ns = self.time_of(position)
        if buffer is self._kept:
            del self._kept[:position]
        elif position < len(buffer):
            self._kept += buffer[position:]

    def take(self) -> bytes:
        """Remove and return the bytes that wait."""
        taken = bytes(self._kept)
        self._kept.clear()
        return taken
