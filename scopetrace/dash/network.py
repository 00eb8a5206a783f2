"""The view of the network: a row for each flow, those that were used last."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import filterfalse
from typing import Any

from scopetrace.dash.place import Place
from scopetrace.dash.rows import Row
from scopetrace.dash.view import ListView
from scopetrace.model.flow_record import FLOW_FIELDS, FlowRecord
from scopetrace.output.flows import TERMINAL_COLUMNS, flow_body, flow_cells
from scopetrace.output.units import hidden_text
from scopetrace.query import Session

MOST_FLOWS = 1000
"""Flows that are shown; of a session with more, those that were used last."""


class NetworkView(ListView[FlowRecord]):
    """Flows: who talked to whom, how much, by which protocol."""

    name = "network"
    columns = TERMINAL_COLUMNS
    sorts = ("", "net_bytes_sent", "net_bytes_recv", "duration")
    fields = tuple(FLOW_FIELDS)

    def records(self, session: Session, place: Place) -> Iterator[tuple[list[FlowRecord], str]]:
        """Yield the flows."""
        pid = place.scope.pid
        found = session.flows(pid=() if pid is None else pid, last=MOST_FLOWS)
        notes = [f"only the last {MOST_FLOWS:,} flows"] if len(found) == MOST_FLOWS else []
        if not place.show_all:
            own = list(filterfalse(session.start_up().has_flow, found))
            hidden, found = len(found) - len(own), own
            notes += [hidden_text(hidden, "start-up flow", "a")] if hidden else []
        yield found, "; ".join(notes)

    def row(self, place: Place, number: int, record: FlowRecord) -> Row:
        """Return the row of a flow."""
        cells = tuple(map(str, flow_cells(record, time.time_ns())))
        scope = place.scope._replace(channel=record.channel, peer=cells[-1])
        return Row(number, cells, Place("events", scope))

    def body(self, record: FlowRecord) -> Mapping[str, Any]:
        """Return a flow as `scopetrace flows -j` has it."""
        return flow_body(record)

    def value(self, record: FlowRecord, field: str) -> Any:
        """Return the value of a field."""
        return FLOW_FIELDS[field](record)

    def texts(self, record: FlowRecord) -> Sequence[str]:
        """Return all that its row can show."""
        return tuple(map(str, flow_cells(record, record.opened_ns)))

    def words(self, place: Place) -> list[str]:
        """Return the command that answers the same."""
        words = ["flows", "-n", str(MOST_FLOWS)]
        if place.scope.pid is not None:
            words += ["-p", str(place.scope.pid)]
        if place.sort:
            words += ["-s", place.sort]
        if place.reverse:
            words.append("-r")
        return [*words, "-A"] if place.show_all else words

    def greps(self, place: Place) -> bool:
        """`flows` has no filter for a text."""
        return True
