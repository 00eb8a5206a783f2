"""One session, open for reading."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from scopetrace.db.errors import session_error
from scopetrace.errors import SessionError, UsageError
from scopetrace.model.event import EventRecord
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.model.session import SessionInfo
from scopetrace.query.conditions import all_of, marks, of_processes
from scopetrace.query.connect import connect, may_lack_log, missing_log
from scopetrace.query.events import EventFilter, EventGroup, EventQuery
from scopetrace.query.field_sql import NAMES, unknown_name
from scopetrace.query.history import find_session
from scopetrace.query.records import (
    EVENT_COLUMNS,
    RecordReader,
    read_info,
    read_process_ends,
    read_processes,
)
from scopetrace.query.source_names import as_prefix
from scopetrace.query.sql_functions import add_functions

if TYPE_CHECKING:
    from pandas import DataFrame

    from scopetrace.model.difference import SessionDiff, Slower
    from scopetrace.model.exchange import Exchange
    from scopetrace.model.file_record import FileRecord
    from scopetrace.model.flow_record import FlowRecord
    from scopetrace.model.metric import MetricRecord
    from scopetrace.model.payload import Payload
    from scopetrace.model.process_tree import ProcessNode
    from scopetrace.model.summary import Summary
    from scopetrace.model.touch import Who
    from scopetrace.model.why import Why
    from scopetrace.query.diff.facts import Facts
    from scopetrace.query.event_pages import EventPages
    from scopetrace.query.file_scan import FileScan
    from scopetrace.query.log_scan import LogScan
    from scopetrace.query.metrics import MetricSettings
    from scopetrace.query.path_classes import PathClasses
    from scopetrace.query.startup import StartUp
    from scopetrace.query.syscalls import SyscallQuery
    from scopetrace.syscalls.recorded import Recorded

MOST_PASSED_OVER = 20_000
"""Events of start-up that `own_events` passes over at most."""
_PAGE = 500
"""Events that are read at a time."""
_MOST_INTEGER = 2**63 - 1
"""The largest integer of SQLite."""


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


class Session:
    """One session; a context manager that closes its file at the end.

    A session that is being recorded can be queried repeatedly: each query sees the rows that have
    been committed by then.
    """

    path: Path

    def __init__(self, path: Path) -> None:
        self.path = path
        alone = may_lack_log(path)
        self._db = connect(path)
        self._failures = add_functions(self._db)
        info = self.info
        self._reader = RecordReader(self._db, info.host)
        if alone and info.status == "interrupted":
            warnings.warn(missing_log(path), stacklevel=3)

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

    def __enter__(self) -> Session:
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
        with self._reading():
            return read_info(self._db, self.path)

    @property
    def exit_code(self) -> int | None:
        """The exit status of the program; None while it runs, or if a signal ended it."""
        return self.info.exit_code

    @property
    def config(self) -> str:
        """The configuration it was recorded with, as YAML."""
        with self._reading():
            text: str = self._db.execute("SELECT config FROM session").fetchone()[0]
            return text

    @property
    def last_id(self) -> int:
        """The id of the last event that is committed by now; 0: there is none."""
        with self._reading():
            return self._db.execute("SELECT max(id) FROM event").fetchone()[0] or 0

    def events(
        self,
        source: str | Iterable[str] = (),
        sourcetype: str | Iterable[str] = (),
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        match: str | Iterable[str] = (),
        where: str | None = None,
        since_ns: int | None = None,
        until_ns: int | None = None,
        last: int | None = None,
        sort: str | None = None,
        reverse: bool = False,
        after_id: int = 0,
    ) -> Iterator[EventRecord]:
        """Return the events that match, in the order in which they were recorded.

        Values of one filter are alternatives; all filters must match.

        Args:
            source: names ("fs.open"), globs ("fs.*") or prefixes ("fs.", "http", "fs.op").
            sourcetype: names, globs, or prefixes that end in a dot.
            pid: process ids.
            proc: programs by base name or glob.
            match: texts that the source or a value of the data contains.
            where: an SQL expression over the fields of the events (`query.field_sql.NAMES`).
            since_ns: Unix time, ns; events from then on.
            until_ns: Unix time, ns; events before it.
            last: only the last so many of the matching events, the oldest first; with `sort`, only
                the first so many in that order.
            sort: the field to sort by, of the body or of the data, the largest first; events
                without it come last.
            reverse: with `sort`, the smallest first.
            after_id: only events with a higher id, such as those that are new since the last query.

        Raises:
            UsageError: the expression or the field to sort by is bad.
            SessionError: (while reading) the file cannot be read.
        """
        if last is not None and last < 0:
            raise UsageError("the number of last events cannot be negative")
        if sort is not None and sort not in NAMES:
            raise unknown_name(sort)
        query = self._query(
            source=source,
            sourcetype=sourcetype,
            pid=pid,
            proc=proc,
            match=match,
            where=where,
            since_ns=since_ns,
            until_ns=until_ns,
        )
        after_id, last = _sql_int(after_id), _sql_int(last)
        if sort is not None:
            return self._sorted(query, sort, last, reverse, after_id)
        if last is not None:
            return self._last(query, last, after_id)
        return self._all(query, after_id)

    def count_events(self, sourcetypes: Iterable[str], after_id: int, before_id: int) -> int:
        """Return how many events of these types have ids between two others."""
        names = tuple(sourcetypes)
        sql = (
            f"SELECT count(*) FROM event WHERE id > ? AND id < ? AND sourcetype IN ({marks(names)})"
        )
        with self._reading():
            count: int = self._db.execute(sql, (after_id, before_id, *names)).fetchone()[0]
            return count

    def to_pandas(
        self,
        source: str | Iterable[str] = (),
        sourcetype: str | Iterable[str] = (),
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        match: str | Iterable[str] = (),
        where: str | None = None,
    ) -> DataFrame:
        """Return the events that match as a pandas.DataFrame, a row for each.

        Columns: `time` (UTC), then what every event has, then the fields of the data. Arguments are
        those of `events`.

        Raises:
            UsageError: pandas is not installed, or the expression is bad.
            SessionError: the file cannot be read.
        """
        from scopetrace.query.frame import event_frame

        return event_frame(self.events(source, sourcetype, pid, proc, match, where))

    def event_groups(
        self,
        field: str,
        sum: str | None = None,
        top: int | None = None,
        **filters: Unpack[EventFilters],
    ) -> list[EventGroup]:
        """Return how many events have each value of a field.

        Args:
            field: of the body or of the data (`query.field_sql.NAMES`).
            sum: a field of numbers of the data that is summed up for each group.
            top: only so many groups.
            filters: those of `events`.

        Returns:
            The groups, that with the largest sum first, without `sum` that with the most events;
            the events without the field are the last.

        Raises:
            UsageError: the expression or a field is bad.
            SessionError: the session cannot be read.
        """
        from scopetrace.query.field_sql import check_summable

        if field not in NAMES:
            raise unknown_name(field)
        if sum is not None:
            check_summable(sum)
        query = self._query(**filters)
        return query.grouped(field, sum, self.last_id, _sql_int(top))

    def check_names(
        self,
        source: Iterable[str] = (),
        sourcetype: Iterable[str] = (),
        fields: Iterable[str] = (),
    ) -> None:
        """Check names that a user wrote: they are known, or something in the session has them.

        Raises:
            UsageError: one is unknown; the sentence has the nearest names.
            SessionError: the session cannot be read.
        """
        from scopetrace.query.source_names import check_fields, check_sources

        with self._reading():
            check_sources(self._db, _listed(source), _listed(sourcetype))
            check_fields(self._db, _listed(fields))

    def event_pages(self, **filters: Unpack[EventFilters]) -> EventPages:
        """Return what reads the events that match a page at a time; the filters are of `events`.

        Raises:
            UsageError: the expression is bad.
        """
        from scopetrace.query.event_pages import EventPages

        return EventPages(self._query(**filters), self._reader)

    def _query(self, **filters: Unpack[EventFilters]) -> EventQuery:
        wanted = EventFilter(
            tuple(map(as_prefix, _listed(filters.get("source", ())))),
            _listed(filters.get("sourcetype", ())),
            tuple(map(_sql_int, _listed(filters.get("pid", ())))),
            _listed(filters.get("proc", ())),
            _listed(filters.get("match", ())),
            filters.get("where"),
            _sql_int(filters.get("since_ns")),
            _sql_int(filters.get("until_ns")),
        )
        return EventQuery(self._db, self._failures, wanted)

    def event(self, number: int) -> EventRecord:
        """Return one event by its id.

        Raises:
            SessionError: the session has no such event.
        """
        for record in self._by_id([_sql_int(number)]):
            return record
        last = self.last_id
        has = f"its events are 1 to {last}" if last else "it has none"
        raise SessionError(f"session {self.info.id} has no event {number}; {has}")

    def flows(
        self,
        peer: str | Iterable[str] = (),
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        last: int | None = None,
        sort: str | None = None,
        reverse: bool = False,
    ) -> list[FlowRecord]:
        """Return the flows that match; the one used last is at the end.

        Values of one filter are alternatives; all filters must match.

        Args:
            peer: networks (10.0.0.0/8) or addresses of peers.
            pid: process ids; a flow belongs to every process that opened or used it.
            proc: programs by base name or glob.
            last: only so many, those used last; with `sort`, the first in that order.
            sort: the field to sort by (`model.flow_record.FLOW_FIELDS`), the largest first; flows
                without it come last.
            reverse: the opposite order.

        Raises:
            UsageError: a network or the field to sort by is bad.
            SessionError: the file cannot be read.
        """
        from scopetrace.query import flows

        pids, programs = tuple(map(_sql_int, _listed(pid))), _listed(proc)
        networks = _listed(peer)
        with self._reading():
            chosen = sort or networks
            users = all_of(of_processes(pids, programs) or [flows.ANY_PROCESS])
            found: Iterable[FlowRecord] = flows.read_last(self._db, None if chosen else last, users)
            if pids or programs:
                found = flows.of_images(found, flows.images_of(self._db, pids, programs))
        if networks:
            found = flows.with_peer(found, networks)
        return flows.in_order(found, sort, last, reverse)

    def flow(self, number: int) -> FlowRecord:
        """Return one flow by its id, or by the id of any event about it.

        Raises:
            SessionError: the session has no such flow.
        """
        from scopetrace.query.flows import find_flow

        with self._reading():
            found = find_flow(self._db, _sql_int(number))
        if found is None:
            raise SessionError(f"session {self.info.id} has no flow {number}")
        return found

    def syscalls(
        self,
        calls: str = "",
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        failed: bool = False,
        error: str = "",
        where: str | None = None,
        last: int | None = None,
        after_id: int = 0,
    ) -> Iterator[Recorded]:
        """Return the system calls that `run --syscalls` recorded, in the order of their entry.

        Signals and ends of threads stand between them (`Recorded.is_call`), unless calls are chosen
        by how they ended or by an expression. While they are recorded, calls come in the order in
        which they ended.

        Args:
            calls: a set of calls: "openat,%network,!close"; empty: all.
            pid: ids of processes or threads.
            proc: programs by base name or glob.
            failed: only those that failed.
            error: only those that failed with this error: "ENOENT".
            where: an SQL expression over the fields of calls (`query.syscalls.VALUES`).
            last: only the last so many.
            after_id: only rows with a higher id.

        Raises:
            UsageError: the set, the error or the expression is wrong.
            SessionError: the file cannot be read.
        """
        query = self.syscall_query(
            calls=calls, pid=pid, proc=proc, failed=failed, error=error, where=where
        )
        return query.read(last, after_id)

    def syscall_query(
        self,
        *,
        calls: str = "",
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        failed: bool = False,
        error: str = "",
        where: str | None = None,
    ) -> SyscallQuery:
        """Return the query that `syscalls` makes, for more than its rows.

        Raises:
            UsageError: the set, the error or the expression is wrong.
        """
        from scopetrace.query.syscalls import SyscallFilter, SyscallQuery

        pids = tuple(map(_sql_int, _listed(pid)))
        wanted = SyscallFilter(calls, pids, _listed(proc), failed, error, where)
        return SyscallQuery(self._db, self._failures, wanted)

    def payload(
        self, channel: int | None = None, outgoing: bool | None = None
    ) -> Iterator[Payload]:
        """Return the recorded bytes of flows, in pieces, in the order in which they were recorded.

        Args:
            channel: only those of this flow (`FlowRecord.channel`).
            outgoing: only those that were sent (True) or received (False).
        """
        from scopetrace.query.payload import read_payload

        with self._reading():
            yield from read_payload(self._db, channel, outgoing)

    def exchanges(self, most_body_bytes: int = 0) -> Iterator[Exchange]:
        """Return the HTTP requests with their responses, in the order of the responses.

        Requests without a response are at the end. All header fields, and the bodies, are known of
        flows whose payload was recorded; of HTTP/2 the header fields alone.

        Args:
            most_body_bytes: so much of each body is returned at most.
        """
        from scopetrace.query.exchanges import SOURCES, Exchanges

        return Exchanges(self.payload, most_body_bytes).read(self.events(source=SOURCES))

    def metrics(
        self,
        name: str | Iterable[str] = (),
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        last: int | None = None,
    ) -> Iterator[MetricRecord]:
        """Return the values of metrics that match, in the order in which they were recorded.

        Values of one filter are alternatives; all filters must match.

        Args:
            name: names ("net.tx"), globs ("fs.*") or prefixes ("fs.").
            pid: process ids.
            proc: programs by base name or glob.
            last: only the last so many of the matching ones, the oldest first.

        Raises:
            UsageError: the number is negative.
            SessionError: (while reading) the file cannot be read.
        """
        from scopetrace.query.metrics import MetricFilter, read_metrics

        if last is not None and last < 0:
            raise UsageError("the number of last metrics cannot be negative")
        wanted = MetricFilter(_listed(name), tuple(map(_sql_int, _listed(pid))), _listed(proc))
        return self._guarded(read_metrics(self._db, wanted, self.info.host, _sql_int(last)))

    @property
    def metric_settings(self) -> MetricSettings:
        """The settings of metrics in its configuration."""
        from scopetrace.query.metrics import read_settings

        return read_settings(self.config)

    def processes(self) -> Iterator[Process]:
        """Return the process images in the order they began."""
        with self._reading():
            yield from read_processes(self._db)

    def process_ends(self) -> Iterator[ProcessEnd]:
        """Return how process images ended, for those that have, in the order they began."""
        with self._reading():
            yield from read_process_ends(self._db)

    def process_page(
        self,
        key: int,
        most: int,
        pid: int | Iterable[int] = (),
        match: str | Iterable[str] = (),
        backwards: bool = False,
    ) -> list[ProcessNode]:
        """Return the next processes, in the order in which they began, without their children.

        Args:
            key: those behind the process whose `key` this is; 0: from the first.
            most: so many at most.
            pid: only these processes, and those that they started.
            match: texts of which the command line or the path of the program contains one.
            backwards: those just before the key instead.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.process_pages import ProcessFilter, read_process_page

        wanted = ProcessFilter(tuple(map(_sql_int, _listed(pid))), _listed(match))
        with self._reading():
            return read_process_page(self._db, wanted, _sql_int(key), most, backwards)

    def file_scan(self, most: int, pid: int | Iterable[int] = ()) -> FileScan:
        """Return what reads `files` step by step, at most so many, of all or of some processes.

        Of a file with very many processes not all are named.
        """
        from scopetrace.query.file_scan import FileScan

        query = self._query(sourcetype="fs", pid=pid)
        return FileScan(self._db, query, self.path_classes, most)

    def log_scan(self, pid: int | Iterable[int] = ()) -> LogScan:
        """Return what reads the logs and the console step by step, of all or of some processes."""
        from scopetrace.query.log_scan import LogScan

        return LogScan(self._db, of_processes(tuple(map(_sql_int, _listed(pid))), ()))

    def files(
        self, pid: int | Iterable[int] = (), proc: str | Iterable[str] = ()
    ) -> list[FileRecord]:
        """Return a record for each file, in the order in which they came up.

        Args:
            pid: only what these processes did to files.
            proc: only what these programs did, by base name or glob.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.files import read_files
        from scopetrace.query.flows import images_of

        pids, programs = tuple(map(_sql_int, _listed(pid))), _listed(proc)
        with self._reading():
            images = images_of(self._db, pids, programs) if pids or programs else None
            return read_files(self._db, self.path_classes, images)

    def start_up(self) -> StartUp:
        """Return what separates the events and flows of start-up from the program's own.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.startup import read_start_up

        with self._reading():
            return read_start_up(self._db, self.path_classes)

    def own_events(self, last: int) -> tuple[list[EventRecord], int]:
        """Return the last so many events that do not belong to the start-up, the oldest first.

        The number is how many of those passed over belong to it. The search goes back over
        MOST_PASSED_OVER events at most.

        Raises:
            SessionError: the session cannot be read.
        """
        start_up, found, hidden = self.start_up(), list[EventRecord](), 0
        for record in self._newest_first():
            if len(found) == last or hidden == MOST_PASSED_OVER:
                break
            if start_up.has_event(record):
                hidden += 1
            else:
                found.append(record)
        return found[::-1], hidden

    def tree(self) -> tuple[ProcessNode, ...]:
        """Return the processes that no process of the session started, each with all below it.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.tree import read_tree

        with self._reading():
            return read_tree(self._db)

    def who(self, what: str) -> Who:
        """Return everything that touched a file, a peer or a process, in order.

        Args:
            what: a path, also relative to the session's folder, or its end; HOST:PORT, :PORT, HOST
                or the path of a unix socket; a pid.

        Raises:
            SessionError: the session has nothing about it, or cannot be read.
            UsageError: it is the end of several paths.
        """
        from scopetrace.query.who import read_who

        info = self.info
        with self._reading():
            return read_who(self._db, info, what)

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

    def summary(self) -> Summary:
        """Return what is asked first: the end, the processes, files, logs, peers and errors.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.summary import read_summary

        info = self.info
        with self._reading():
            return read_summary(self._db, info, self.path_classes)

    def diff(
        self,
        other: Session,
        *,
        ignore_from: Iterable[Session] = (),
        slower: Slower | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> SessionDiff:
        """Return what differs between this session, A, and another one, B.

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
        with self._reading():
            facts = read_facts(self._db, info, self.path_classes)
        if progress is not None:
            progress(info.events)
        return facts

    def why(self) -> Why:
        """Return why processes ended badly: which failed first, and the calls that failed there.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.why import read_why

        info = self.info
        with self._reading():
            return read_why(self._db, info, self.path_classes)

    @cached_property
    def path_classes(self) -> PathClasses:
        """The classes of paths by the configuration it was recorded with, parsed once."""
        from scopetrace.query.path_classes import read_path_classes

        return read_path_classes(self.config)

    def _all(self, query: EventQuery, after: int) -> Iterator[EventRecord]:
        """Yield all events that are committed by now, not later ones."""
        upto = self.last_id
        while rows := query.page(EVENT_COLUMNS, after, upto, _PAGE):
            yield from self._reader.read(rows)
            after = rows[-1][0]

    def _newest_first(self) -> Iterator[EventRecord]:
        query = EventQuery(self._db, self._failures, EventFilter())
        upto = self.last_id
        while rows := query.page(EVENT_COLUMNS, 0, upto, _PAGE, backwards=True):
            yield from self._reader.read(rows)
            upto = rows[-1][0] - 1

    def _last(self, query: EventQuery, last: int, after: int) -> Iterator[EventRecord]:
        ids = query.page(("e.id",), after, self.last_id, last, backwards=True)
        yield from self._by_id([number for (number,) in reversed(ids)])

    def _sorted(
        self, query: EventQuery, field: str, last: int | None, ascending: bool, after: int
    ) -> Iterator[EventRecord]:
        yield from self._by_id(query.sorted_ids(field, after, self.last_id, last, ascending))

    def _by_id(self, ids: Iterable[int]) -> Iterator[EventRecord]:
        sql = f"SELECT {', '.join(EVENT_COLUMNS)} FROM event AS e WHERE e.id = ?"
        for number in ids:
            with self._reading():
                row = self._db.execute(sql, (number,)).fetchone()
            if row is not None:
                yield from self._reader.read((row,))

    def _guarded(self, records: Iterator[MetricRecord]) -> Iterator[MetricRecord]:
        with self._reading():
            yield from records

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise session_error("read", self.path, error) from None


def _listed(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str | int) else tuple(value)


def _sql_int(number: Any) -> Any:
    """Return a number limited to SQLite's integers; no id or time is beyond them."""
    return number if number is None else max(-_MOST_INTEGER, min(number, _MOST_INTEGER))
