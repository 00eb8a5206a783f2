"""Who started a process, and who started that one, up to the first of the session.

Only images that are asked for are read, with those near to them: a session may have any number.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from scopetrace.model.touch import Doer

_PAGE = 256
"""Images that are read at a time."""


class _Image(NamedTuple):
    pid: int
    proc: str
    cmd: str
    parent: int


class Chains:
    """Finds the chains of a session's process images."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._images: dict[int, _Image | None] = {}
        self._known: dict[int, tuple[Doer, ...]] = {}

    def of(self, image: int) -> tuple[Doer, ...]:
        """Return an image's process, the one that forked it, and so on; empty if unknown.

        A process stands there once, as the program that it ran when it did or forked what follows.
        """
        known = self._known.get(image)
        if known is None:
            known = self._known[image] = self._followed(image)
        return known

    def _followed(self, image: int) -> tuple[Doer, ...]:
        chain: list[Doer] = []
        number, facts = image, self._image(image)
        while facts is not None:
            if not chain or chain[-1].pid != facts.pid:
                chain.append(Doer(facts.pid, facts.proc, facts.cmd))
            if facts.parent >= number:  # no image is older than its parent
                break
            number, facts = facts.parent, self._image(facts.parent)
        return tuple(chain)

    def _image(self, number: int) -> _Image | None:
        if number not in self._images:
            first = number - number % _PAGE
            rows = self._db.execute(
                "SELECT id, pid, proc, cmd, parent FROM process WHERE id >= ? AND id < ?",
                (first, first + _PAGE),
            )
            self._images |= {row[0]: _Image._make(row[1:]) for row in rows}
            self._images.setdefault(number)
        return self._images[number]
