"""Whether bytes are text, and where text may be cut."""

from __future__ import annotations

from codecs import getincrementaldecoder

LOOKED_AT = 256
"""Bytes of a write that decide whether it is binary."""

_TEXT = bytes(range(0x20, 0x7F)) + b"\t\n\v\f\r\x1b"
_CONTINUES = bytes(range(0x80, 0xC0))
_MOST_CONTINUING = 3
_utf8 = getincrementaldecoder("utf-8")


def is_binary(data: bytes) -> bool:
    """Whether a write is no text: judged by its first 256 bytes, as ASCII or UTF-8.

    A program may cut its output anywhere, so a character may be incomplete at either end.
    """
    start = data[:LOOKED_AT]
    other = start.translate(None, _TEXT)
    if not other:
        return False
    if not other.isascii() and min(other) >= 0x80:
        return not _is_utf8(start)
    return True


def _is_utf8(start: bytes) -> bool:
    head = start[:_MOST_CONTINUING]
    start = head.lstrip(_CONTINUES) + start[_MOST_CONTINUING:]
    try:
        _utf8().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def whole_characters(data: bytes | bytearray, end: int) -> int:
    """Return the last place at or before `end` where no UTF-8 character is cut."""
    for place in range(end, max(end - _MOST_CONTINUING - 1, 0), -1):
        if place == len(data) or data[place] & 0xC0 != 0x80:
            return place
    return end
