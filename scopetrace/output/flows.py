"""Flows as a table, as JSON, or one with all its fields.

For unix sockets the column of addresses has the path, or the inode if there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FLOW_FIELDS, FlowPayload, FlowRecord
from scopetrace.output.color import paint
from scopetrace.output.escape import escape
from scopetrace.output.tables import format_table
from scopetrace.output.units import format_duration, format_moment
from scopetrace.output.width import shorten

HEADINGS = ("ID", "HOST IP", "HOST PORT", "PEER IP", "PEER PORT", "LAST SENT", "DURATION")
MORE_HEADINGS = ("BYTES RECV", "BYTES SENT", "PROTOCOL", "PROC")
RIGHT_ALIGNED = ("HOST PORT", "PEER PORT", "BYTES RECV", "BYTES SENT")
"""Columns of numbers."""
WIDE_TERMINAL = 145
"""A terminal wider than this gets MORE_HEADINGS, too."""
ADDRESS_COLUMN_WIDTH = 40
"""Longer paths are cut; no IP address is longer."""
UNKNOWN = "-"


def flow_table(flows: Iterable[FlowRecord], now_ns: int, columns: int | None) -> str:
    """Return a table of `flows`, without a last newline.

    Args:
        flows: one to a row.
        now_ns: the time of now, for ages.
        columns: width of the terminal; None: no limit.
    """
    wide = columns is None or columns > WIDE_TERMINAL
    headings = (*HEADINGS, *MORE_HEADINGS) if wide else HEADINGS
    rows = (_cells(flow, now_ns)[: len(headings)] for flow in flows)
    return format_table(headings, rows, RIGHT_ALIGNED)


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
    return f"{payload.bytes} bytes{missing}"


def _labelled(name: str, value: str, columns: int, color: bool) -> str:
    label, padding = f"{name}:", " " * (columns - len(name) - 1)
    return f"{paint(label, 'green') if color else label}{padding}{value}"
