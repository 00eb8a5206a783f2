r"""Regular expressions for the first bytes of a stream, which know whether more bytes could match.

Python's `re` has no partial match: it cannot say of bytes that do not match whether more of them
might. A `PrefixPattern` is a row of items (a byte, an escape, a set), each with a count or without,
from which a second expression is derived that matches every beginning of what the first one
matches. It has no groups, alternatives or lookarounds; alternatives are several patterns.

To compile both takes half a millisecond, and there are some hundred patterns, of which the first
byte of a stream rules out all but a few. So a pattern is compiled when there are bytes that begin
as it does.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

_ITEM = re.compile(rb"(\\x..|\\.|\[\^?(?:\\.|[^\]])+\]|.)(?:\{(\d+)(?:,(\d+))?\})?", re.DOTALL)


class PrefixPattern:
    """A pattern for the first bytes of a stream."""

    def __init__(self, pattern: bytes) -> None:
        self._pattern = pattern

    def matches(self, data: bytes) -> bool | None:
        """Return whether `data` begins as the pattern says; None: with more bytes it might."""
        if data and data[0] not in self._first_bytes:
            return False
        whole, beginning = self._compiled
        if whole.match(data):
            return True
        return None if beginning.fullmatch(data) else False

    @cached_property
    def _first_bytes(self) -> frozenset[int]:
        """Those that a match can begin with."""
        found: frozenset[int] = frozenset()
        for item, fewest, _ in _ITEM.findall(self._pattern):
            found |= _bytes_of(item)
            if fewest != b"0":
                return found
        return frozenset(range(256))

    @cached_property
    def _compiled(self) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        items = [_item(*found.groups()) for found in _ITEM.finditer(self._pattern)]
        whole = b"".join(item + count for item, count, _ in items)
        beginning = b""
        for item, count, fewer in reversed(items):
            beginning = b"(?:%b%b%b|%b%b)" % (item, count, beginning, item, fewer)
        return re.compile(whole, re.DOTALL), re.compile(beginning, re.DOTALL)


@lru_cache
def _bytes_of(item: bytes) -> frozenset[int]:
    """Return the bytes that an item stands for."""
    if len(item) == 1 and item != b".":
        return frozenset(item)
    one = re.compile(item, re.DOTALL)
    return frozenset(byte for byte in range(256) if one.match(bytes((byte,))))


def _item(item: bytes, fewest: bytes | None, most: bytes | None) -> tuple[bytes, bytes, bytes]:
    """Return an item, how often it comes, and how often it may have come so far."""
    if fewest is None:
        return item, b"", b"?"
    most = most or fewest
    return item, b"{%b,%b}" % (fewest, most), b"{0,%b}" % most
