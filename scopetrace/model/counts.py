"""Numbers of things in sentences."""

from __future__ import annotations


def number_of(count: int, noun: str) -> str:
    """Return a number and a noun in the form that goes with it.

    `1 file`, `1,024 files`, `2 processes`.
    """
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{ending}"


def unrecorded_bytes(count: int) -> str:
    """Return a sentence about the bytes of a flow that are missing from a file that was made."""
    return f"{number_of(count, 'byte')} had not been recorded, and could not be written"
