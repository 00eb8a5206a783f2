"""Whether bytes are text, and whether it ends inside a character."""

from __future__ import annotations

LOOKED_AT = 16 * 1024
"""Bytes of a write that decide whether it is binary, half of them at its end."""

_TEXT = bytes(range(0x20, 0x80)) + b"\a\b\t\n\v\f\r\x1b"
"""What text in ASCII is made of, with what terminals obey."""
_PLAIN = bytes(byte in _TEXT for byte in range(0x100))
_HIGH = bytes(range(0x80, 0x100))
_SPACES = frozenset(b" \t\r\n")
_CONTROL = 3
"""A control character weighs as much as three bytes that are no UTF-8."""
_MOST_ODD = 0.3
"""The weight that text may have, of its length."""
_SOME_ODD = 3
"""The weight that it may have besides, however short it is."""
_ENOUGH = 16
_MOST_CONTINUING = 3


def is_binary(data: bytes, amid_binary: bool = False) -> bool:
    """Whether a write is no text: judged by what it mostly is.

    Of random bytes a tenth are control characters and nearly half are no UTF-8: together they weigh
    0.7 of their length. Text of another encoding (Latin-1, KOI8-R, GBK) may be no UTF-8 throughout,
    but has no control characters, and spaces. A program may cut its output anywhere, so characters
    may be incomplete at both ends.

    Args:
        data: what was written.
        amid_binary: the write before was binary. Then this one is, too, if it has a control
            character, as have the parts of a program file or an archive that hold many names;
            but a few bytes are too few to judge by that.
    """
    if len(data) > LOOKED_AT:
        data = data[: LOOKED_AT // 2] + data[-LOOKED_AT // 2 :]
    if _is_plain(data):
        return False
    odd = data.translate(None, _TEXT)
    controls = len(odd.translate(None, _HIGH))
    if controls and amid_binary and len(data) >= _ENOUGH:
        return True
    weight = _CONTROL * controls
    if controls < len(odd):
        weight += len(data) - len(data.decode("utf-8", "ignore").encode())
    if weight <= _MOST_ODD * len(data) + _SOME_ODD:
        return False
    return controls > 0 or _SPACES.isdisjoint(data)


def _is_plain(data: bytes) -> bool:
    """Whether all bytes are of text in ASCII, as what programs write mostly is."""
    plain = _PLAIN
    for byte in data:  # noqa: SIM110 (a generator expression is no loop in C)
        if not plain[byte]:
            return False
    return True


def unfinished_character(data: bytes | bytearray) -> int:
    """Return how many bytes at the end are the beginning of a UTF-8 character (RFC 3629)."""
    for back in range(1, min(_MOST_CONTINUING, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2
            return back if 0xC2 <= byte <= 0xF4 and back < length else 0
    return 0
