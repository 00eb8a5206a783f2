"""Text in UTF-16, which is known by its byte order mark, decoded as it is written."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder

from scopetrace.streams.encoding import is_binary

MARKS = {BOM_UTF16_LE: "utf-16-le", BOM_UTF16_BE: "utf-16-be"}
"""Byte order mark → the codec of the text after it."""

_LOOKED_AT = 4096
_MOST_UNREADABLE = 0.05
"""Of random pairs of bytes one in seven is a lone surrogate, for private use, or no character."""
_ASCII = bytes(range(0x20, 0x7F)) + b"\a\b\t\n\v\f\r\x1b"
_REPLACED = "\ufffd"


class Utf16Reader:
    """Decodes one text in UTF-16, cut anywhere."""

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
        return data if not self.unfinished and _is_utf8(data) else self.decoded(data)

    def decoded(self, data: bytes) -> bytes | None:
        """Return the next bytes as UTF-8; None if they are no text of this encoding."""
        text = self._decoder.decode(data)
        if _is_readable(text):
            return text.encode()
        self._decoder.reset()
        return None

    @property
    def unfinished(self) -> bytes:
        """The first bytes of a character that is not complete."""
        return self._decoder.getstate()[0]


def read_utf16(former: Utf16Reader | None, data: bytes) -> tuple[Utf16Reader | None, bytes]:
    """Return the reader of a text channel from this write on, and the write, as UTF-8 if possible.

    1. A write that begins with a byte order mark is UTF-16 from there on, without the mark.
    2. One that does, but is no readable UTF-16, is left as it is.
    3. Other writes are UTF-16 if the channel was, and if they can be (`Utf16Reader.read`).

    Args:
        former: the reader of the channel so far, if it was UTF-16.
        data: the bytes that were written.
    """
    mark = data[:2]
    if mark in MARKS:
        reader = Utf16Reader(MARKS[mark])
        text = reader.decoded(data[len(mark) :])
        return (former, data) if text is None else (reader, text)
    text = former.read(data) if former is not None else None
    return former, data if text is None else text


def _is_utf8(data: bytes) -> bool:
    """Return whether bytes are text that is hardly UTF-16: ASCII, or an odd number of bytes.

    UTF-16 of ASCII that is cut inside a pair has a third of NULs or more.
    """
    odd = len(data) % 2 and 3 * data.count(0) < len(data)
    return not data.translate(None, _ASCII) or bool(odd and not is_binary(data))


def _is_readable(text: str) -> bool:
    start = text[:_LOOKED_AT]
    bad = sum(1 for c in start if c == _REPLACED or not (c.isprintable() or c.isspace()))
    return bad <= _MOST_UNREADABLE * len(start)
