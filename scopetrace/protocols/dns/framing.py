"""Framing of DNS over streams: each message has its length before it (RFC 1035, 4.2.2)."""

from __future__ import annotations

LENGTH = 2
"""Bytes that say how long a message is."""


class Framing:
    """One direction of a stream. Keeps less than one message."""

    __slots__ = ("_holed", "_pending")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._holed = False
        """Bytes of the pending message are missing."""

    def feed(self, data: bytes) -> list[bytes | None]:
        """Return the messages that are whole now; None for one of which bytes are missing."""
        pending = self._pending
        pending += data
        messages: list[bytes | None] = []
        at = 0
        while len(pending) - at >= LENGTH:
            begin = at + LENGTH
            end = begin + int.from_bytes(pending[at:begin], "big")
            if end > len(pending):
                break
            messages.append(None if self._holed else bytes(pending[begin:end]))
            self._holed = False
            at = end
        del pending[:at]
        return messages

    def gap(self, size: int) -> list[bytes | None] | None:
        """Do as `feed` for missing bytes; None: where messages begin is not known any more."""
        pending = self._pending
        if len(pending) < LENGTH:
            return None
        if size > LENGTH + int.from_bytes(pending[:LENGTH], "big") - len(pending):
            return None
        self._holed = True
        return self.feed(bytes(size))
