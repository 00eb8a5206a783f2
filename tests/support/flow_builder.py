"""Makes flows and their payload for the tests of those rooms that read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scopetrace.model.event import Event
from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FlowPayload, FlowRecord
from scopetrace.model.payload import Payload
from scopetrace.model.process import Process
from support.session_builder import SECOND, STARTED_NS, begin, event

ENDS = {
    "net_transport": "IP.TCP",
    "net_peer_ip": "93.184.216.34",
    "net_peer_port": 80,
    "net_host_ip": "10.0.0.2",
    "net_host_port": 40000,
}
UNIX_ENDS = {
    "net_transport": "Unix.TCP",
    "unix_peer_path": "/run/app.sock",
    "unix_peer_inode": 77,
    "unix_local_inode": 78,
}


def channel(at: float) -> int:
    """Return the channel of a flow that was opened `at` seconds after the start."""
    return STARTED_NS + int(at * SECOND)


def opened(at: float = 0, process: int = 1, role: str = "client", **data: Any) -> Event:
    data = {"op": "connect", "fd": 3, "role": role, **(data or ENDS)}
    return event("net.open", at=at, process=process, channel=channel(at), **data)


def closed(
    of: float = 0,
    at: float = 0.5,
    process: int = 1,
    sent: int = 0,
    received: int = 0,
    reason: str = "local",
    **data: Any,
) -> Event:
    """Return the close of the flow that was opened `of` seconds after the start."""
    ends = {name: data.pop(name) for name in list(data) if name[:4] in ("net_", "unix")}
    moved = {"net_bytes_sent": sent, "net_bytes_recv": received, "net_close_reason": reason}
    data = {"op": "close", **(ends or ENDS), **moved, "duration": int((at - of) * 1000), **data}
    return event("net.close", at=at, process=process, channel=channel(of), **data)


def piece(
    data: bytes,
    outgoing: bool = True,
    of: float = 0,
    at: float = 0.25,
    process: int = 1,
    missing: int = 0,
) -> Payload:
    return Payload(STARTED_NS + int(at * SECOND), process, channel(of), outgoing, data, missing)


def record_flows(
    home: Path,
    events: Iterable[Event],
    payload: Iterable[Payload] = (),
    images: Iterable[Process] = (),
    **facts: Any,
) -> Path:
    """Write a whole session and return its file; `facts` are those of `begin`."""
    writer = begin(home, **facts)
    for image in images:
        writer.add_process(image)
    writer.add_events(events)
    writer.add_payloads(payload)
    writer.finish(exit_code=0)
    return writer.path


def flow(**changes: Any) -> FlowRecord:
    """Return a flow as it is read back, `changes` apart a closed TCP client's of one second."""
    return FlowRecord(
        id=1,
        channel=STARTED_NS,
        pid=70,
        proc="python3",
        process=1,
        others=(),
        transport="IP.TCP",
        local=Address("inet", "10.0.0.2", 40000),
        peer=Address("inet", "93.184.216.34", 80),
        role="client",
        closed_ns=STARTED_NS + SECOND,
        bytes_sent=0,
        bytes_recv=0,
        protocol="",
        close_reason="local",
        error="",
        sent=FlowPayload(),
        received=FlowPayload(),
    )._replace(**changes)


def with_payload(base: FlowRecord, payload: Iterable[Payload]) -> FlowRecord:
    """Return a flow that knows how much there is of its payload."""
    pieces = [one for one in payload if one.channel == base.channel]
    kept = {}
    for field, outgoing in (("sent", True), ("received", False)):
        mine = [one for one in pieces if one.outgoing == outgoing]
        kept[field] = FlowPayload(
            len(mine),
            sum(len(one.data) for one in mine),
            sum(one.missing for one in mine),
            max((one.time_ns for one in mine), default=None),
        )
    return base._replace(**kept)
