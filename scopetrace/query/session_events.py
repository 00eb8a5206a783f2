"""The events of a session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Unpack

from scopetrace.errors import SessionError, UsageError
from scopetrace.model.event import EventRecord
from scopetrace.query.conditions import marks
from scopetrace.query.events import EventFilter, EventGroup, EventQuery, sorted_groups
from scopetrace.query.field_sql import NAMES, unknown_name
from scopetrace.query.records import EVENT_COLUMNS
from scopetrace.query.session_base import EventFilters, SessionBase, listed, sql_int

if TYPE_CHECKING:
    from pandas import DataFrame

    from scopetrace.query.event_pages import EventPages

MOST_PASSED_OVER = 20_000
"""Events of start-up that `own_events` passes over at most."""
_PAGE = 500
"""Events that are read at a time."""


class EventViews(SessionBase):
    """What is asked about events."""

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
            UsageError: the expression or the field to sort by is bad, or a source or source type
                is unknown and the session has none of that name.
            SessionError: the file cannot be read.
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
        after_id, last = sql_int(after_id), sql_int(last)
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
        with self.reading():
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
            UsageError: pandas is not installed, or `events` refuses a filter.
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
            UsageError: a filter or a field is bad, or `top` is negative.
            SessionError: the session cannot be read.
        """
        from scopetrace.query.field_sql import check_summable
        from scopetrace.query.file_names import kept_groups

        if field not in NAMES:
            raise unknown_name(field)
        if sum is not None:
            check_summable(sum)
        if top is not None and top < 0:
            raise UsageError("the number of groups cannot be negative")
        query = self._query(**filters)
        if field == "file" and sum is None and query.takes_all:
            with self.reading():
                groups = kept_groups(self._db)
            if groups is not None:
                return sorted_groups(groups, by_sum=False)[: sql_int(top)]
        return query.grouped(field, sum, self.last_id, sql_int(top))

    def check_fields(self, names: Iterable[str]) -> None:
        """Check names of fields: each is known, or an event of the session has it.

        Raises:
            UsageError: one is unknown; the sentence has the nearest names.
            SessionError: the session cannot be read.
        """
        from scopetrace.query.source_names import check_fields

        with self.reading():
            check_fields(self._db, listed(names))

    def event_pages(self, **filters: Unpack[EventFilters]) -> EventPages:
        """Return what reads the events that match a page at a time; the filters are of `events`.

        Raises:
            UsageError: a filter is bad.
        """
        from scopetrace.query.event_pages import EventPages

        return EventPages(self._query(**filters), self._reader)

    def event(self, number: int) -> EventRecord:
        """Return one event by its id.

        Raises:
            SessionError: the session has no such event.
        """
        for record in self._by_id([sql_int(number)]):
            return record
        last = self.last_id
        has = f"its events are 1 to {last}" if last else "it has none"
        raise SessionError(f"session {self.info.id} has no event {number}; {has}")

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
            with self.reading():
                row = self._db.execute(sql, (number,)).fetchone()
            if row is not None:
                yield from self._reader.read((row,))
