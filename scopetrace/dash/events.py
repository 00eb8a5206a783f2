"""The views of events: all of them, those that are errors, and one in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from scopetrace.dash.place import Place, Scope
from scopetrace.dash.processes import MOST_SORTED
from scopetrace.dash.rows import PAGE, Part, Row, Want
from scopetrace.dash.view import View
from scopetrace.model.event import EventRecord
from scopetrace.model.fields import SOURCES
from scopetrace.output.answers import Column
from scopetrace.output.event_details import format_event
from scopetrace.output.event_lines import LineFormat
from scopetrace.query import Session
from scopetrace.query.session_base import EventFilters
from scopetrace.wire.ndjson import listed_body

ERRORS = tuple(
    source.name
    for source in SOURCES
    if source.column == "source" and source.name.endswith(".error")
)
"""The sources whose events are failed calls and failed lookups."""
EVENT_FIELDS = (
    "id", "sourcetype", "_time", "source", "host", "proc", "cmd", "pid", "uid", "gid", "username",
    "groupname", "args", "data",
)  # fmt: skip
_GLOB = frozenset("*?[")
"""Characters that make a name of a source a pattern."""
_LINE = LineFormat(columns=80)
"""Fields with units, without those that say nothing, what matters most first."""


class EventsView(View):
    """Events, in the order in which they were recorded."""

    name = "events"
    columns = (
        Column("ID", right=True),
        Column("TIME", right=True),
        Column("PROCESS", least_width=60),
        Column("SOURCE"),
        Column("FIELDS"),
    )
    fields = EVENT_FIELDS
    sorts = (
        "",
        "duration_us",
        "file_read_bytes",
        "file_write_bytes",
        "net_bytes_sent",
        "net_bytes_recv",
    )
    scope_fields = ("pid", "proc", "files", "channel", "peer", "log")
    sources: ClassVar[tuple[str, ...]] = ()

    def read(self, session: Session, place: Place, want: Want) -> Iterator[Part]:
        """Yield the rows that are wanted; what is found in one span of events is a part."""
        began_ns = session.info.started_ns
        rows: list[Row] = []
        if place.sort:
            rows = [_row(event, place.scope, began_ns) for event in self._sorted(session, place)]
            note = f"only the first {MOST_SORTED:,}" if len(rows) == MOST_SORTED else ""
            yield Part(rows, whole=True, note=note)
            return
        for found, upto in self._parts(session, place, want):
            rows += (_row(event, place.scope, began_ns) for event in found)
            note = f"events searched: {upto:,}"
            yield Part(_shown(rows, want), is_done=False, note=note)
        at_end = len(rows) < want.most
        yield Part(_shown(rows, want), at_end=at_end)

    def bodies(self, session: Session, place: Place) -> Iterator[Mapping[str, Any]]:
        """Yield every event as `scopetrace events -j` has it."""
        if place.sort:
            yield from map(listed_body, self._sorted(session, place))
            return
        want = Want(most=PAGE)
        while True:
            page = [one for found, _ in self._parts(session, place, want) for one in found]
            yield from map(listed_body, page)
            if len(page) < want.most:
                return
            want = want._replace(key=page[-1].id)

    def words(self, place: Place) -> list[str]:
        """Return the command that answers the same."""
        sort = ["-n", str(MOST_SORTED), "--sort", place.sort] if place.sort else ["-a"]
        words = ["events", *sort]
        for option, value in self._options(place):
            words += [option, value]
        return [*words, "-r"] if place.reverse else words

    def _options(self, place: Place) -> Iterator[tuple[str, str]]:
        filters = self._filters(place)
        names = (
            ("source", "-s"),
            ("sourcetype", "-t"),
            ("pid", "-p"),
            ("match", "-m"),
            ("where", "--where"),
        )
        for name, option in names:
            value: Any = filters.get(name)
            if isinstance(value, tuple) and name != "match":
                yield option, ",".join(value)
            elif value is not None:
                yield from ((option, str(one)) for one in _listed(value))

    def _sorted(self, session: Session, place: Place) -> Iterator[EventRecord]:
        """Return the first events in the order of a field; those without it are the last."""
        return session.events(
            **self._filters(place), sort=place.sort, reverse=place.reverse, last=MOST_SORTED
        )

    def _parts(
        self, session: Session, place: Place, want: Want
    ) -> Iterator[tuple[list[EventRecord], int]]:
        """Yield the events of each span, and how many events have been searched."""
        pages, last = session.event_pages(**self._filters(place)), session.last_id
        upwards = want.forward != place.reverse
        edge = want.edge(upwards, last + 1)
        spans = pages.after(edge, last, want.most) if upwards else pages.before(edge, want.most)
        for span in spans:
            yield span.events, abs(span.reached - edge)

    def _filters(self, place: Place) -> EventFilters:
        """Return the filters of `Session.events` for a place."""
        scope, filters = place.scope, EventFilters()
        if self.sources:
            filters["source"] = self.sources
        if scope.log:
            filters["source"], filters["sourcetype"] = scope.log, ("file", "console")
        if scope.pid is not None:
            filters["pid"] = scope.pid
        if place.match or scope.files:
            filters["match"] = place.match or scope.files
        if conditions := list(_conditions(scope)):
            filters["where"] = " AND ".join(conditions)
        return filters


class ErrorsView(EventsView):
    """Calls that failed."""

    name = "errors"
    sources = ERRORS


def _shown(rows: list[Row], want: Want) -> list[Row]:
    """Return a copy of rows in the order in which they are shown; they are in that of reading."""
    return rows[:] if want.forward else rows[::-1]


def _conditions(scope: Scope) -> Iterator[str]:
    """Yield conditions for what no filter says: SQL over the fields of events."""
    if len(scope.files) == 1:
        yield f"file = {_quoted(scope.files[0])}"
    elif scope.files:
        yield f"file IN ({', '.join(map(_quoted, scope.files))})"
    if scope.channel:
        yield f"channel = {scope.channel}"
    if not _GLOB.isdisjoint(scope.log):
        yield f"source = {_quoted(scope.log)}"


def _quoted(text: str) -> str:
    """Return a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _row(event: EventRecord, scope: Scope, began_ns: int) -> Row:
    cells = (
        str(event.id),
        f"{(event.time_ns - began_ns) / 1e9:.3f}",
        f"{event.proc}[{event.pid}]",
        event.source,
        _LINE.fields(event),
    )
    return Row(event.id, cells, Place("event", scope._replace(event=event.id)))


class EventView(View):
    """One event with all its fields."""

    name = "event"
    columns = (Column("EVENT"),)
    fields = EVENT_FIELDS

    def read(self, session: Session, place: Place, want: Want) -> Iterator[Part]:
        """Yield the lines of the event."""
        lines = format_event(session.event(place.scope.event)).split("\n")
        yield Part([Row(at, (line,)) for at, line in enumerate(lines)], whole=True)

    def bodies(self, session: Session, place: Place) -> Iterator[Mapping[str, Any]]:
        """Yield the event as `scopetrace events ID -j` has it."""
        yield listed_body(session.event(place.scope.event))

    def words(self, place: Place) -> list[str]:
        """Return the command that answers the same."""
        return ["events", str(place.scope.event)]
