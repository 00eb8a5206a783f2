"""The flows of a session, their bytes and what HTTP said in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from scopetrace.errors import SessionError
from scopetrace.query.conditions import all_of, of_processes
from scopetrace.query.session_base import listed, sql_int
from scopetrace.query.session_events import EventViews

if TYPE_CHECKING:
    from scopetrace.model.exchange import Exchange
    from scopetrace.model.flow_record import FlowRecord
    from scopetrace.model.payload import Payload


class FlowViews(EventViews):
    """What is asked about connections."""

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

        pids, programs = tuple(map(sql_int, listed(pid))), listed(proc)
        networks = listed(peer)
        with self.reading():
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

        with self.reading():
            found = find_flow(self._db, sql_int(number))
        if found is None:
            raise SessionError(f"session {self.info.id} has no flow {number}")
        return found

    def payload(
        self, channel: int | None = None, outgoing: bool | None = None
    ) -> Iterator[Payload]:
        """Return the recorded bytes of flows, in pieces, in the order in which they were recorded.

        Args:
            channel: only those of this flow (`FlowRecord.channel`).
            outgoing: only those that were sent (True) or received (False).
        """
        from scopetrace.query.payload import read_payload

        with self.reading():
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
