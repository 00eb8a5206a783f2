"""Which names a file can have had before or later: those that renames and links lead to.

A chain of renames may have any length, and some never end: after `/a` → `/b` and `/b` → `/a/b`, a
file `/a/x` may have been `/a/b/x`, `/a/b/b/x`… So names that are many steps away are left out, and
the search ends at many names.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from scopetrace.query.few_events import few_events
from scopetrace.query.named_files import decode_names

MOST_NAMES = 500
"""Of one family, about; more base names would be too long a statement."""
_MOST_STEPS = 200
"""Renames from a name that is asked about to another one: as many as a log is rotated."""


class Move(NamedTuple):
    """A name that a file or folder got in place of another, or beside it."""

    old: str
    new: str


class Moves:
    """Renames and hard links, found by their names."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self._others: dict[str, list[str]] = {}
        for old, new in moves:
            self._others.setdefault(old, []).append(new)
            self._others.setdefault(new, []).append(old)

    def family(self, names: Iterable[str]) -> set[str]:
        """Return all names that files of these names can have had before or later."""
        found, last = set(names), set(names)
        for _ in range(_MOST_STEPS):
            last = {other for name in last for other in self._next_to(name)} - found
            found |= last
            if not last or len(found) > MOST_NAMES:
                break
        return found

    def folders_above(self, names: Iterable[str]) -> set[str]:
        """Return the folders that were renamed and that any of `names` is below."""
        above = {folder for name in names for folder in _folders(name)}
        known = above & self._others.keys()
        return known.union(*(self._others[folder] for folder in known))

    def _next_to(self, name: str) -> Iterator[str]:
        """Yield the names that one move gives to a name, or gave it from, also of a folder."""
        for moved in (name, *_folders(name)):
            for other in self._others.get(moved, ()):
                yield other + name[len(moved) :]


def _folders(path: str) -> Iterator[str]:
    """Yield the folders that a path is below, the nearest first, without the root."""
    while path := path.rpartition("/")[0]:
        yield path


def read_moves(db: sqlite3.Connection) -> Moves:
    """Return all renames and hard links of a session."""
    rows = db.execute(f"SELECT data FROM {few_events(db)} WHERE source IN ('fs.rename', 'fs.link')")
    return Moves(_moves(rows.fetchall()))


def _moves(rows: Sequence[tuple[str]]) -> Iterator[Move]:
    for (text,) in rows:
        names = decode_names(text)
        old, new = (names.file, names.file_new) if names.file_new else (names.linked, names.file)
        if old and new:
            yield Move(old, new)
