"""Payload as files, in the layout that users of AppScope know: which bytes go into which file.

A file has the bytes that one process moved in one direction of a connection:
`PID_PEERIP:PORT_HOSTIP:PORT.in` and `.out`. Unix sockets stand there as `af_unix:INODE`, and where
no address is known as `netrx:0` or `nettx:0`. Flows whose names are the same share a file, in the
order of time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FlowRecord
from scopetrace.model.payload import Payload

UNFIT = re.compile(r"[^0-9A-Za-z.:%_-]")
"""What an address never has, and a session file that somebody made up must not bring in."""


def payload_file_name(pid: int, flow: FlowRecord | None, outgoing: bool) -> str:
    """Return the name of the file for the bytes that process `pid` moved in one direction."""
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
        pids: serial of a process image → its pid.
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
    return f"{UNFIT.sub('_', address.host)}:{address.port}"
