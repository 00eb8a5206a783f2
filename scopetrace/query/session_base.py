"""A session file that is open for reading: what all its views are asked with."""

from __future__ import annotations

import sqlite3
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from scopetrace.db.errors import session_error
from scopetrace.model.session import SessionInfo
from scopetrace.query.connect import connect, is_where_recorded, may_lack_log, missing_log
from scopetrace.query.events import EventFilter, EventQuery
from scopetrace.query.records import RecordReader, read_info
from scopetrace.query.source_names import as_prefix, check_sources
from scopetrace.query.sql_functions import add_functions

if TYPE_CHECKING:
    from scopetrace.query.path_classes import PathClasses
    from scopetrace.query.startup import StartUp

_MOST_COMPLETION_S, _POLL_S = 5.0, 0.005
_MOST_INTEGER = 2**63 - 1
"""The largest integer of SQLite."""


class EventFilters(TypedDict, total=False):
    """The filters of `Session.events`, which says what they mean."""

    source: str | Iterable[str]
    sourcetype: str | Iterable[str]
    pid: int | Iterable[int]
    proc: str | Iterable[str]
    match: str | Iterable[str]
    where: str | None
    since_ns: int | None
    until_ns: int | None


class SessionBase:
    """The open file; a context manager that closes it at the end."""

    path: Path

    def __init__(self, path: Path) -> None:
        self.path = path
        alone = may_lack_log(path)
        self._db = connect(path)
        self._failures = add_functions(self._db)
        self._right_names: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
        info = self.info
        self._reader = RecordReader(self._db, info.host)
        copied = info.status == "running" and not is_where_recorded(path)
        if alone and (copied or info.status == "interrupted"):
            warnings.warn(missing_log(path), stacklevel=3)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def interrupt(self) -> None:
        """End the query that another thread is making, which then fails; none: do nothing."""
        self._db.interrupt()

    def close(self) -> None:
        """Close the file; a closed session cannot be used any more."""
        self._db.close()

    @property
    def info(self) -> SessionInfo:
        """The facts about the session without its events, with the status of now."""
        with self.reading():
            return read_info(self._db, self.path)

    @property
    def exit_code(self) -> int | None:
        """The exit status of the program; None while it runs, or if a signal ended it."""
        return self.info.exit_code

    def wait_for_recorder(self) -> None:
        """Wait for the recorder to complete a session whose processes have all ended.

        It waits a few seconds at most, and not at all if any process still runs.
        """
        until = time.monotonic() + _MOST_COMPLETION_S
        while self._is_being_completed() and time.monotonic() < until:
            time.sleep(_POLL_S)

    def _is_being_completed(self) -> bool:
        info = self.info
        if info.status != "running" or (info.exit_code, info.signal) == (None, None):
            return False
        left = "SELECT 1 FROM process WHERE ended_ns IS NULL AND pid <> ? LIMIT 1"
        with self.reading():
            return self._db.execute(left, (info.pid,)).fetchone() is None

    @property
    def config(self) -> str:
        """The configuration it was recorded with, as YAML."""
        with self.reading():
            text: str = self._db.execute("SELECT config FROM session").fetchone()[0]
            return text

    @property
    def last_id(self) -> int:
        """The id of the last event that is committed by now; 0: there is none."""
        with self.reading():
            return self._db.execute("SELECT max(id) FROM event").fetchone()[0] or 0

    @cached_property
    def path_classes(self) -> PathClasses:
        """The classes of paths by the configuration it was recorded with, parsed once."""
        from scopetrace.query.path_classes import read_path_classes

        return read_path_classes(self.config)

    def start_up(self) -> StartUp:
        """Return what separates the events and flows of start-up from the program's own.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.startup import read_start_up, start_up_images

        classes = self.path_classes
        with self.reading():
            return read_start_up(self._db, classes, start_up_images(self._db, classes))

    def _query(self, **filters: Unpack[EventFilters]) -> EventQuery:
        unknown = filters.keys() - EventFilters.__annotations__.keys()
        if unknown:
            raise TypeError(f"events have no filter named {' or '.join(sorted(unknown))}")
        sources = listed(filters.get("source", ()))
        sourcetypes = listed(filters.get("sourcetype", ()))
        self._check_sources(sources, sourcetypes)
        wanted = EventFilter(
            tuple(map(as_prefix, sources)),
            sourcetypes,
            tuple(map(sql_int, listed(filters.get("pid", ())))),
            listed(filters.get("proc", ())),
            listed(filters.get("match", ())),
            filters.get("where"),
            sql_int(filters.get("since_ns")),
            sql_int(filters.get("until_ns")),
        )
        return EventQuery(self._db, self._failures, wanted)

    def _check_sources(self, sources: tuple[str, ...], sourcetypes: tuple[str, ...]) -> None:
        """Refuse names of no source; what was right once stays so."""
        if (sources, sourcetypes) not in self._right_names:
            with self.reading():
                check_sources(self._db, sources, sourcetypes)
            self._right_names.add((sources, sourcetypes))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Have an error of SQLite in the body be a SessionError."""
        try:
            yield
        except sqlite3.Error as error:
            raise session_error("read", self.path, error) from None


def listed(value: Any) -> tuple[Any, ...]:
    """Return the values of a filter, which may be a single one."""
    return (value,) if isinstance(value, str | int) else tuple(value)


def sql_int(number: Any) -> Any:
    """Return a number limited to SQLite's integers; no id or time is beyond them."""
    return number if number is None else max(-_MOST_INTEGER, min(number, _MOST_INTEGER))
