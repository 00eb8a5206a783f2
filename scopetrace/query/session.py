"""One session, open for reading.

Its methods stand by what they are asked about: `session_events`, `session_files`, `session_flows`,
`session_metrics`, `session_processes`, `session_syscalls`; what is put together from several of
these is here. Each method imports the module that does the work when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from scopetrace.errors import SessionError
from scopetrace.query.history import find_session
from scopetrace.query.session_files import FileViews
from scopetrace.query.session_flows import FlowViews
from scopetrace.query.session_metrics import MetricViews
from scopetrace.query.session_processes import ProcessViews
from scopetrace.query.session_syscalls import SyscallViews

if TYPE_CHECKING:
    from scopetrace.model.difference import SessionDiff, Slower
    from scopetrace.model.summary import Summary
    from scopetrace.query.diff.facts import Facts


def open_session(
    id_or_path: int | str | Path | None = None, home: Path | str | None = None
) -> Session:
    """Open a session by its id or the path of its file; by default the last one.

    It may be one that is being recorded, or a file that was copied from another machine.

    Raises:
        SessionError: there is no such session, or its file cannot be read.
    """
    if id_or_path is None or isinstance(id_or_path, int):
        return Session(find_session(id_or_path, home))
    if isinstance(id_or_path, str) and id_or_path.isdecimal():
        return Session(find_session(int(id_or_path), home))
    return Session(Path(id_or_path))


class Session(FlowViews, FileViews, ProcessViews, SyscallViews, MetricViews):
    """One session; a context manager that closes its file at the end.

    A session that is being recorded can be queried repeatedly: each query sees the rows that have
    been committed by then.
    """

    def __repr__(self) -> str:
        from scopetrace.query.shown import session_line

        try:
            return f"<Session {session_line(self.info)}>"
        except SessionError:
            return f"<Session {self.path}, closed or unreadable>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the session, and its summary."""
        from scopetrace.query.shown import session_html

        return session_html(self.summary())

    def summary(self) -> Summary:
        """Return what is asked first: the end, the processes, files, logs, peers and errors.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.summary import read_summary

        info = self.info
        with self.reading():
            return read_summary(self._db, info, self.path_classes)

    def diff(
        self,
        other: Session,
        *,
        ignore_from: Iterable[Session] = (),
        slower: Slower | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> SessionDiff:
        """Return what differs between this session, A, and another one, B: true if anything does.

        Args:
            other: B.
            ignore_from: further sessions like A; what differs between A and these is left out.
            slower: from when on a process that took longer in B is a difference; None: never.
            progress: called for each session that has been read, with its number of events.

        Raises:
            SessionError: one of the sessions cannot be read.
        """
        from scopetrace.query.diff.compare import compare_sessions

        a, b, *further = (each._facts(progress) for each in (self, other, *ignore_from))
        return compare_sessions(a, b, further, self.path_classes, slower)

    def _facts(self, progress: Callable[[int], object] | None) -> Facts:
        from scopetrace.query.diff.facts import read_facts

        info = self.info
        with self.reading():
            facts = read_facts(self._db, info, self.path_classes)
        if progress is not None:
            progress(info.events)
        return facts

    def save(self, path: Path, redact: bool = False) -> None:
        """Write a whole copy, with what is recorded by now, to a file that is empty or not there.

        Args:
            path: of the file.
            redact: take out messages, payload, and what looks like a secret (`query.redact`).

        Raises:
            SessionError: it cannot be written, or the session cannot be read.
        """
        from scopetrace.query.save import save_session

        save_session(self._db, self.info, path, redact)
