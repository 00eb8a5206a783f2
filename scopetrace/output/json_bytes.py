"""JSON for other programs' files: UTF-8, one value at a time, so that any number can be written.

Some programs refuse lone surrogates, which stand for bytes that are no UTF-8 (`os.fsdecode`). Here
such bytes become U+FFFD.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.json import encode

PIECE_BYTES = 65_536
"""So much is yielded at a time."""


def json_bytes(value: Any) -> bytes:
    """Return a value as JSON."""
    try:
        return encode(value)
    except UnicodeEncodeError:
        return encode(without_surrogates(value))


def without_surrogates(value: Any) -> Any:
    """Return a value with U+FFFD in place of what is no UTF-8 in its texts."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_surrogates(each) for each in value]
    return value


def json_document(before: bytes, values: Iterable[Any], after: bytes) -> Iterator[bytes]:
    """Yield a document with a list of values in it, one to a line, in pieces."""
    pieces, size, separator = [before], 0, b"\n"
    for value in values:
        line = json_bytes(value)
        pieces += (separator, line)
        size += len(line)
        separator = b",\n"
        if size >= PIECE_BYTES:
            yield b"".join(pieces)
            pieces, size = [], 0
    yield b"".join((*pieces, b"\n", after))
