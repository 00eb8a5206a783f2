"""The body of an HTTP message as text, for people and documents."""

from __future__ import annotations

import base64
import zlib
from typing import NamedTuple

from scopetrace.model.exchange import Content

COMPRESSED = ("gzip", "x-gzip", "deflate")
"""Content codings that are undone (RFC 9110, 8.4.1)."""
ANY_HEADER = 32 + zlib.MAX_WBITS
"""Has zlib find out whether the header is that of gzip or of zlib."""
GROWTH = 20
"""A compressed body may become so many times as large."""


class BodyText(NamedTuple):
    """A body as a document can hold it."""

    text: str
    is_base64: bool
    """It is no text in UTF-8."""


def body_text(content: Content) -> BodyText:
    """Return the body of a message, decompressed if it can be."""
    data = content.body
    if content.header("content-encoding").lower() in COMPRESSED:
        data = _decompressed(data) or data
    try:
        return BodyText(_whole_characters(data).decode(), False)
    except UnicodeDecodeError:
        return BodyText(base64.b64encode(data).decode(), True)


def _decompressed(data: bytes) -> bytes:
    """Return what the first bytes of compressed data hold; nothing if they are none."""
    try:
        return zlib.decompressobj(ANY_HEADER).decompress(data, len(data) * GROWTH)
    except zlib.error:
        return b""


def _whole_characters(data: bytes) -> bytes:
    """Return data without the beginning of a character of UTF-8 that was cut off at its end."""
    for size in range(1, min(4, len(data) + 1)):
        first = data[-size]
        if 0xC2 <= first <= 0xF4:
            length = 2 + (first >= 0xE0) + (first >= 0xF0)
            return data[:-size] if size < length else data
    return data
