"""Text in UTF-16, known by its byte order mark, made UTF-8 as it comes."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder

from scopetrace.streams.encoding import is_binary

MARKS = {BOM_UTF16_LE: "utf-16-le", BOM_UTF16_BE: "utf-16-be"}
"""What text in UTF-16 begins with, and its byte order."""

_LOOKED_AT = 4096
_MOST_UNREADABLE = 0.05
"""Of random pairs of bytes one in seven is a lone surrogate, for private use, or no character."""
_ASCII = bytes(range(0x20, 0x7F)) + b"\a\b\t\n\v\f\r\x1b"
_REPLACED = "\ufffd"


class Wide:
    """One text in UTF-16, cut anywhere."""

    __slots__ = ("_decoder", "order")

    def __init__(self, order: str) -> None:
        self.order = order
        self._decoder = getincrementaldecoder(order)("replace")

    def read(self, data: bytes) -> bytes | None:
        """Return the next bytes as UTF-8; None if they are no UTF-16.

        A program may write other text where it, or another one, wrote UTF-16. Text in UTF-16 is
        hardly ever made of printable ASCII alone, since its spaces and line ends hold a NUL, or cut
        inside a pair of bytes.
        """
        return data if not self.unread and _is_narrow(data) else self.decoded(data)

    def decoded(self, data: bytes) -> bytes | None:
        """Return the next bytes as UTF-8; None if they are no text of this encoding."""
        text = self._decoder.decode(data)
        if _is_readable(text):
            return text.encode()
        self._decoder.reset()
        return None

    @property
    def unread(self) -> bytes:
        """The beginning of a character that is not all there."""
        return self._decoder.getstate()[0]


def read_wide(wide: Wide | None, data: bytes) -> tuple[Wide | None, bytes]:
    """Return what reads a channel from here on, and what was written to it, as UTF-8 if it can be.

    Args:
        wide: what read the channel so far, if it was UTF-16.
        data: what was written; it may begin with a mark, which is then no part of the text.
    """
    mark = data[:2]
    if mark in MARKS:
        reader = Wide(MARKS[mark])
        text = reader.decoded(data[len(mark) :])
        return (wide, data) if text is None else (reader, text)
    text = wide.read(data) if wide is not None else None
    return wide, data if text is None else text


def _is_narrow(data: bytes) -> bool:
    return not data.translate(None, _ASCII) or bool(len(data) % 2 and not is_binary(data))


def _is_readable(text: str) -> bool:
    start = text[:_LOOKED_AT]
    bad = sum(1 for c in start if c == _REPLACED or not (c.isprintable() or c.isspace()))
    return bad <= _MOST_UNREADABLE * len(start)
