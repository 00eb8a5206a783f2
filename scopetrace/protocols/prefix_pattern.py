r"""Regular expressions for the first bytes of a stream, which know whether more bytes could match.

Python's `re` has no partial match: it cannot say of bytes that do not match whether more of them
might. A `PrefixPattern` is a row of items (a byte, an escape, a set), each with a count or without,
from which a second expression is derived that matches every beginning of what the first one
matches. It has no groups, alternatives or lookarounds; alternatives are several patterns.
"""

from __future__ import annotations

import re

_ITEM = re.compile(rb"(\\x..|\\.|\[\^?(?:\\.|[^\]])+\]|.)(?:\{(\d+)(?:,(\d+))?\})?", re.DOTALL)


class PrefixPattern:
    """A pattern for the first bytes of a stream."""

    def __init__(self, pattern: bytes) -> None:
        items = [_item(*found.groups()) for found in _ITEM.finditer(pattern)]
        whole = b"".join(item + count for item, count, _ in items)
        beginning = b""
        for item, count, fewer in reversed(items):
            beginning = b"(?:%b%b%b|%b%b)" % (item, count, beginning, item, fewer)
        self._whole = re.compile(whole, re.DOTALL)
        self._beginning = re.compile(beginning, re.DOTALL)

    def matches(self, data: bytes) -> bool | None:
        """Return whether `data` begins as the pattern says; None: with more bytes it might."""
        if self._whole.match(data):
            return True
        return None if self._beginning.fullmatch(data) else False


def _item(item: bytes, fewest: bytes | None, most: bytes | None) -> tuple[bytes, bytes, bytes]:
    """Return an item, how often it comes, and how often it may have come so far."""
    if fewest is None:
        return item, b"", b"?"
    most = most or fewest
    return item, b"{%b,%b}" % (fewest, most), b"{0,%b}" % most
