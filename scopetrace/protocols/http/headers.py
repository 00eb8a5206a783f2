"""Header fields, looked up by name or found by patterns.

Values are bytes that are mostly text (RFC 9110, 5.5); what is no UTF-8 becomes lone surrogates.
Fields of one name are one list, joined by commas (RFC 9110, 5.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

MOST_DIGITS = 18
"""Of a length: what is longer fits no counter."""
IDENTITY = "identity"
"""The transfer coding that meant none, and is obsolete (RFC 9112, 7)."""


class Pattern(Protocol):
    """A compiled regular expression."""

    def search(self, text: str, /) -> object:
        """Return something true if it is found in the text."""


class Headers:
    """The fields of one message. Messages whose heads are equal share one."""

    __slots__ = ("_values", "coding", "length", "misleads", "pairs")

    def __init__(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        self.pairs = pairs
        """Names and values as they were sent."""
        values: dict[bytes, list[bytes]] = {}
        for name, value in pairs:
            values.setdefault(name.lower(), []).append(value)
        self._values = {name: b", ".join(each) for name, each in values.items()}
        self.coding = self._coding()
        """The last transfer coding, which delimits the body; empty: there is none."""
        self.length = None if self.coding else self._length()
        """Content-Length, if it is there and one number, once or repeated (RFC 9110, 8.6).

        It does not count where there is a transfer coding (RFC 9112, 6.3).
        """
        known = bool(self.coding) or self.length is not None
        self.misleads = b"content-length" in self._values and not known
        """Whether the length of the body cannot be known: Content-Length is no number."""

    def get(self, name: bytes) -> str:
        """Return the value of a field, given in lower case; empty if there is none."""
        value = self._values.get(name)
        return text(value) if value else ""

    def _length(self) -> int | None:
        value = self._values.get(b"content-length")
        if value is None:
            return None
        if not value.isdigit():
            first, *others = {each.strip() for each in value.split(b",")}
            value = b"" if others else first
        return int(value) if value.isdigit() and len(value) <= MOST_DIGITS else None

    def _coding(self) -> str:
        codings = self._values.get(b"transfer-encoding")
        if codings is None:
            return ""
        coding = text(codings).rpartition(",")[2].strip().lower()
        return "" if coding == IDENTITY else coding

    def matching(self, patterns: Sequence[Pattern]) -> dict[str, str]:
        """Return name, in lower case, and value of the fields that any pattern finds."""
        names = {
            name.lower()
            for name, value in self.pairs
            if any(pattern.search(f"{text(name)}: {text(value)}") for pattern in patterns)
        }
        return {text(name): text(self._values[name]) for name in self._values if name in names}


def text(value: bytes) -> str:
    """Return bytes as text."""
    return value.decode("utf-8", "surrogateescape")
