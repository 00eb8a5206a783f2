"""The payload of a session: the bytes of its flows, in pieces.

Files of version 1 have no table for payload. Pieces are read a few at a time, so that no statement
stays open between two of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from scopetrace.db.schema import has_table
from scopetrace.model.flow_record import FlowPayload
from scopetrace.model.payload import Payload
from scopetrace.query.conditions import marks

NO_PAYLOAD = FlowPayload()
_PAGE = 16
"""Pieces that are read at a time."""


class KeptPayload:
    """Counts of the payload of one flow."""

    __slots__ = ("first_id", "processes", "received", "sent")

    def __init__(self, first_id: int) -> None:
        self.first_id = first_id
        self.processes: set[int] = set()
        """Ids of the process images that sent or received it."""
        self.sent = self.received = NO_PAYLOAD


def read_kept(
    db: sqlite3.Connection, channels: Sequence[int] | None = None
) -> dict[int, KeptPayload]:
    """Return the counts by channel; with `channels`, of these only."""
    if not has_table(db, "payload"):
        return {}
    where, parameters = "channel", tuple(channels or ())
    if channels is not None:
        where = f"channel IN ({marks(channels)})"
    found: dict[int, KeptPayload] = {}
    for at, direction, process, first_id, *sums in db.execute(
        "SELECT channel, direction, process, min(id), count(*), sum(length(data)), sum(missing),"
        f" max(time_ns) FROM payload WHERE {where} GROUP BY channel, direction, process",
        parameters,
    ):
        kept = found.get(at)
        if kept is None:
            kept = found[at] = KeptPayload(first_id)
        kept.first_id = min(first_id, kept.first_id)
        kept.processes.add(process)
        if direction == "out":
            kept.sent = _added(kept.sent, sums)
        else:
            kept.received = _added(kept.received, sums)
    return found


def read_payload(
    db: sqlite3.Connection, channel: int | None, outgoing: bool | None
) -> Iterator[Payload]:
    """Yield the pieces that are recorded by now, in their order.

    Args:
        channel: only this flow's.
        outgoing: only what was sent, or only what was received.
    """
    if not has_table(db, "payload"):
        return
    where, parameters = "", list[object]()
    if channel is not None:
        where, parameters = " AND channel = ?", [channel]
    if outgoing is not None:
        where += " AND direction = ?"
        parameters.append("out" if outgoing else "in")
    sql = (
        "SELECT id, time_ns, process, channel, direction, data, missing FROM payload"
        f" WHERE id > ? AND id <= ?{where} ORDER BY id LIMIT {_PAGE}"
    )
    after, upto = 0, db.execute("SELECT max(id) FROM payload").fetchone()[0] or 0
    while rows := db.execute(sql, (after, upto, *parameters)).fetchall():
        for _, time_ns, process, at, direction, data, missing in rows:
            yield Payload(time_ns, process, at, direction == "out", data, missing)
        after = rows[-1][0]


def channel_of_piece(db: sqlite3.Connection, number: int) -> tuple[int] | None:
    """Return the row (channel,) of a piece, or None if there is no such piece."""
    if not has_table(db, "payload"):
        return None
    row: tuple[int] | None
    row = db.execute("SELECT channel FROM payload WHERE id = ?", (number,)).fetchone()
    return row


def _added(one: FlowPayload, sums: Sequence[int]) -> FlowPayload:
    if one.last_ns is None:
        return FlowPayload._make(sums)
    chunks, size, missing, last_ns = sums
    return FlowPayload(
        one.chunks + chunks, one.bytes + size, one.missing + missing, max(last_ns, one.last_ns)
    )
