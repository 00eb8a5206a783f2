"""Names that are similar to an unknown one, for the sentence that refuses it."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_NAMES = 20_000
"""Of so many names the nearest are sought: comparing takes a few µs each."""
SHORTEST_PART = 3
"""Parts of names with fewer letters say too little."""

PART_CUTOFF = 0.8
"""A part of a name is as similar at least: it says less than a whole name."""
_PARTS = re.compile(r"[^0-9A-Za-z]+")


def nearest(word: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Return at most `most` of the names.

    First are those that contain `word`, then those similar to it, then those of which a part is.
    """
    from difflib import get_close_matches
    from itertools import islice

    known = list(islice(names, MOST_NAMES))
    has_parts = len(word) >= SHORTEST_PART
    containing = sorted((name for name in known if has_parts and word in name), key=len)
    similar = get_close_matches(word, known, n=most, cutoff=0.6)
    found = dict.fromkeys([*containing, *similar])
    if len(found) < most and has_parts:
        parts = {
            part for name in known for part in _PARTS.split(name) if len(part) >= len(word) - 1
        }
        near = get_close_matches(word, parts, n=most, cutoff=PART_CUTOFF)
        found |= {name: None for part in near for name in known if part in _PARTS.split(name)}
    return list(found)[:most]


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return the end of a sentence that proposes the nearest names; empty if none is near."""
    near = nearest(word, names)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def no_field(what: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence that no event (flow, file…) has a field of this name."""
    return f"no {what} has a field named {name}{did_you_mean(name, known)}"
