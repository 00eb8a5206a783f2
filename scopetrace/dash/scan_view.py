"""A list that is put together step by step, and read on from where it was left.

So a view of a session that grows reads only what is new.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from scopetrace.dash.place import Place
from scopetrace.dash.view import ListView
from scopetrace.query import Session

SHOW_EVERY_S = 0.5
"""Time between two lists while events are read."""

Record = TypeVar("Record")


class Scan(Protocol):
    """What reads events and keeps what they add up to."""

    after_id: int
    """The events up to this one were read."""

    def read_on(self, upto: int) -> bool:
        """Read the next events with ids up to `upto`; return whether there can be more."""


AnyScan = TypeVar("AnyScan", bound=Scan)


class ScanView(ListView[Record], Generic[Record, AnyScan]):
    """A view of what a scan finds, of all processes or of one."""

    def __init__(self) -> None:
        self._scan: AnyScan | None = None
        self._scanned: int | None = None
        """The pid that the scan is about."""

    @abstractmethod
    def begin(self, session: Session, pid: int | tuple[()]) -> AnyScan:
        """Return a scan of one process, or of all."""

    @abstractmethod
    def found(self, scan: AnyScan, place: Place) -> tuple[list[Record], str]:
        """Return the records known so far that a place shows, and a note on them."""

    def records(self, session: Session, place: Place) -> Iterator[tuple[list[Record], str] | None]:
        """Yield the records known so far; the next call goes on where this one was left."""
        scan, upto = self._scan_of(session, place.scope.pid), session.last_id
        shown_s = time.monotonic()
        while scan.read_on(upto):
            if time.monotonic() - shown_s >= SHOW_EVERY_S:
                records, note = self.found(scan, place)
                read = f"events read: {scan.after_id:,} of {upto:,}"
                yield records, "; ".join(filter(None, (read, note)))
                shown_s = time.monotonic()
            else:
                yield None
        yield self.found(scan, place)

    def _scan_of(self, session: Session, pid: int | None) -> AnyScan:
        if self._scan is None or self._scanned != pid:
            self._scan = self.begin(session, () if pid is None else pid)
            self._scanned = pid
        return self._scan
