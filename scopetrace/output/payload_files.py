"""Payload as files with AppScope's names.

A file has the bytes that one process sent or received through a connection:
`PID_PEERIP:PORT_HOSTIP:PORT.in` and `.out`. A unix socket is `af_unix:INODE` there, an unknown
address `netrx:0` or `nettx:0`. Flows with the same name share a file, in the order of time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FlowRecord
from scopetrace.model.payload import Payload

UNSAFE = re.compile(r"[^0-9A-Za-z.:%_-]")
"""Characters that no address has; a forged session file could contain them."""


def payload_file_name(pid: int, flow: FlowRecord | None, outgoing: bool) -> str:
    """Return the name of the file for the bytes that a process sent or received."""
    unknown = "nettx:0" if outgoing else "netrx:0"
    peer = _end(flow.peer, unknown) if flow else unknown
    local = _end(flow.local, unknown) if flow else unknown
    return f"{pid}_{peer}_{local}.{'out' if outgoing else 'in'}"


def payload_files(
    payload: Iterable[Payload], flows: Iterable[FlowRecord], pids: dict[int, int]
) -> Iterator[tuple[str, bytes]]:
    """Yield the name of a file and the bytes to add to it, for each piece in its order.

    Args:
        payload: the pieces.
        flows: all flows of the session.
        pids: id of a process image → its pid.
    """
    by_channel = {flow.channel: flow for flow in flows}
    for piece in payload:
        flow = by_channel.get(piece.channel)
        yield payload_file_name(pids.get(piece.process, 0), flow, piece.outgoing), piece.data


def _end(address: Address | None, unknown: str) -> str:
    if address is None:
        return unknown
    if address.family == "unix":
        return f"af_unix:{address.inode}"
    return f"{UNSAFE.sub('_', address.host)}:{address.port}"
