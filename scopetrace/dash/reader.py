"""The thread that reads the session, so that a key never waits for a query.

A job is a generator: what it yields is delivered, and between two of its values the thread looks
whether there is another job, which takes its place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from scopetrace.dash.rows import Part
from scopetrace.errors import ScopeError
from scopetrace.model.session import SessionInfo
from scopetrace.query import Session

HURRY_EVERY_S = 0.05
DELIVER_EVERY_S = 0.1
"""Time between two parts of an answer that is not complete."""

Job = Callable[[Session], Iterator["Part | SessionInfo | None"]]
Answer = Part | SessionInfo | ScopeError


class Reader:
    """Makes one job after the other; of those that wait, only the last.

    Args:
        session: what it reads; it is closed at the end.
        deliver: takes the number of a job and a part of its answer, or why there is none; called in
            the thread.
    """

    def __init__(self, session: Session, deliver: Callable[[int, Answer], None]) -> None:
        self._session = session
        self._deliver = deliver
        self._changed = threading.Condition()
        self._job: Job | None = None
        self._is_busy = False
        """Whether a job is being made."""
        self._number = 0
        self._is_closed = False
        self.is_idle = True
        """Whether there is no job."""
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def ask(self, job: Job) -> int:
        """Give the thread a job in place of any other; return its number."""
        with self._changed:
            self._job = job
            self._number += 1
            self.is_idle = False
            self._wake()
            return self._number

    def hurry(self) -> None:
        """End the query of a job that is not wanted any more.

        `ask` does that, too, but in vain if the query began just afterwards.
        """
        with self._changed:
            if self._job is not None or self._is_closed:
                self._wake()

    def close(self) -> None:
        """End the thread and wait for its end."""
        with self._changed:
            self._is_closed = True
        while self._thread.is_alive():
            self.hurry()
            self._thread.join(HURRY_EVERY_S)

    def _wake(self) -> None:
        """Have the thread look for what to do; the query that it is making is ended."""
        if self._is_busy:
            self._session.interrupt()
        self._changed.notify()

    def _run(self) -> None:
        with self._session:
            try:
                self._make_all()
            finally:
                with self._changed:  # a session that is closed cannot be interrupted
                    self._is_busy = False

    def _make_all(self) -> None:
        while (taken := self._take()) is not None:
            number, job = taken
            try:
                self._make(number, job)
            except (ScopeError, KeyboardInterrupt) as error:  # the latter: interrupted
                if isinstance(error, ScopeError) and not self._is_stale(number):
                    self._deliver(number, error)
            self._finish(number)

    def _take(self) -> tuple[int, Job] | None:
        """Wait for a job; None: there will be none."""
        with self._changed:
            self._is_busy = False
            self._changed.wait_for(lambda: self._job is not None or self._is_closed)
            job, self._job = self._job, None
            self._is_busy = True
            return None if self._is_closed or job is None else (self._number, job)

    def _make(self, number: int, job: Job) -> None:
        delivered_s = 0.0
        for part in self._parts(job):
            if self._is_stale(number):
                return
            if part is None:
                continue
            now_s = time.monotonic()
            if isinstance(part, SessionInfo) or part.is_done:
                self._deliver(number, part)
            elif now_s - delivered_s >= DELIVER_EVERY_S:
                self._deliver(number, part)
                delivered_s = now_s

    def _parts(self, job: Job) -> Iterator[SessionInfo | Part | None]:
        """Yield what a job does; a query that is ended fails, whatever part of the job makes it."""
        with self._session.reading():
            yield from job(self._session)

    def _is_stale(self, number: int) -> bool:
        with self._changed:
            return self._is_closed or number != self._number

    def _finish(self, number: int) -> None:
        with self._changed:
            if number == self._number:
                self.is_idle = True
