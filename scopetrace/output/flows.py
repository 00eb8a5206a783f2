"""Flows as a table, as JSON, or one with all its fields.

For unix sockets the column of addresses has the path, or the inode if there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from scopetrace.model.counts import number_of
from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FLOW_FIELDS, FlowPayload, FlowRecord
from scopetrace.output.answers import Column, terminal_table
from scopetrace.output.color import paint
from scopetrace.output.escape import escape
from scopetrace.output.tables import format_table
from scopetrace.output.units import format_duration, format_moment, format_size
from scopetrace.output.width import shorten

HEADINGS = (
    "ID", "HOST IP", "HOST PORT", "PEER IP", "PEER PORT", "LAST SENT", "DURATION",
    "BYTES RECV", "BYTES SENT", "PROTOCOL", "PROC",
)  # fmt: skip
"""Of the table for other programs."""
RIGHT_ALIGNED = ("HOST PORT", "PEER PORT", "BYTES RECV", "BYTES SENT")
"""Columns of numbers."""
TERMINAL_COLUMNS = (
    Column("ID", right=True),
    Column("SENT", right=True),
    Column("RECV", right=True),
    Column("PROTOCOL"),
    Column("PROC"),
    Column("DURATION", right=True, least_width=100),
    Column("LAST SENT", right=True, least_width=120),
    Column("HOST", least_width=140),
    Column("PEER"),
)
ADDRESS_COLUMN_WIDTH = 40
"""Longer paths are cut; no IP address is longer."""
HOST_COLUMN_WIDTH = 32
"""On a terminal."""
PROC_COLUMN_WIDTH = 24
UNKNOWN = "-"


def flow_table(flows: Iterable[FlowRecord], now_ns: int, columns: int | None) -> str:
    """Return a table of `flows`, without a last newline.

    Args:
        flows: one to a row; the two ends of a socketpair are one.
        now_ns: the time of now, for ages.
        columns: width of the terminal; None: there is none.
    """
    shown = without_other_ends(flows)
    if columns is not None:
        return terminal_table(TERMINAL_COLUMNS, (flow_cells(f, now_ns) for f in shown), columns)
    return format_table(HEADINGS, (_cells(flow, now_ns) for flow in shown), RIGHT_ALIGNED)


def without_other_ends(flows: Iterable[FlowRecord]) -> Iterator[FlowRecord]:
    """Yield flows, of socketpair(2) only the end that comes first."""
    seen: set[tuple[int, int]] = set()
    for flow in flows:
        inodes = _inodes(flow)
        if inodes is not None:
            if inodes[::-1] in seen:
                continue
            seen.add(inodes)
        yield flow


def _inodes(flow: FlowRecord) -> tuple[int, int] | None:
    """Return the inodes of both ends of a connection between unix sockets without names."""
    if flow.local is None or flow.peer is None or flow.local.host or flow.peer.host:
        return None
    inodes = flow.local.inode, flow.peer.inode
    return inodes if all(inodes) else None


def flow_cells(flow: FlowRecord, now_ns: int) -> tuple[object, ...]:
    """Return the row of a flow, a cell for each of `TERMINAL_COLUMNS`, escaped."""
    last_ns = flow.last_sent_ns
    name = f"{escape(flow.peer_name)} " if flow.peer_name else ""
    return (
        flow.id,
        UNKNOWN if flow.bytes_sent is None else format_size(flow.bytes_sent),
        UNKNOWN if flow.bytes_recv is None else format_size(flow.bytes_recv),
        escape(flow.protocol) or UNKNOWN,
        shorten(f"{escape(flow.proc)}[{flow.pid}]", PROC_COLUMN_WIDTH),
        _duration(flow),
        UNKNOWN if last_ns is None else format_duration(now_ns - last_ns),
        shorten(_end(flow.local), HOST_COLUMN_WIDTH),
        name + _end(flow.peer),
    )


def _end(address: Address | None) -> str:
    """Return an address with its port; of a unix socket its path, or else its inode."""
    return address_text(address) if address and address.family == "unix" else _whole(address)


def _cells(flow: FlowRecord, now_ns: int) -> tuple[object, ...]:
    last_ns = flow.last_sent_ns
    return (
        flow.id,
        shorten(address_text(flow.local), ADDRESS_COLUMN_WIDTH),
        _port(flow.local),
        shorten(address_text(flow.peer), ADDRESS_COLUMN_WIDTH),
        _port(flow.peer),
        UNKNOWN if last_ns is None else format_duration(now_ns - last_ns),
        _duration(flow),
        UNKNOWN if flow.bytes_recv is None else flow.bytes_recv,
        UNKNOWN if flow.bytes_sent is None else flow.bytes_sent,
        flow.protocol or UNKNOWN,
        flow.proc,
    )


def address_text(address: Address | None) -> str:
    """Return an address without its port, escaped."""
    if address is None:
        return UNKNOWN
    if address.family == "netlink":
        return "kernel" if address.host == "0" else f"netlink:{escape(address.host)}"
    if address.family != "unix":
        return escape(address.host) or UNKNOWN
    return escape(address.host) or (f"unix:{address.inode}" if address.inode else "unix")


def endpoint_text(address: Address | None) -> str:
    """Return an address with its port, escaped; empty if it is not known."""
    if address is None:
        return ""
    host = address_text(address)
    if not address.port:
        return host
    return f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"


def flow_body(flow: FlowRecord) -> dict[str, Any]:
    """Return the JSON object of a flow, without unknown fields."""
    values = ((name, value(flow)) for name, value in FLOW_FIELDS.items())
    return {name: value for name, value in values if value is not None}


def format_flow(flow: FlowRecord, *, color: bool = False) -> str:
    """Return all known fields of a flow, one to a line."""
    facts = list(_facts(flow))
    columns = max(len(name) for name, _ in facts) + 2
    return "\n".join(_labelled(name, value, columns, color) for name, value in facts)


def _facts(flow: FlowRecord) -> Iterator[tuple[str, str]]:
    yield "ID", str(flow.id)
    yield "Proc", escape(flow.proc)
    yield "Pid", str(flow.pid)
    yield "Transport", escape(flow.transport) or UNKNOWN
    yield "Role", escape(flow.role) or UNKNOWN
    yield "Host", _whole(flow.local)
    yield "Peer", _whole(flow.peer)
    if flow.peer_name:
        yield "Peer name", escape(flow.peer_name)
    if flow.client is not None:
        yield "Client", _whole(flow.client)
    if flow.target is not None:
        yield "Target", _whole(flow.target)
    yield "Opened", format_moment(flow.opened_ns)
    yield "Last sent", _moment(flow.last_sent_ns)
    yield "Closed", _moment(flow.closed_ns)
    yield "Duration", _duration(flow)
    yield "Bytes sent", UNKNOWN if flow.bytes_sent is None else str(flow.bytes_sent)
    yield "Bytes received", UNKNOWN if flow.bytes_recv is None else str(flow.bytes_recv)
    yield "Protocol", escape(flow.protocol) or UNKNOWN
    yield "Close reason", escape(flow.close_reason) or UNKNOWN
    if flow.error:
        yield "Error", escape(flow.error)
    if flow.payload_chunks:
        yield "Payload out", _kept(flow.sent)
        yield "Payload in", _kept(flow.received)
    yield "Channel", str(flow.channel)


def _whole(address: Address | None) -> str:
    """Return an address with its port, as RFC 3986 writes it, or with its inode."""
    text = address_text(address)
    if address is None:
        return text
    if address.family == "unix":
        return f"{text} (inode {address.inode})" if address.host and address.inode else text
    if not address.port:
        return text
    return f"[{text}]:{address.port}" if ":" in text else f"{text}:{address.port}"


def _port(address: Address | None) -> int | None:
    return None if address is None else address.port or None


def _duration(flow: FlowRecord) -> str:
    return UNKNOWN if flow.duration_ns is None else format_duration(flow.duration_ns)


def _moment(time_ns: int | None) -> str:
    return UNKNOWN if time_ns is None else format_moment(time_ns)


def _kept(payload: FlowPayload) -> str:
    missing = f", {payload.missing} missing" if payload.missing else ""
    return f"{number_of(payload.bytes, 'byte')}{missing}"


def _labelled(name: str, value: str, columns: int, color: bool) -> str:
    label, padding = f"{name}:", " " * (columns - len(name) - 1)
    return f"{paint(label, 'green') if color else label}{padding}{value}"
