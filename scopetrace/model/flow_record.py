"""Flows as read back from a session: each is put together from its events.

A field that is in no event is None, or empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from scopetrace.model.flow import Address


class FlowPayload(NamedTuple):
    """How much of one direction of a flow is kept."""

    chunks: int = 0
    bytes: int = 0
    missing: int = 0
    """Bytes that went through but were not kept."""
    last_ns: int | None = None
    """When the last of it went through."""


class FlowRecord(NamedTuple):
    """One conversation of a program with a peer, from its open to its last close."""

    id: int
    """The event that opened it; for a flow without one, the first that is about it."""
    channel: int
    """Shared by all its events and its payload: the Unix time in ns at which it was opened."""
    pid: int
    proc: str
    process: int
    """Serial of the process image that opened it, or that is the first known to have it."""
    others: tuple[int, ...]
    """Serials of the other images that have something to do with it."""
    transport: str
    """IP.TCP, IP.UDP, Unix.TCP…; empty: not known."""
    local: Address | None
    peer: Address | None
    role: str
    """client, server, or empty."""
    closed_ns: int | None
    """When a process closed it last; None: it was not closed yet."""
    bytes_sent: int | None
    """Bytes sent by all processes that have closed it so far; before the first has, those of the
    payload, or None. Likewise bytes_recv."""
    bytes_recv: int | None
    protocol: str
    close_reason: str
    """local, remote, reset, idle or empty. What the peer did counts for more than what we did."""
    error: str
    sent: FlowPayload
    received: FlowPayload
    peer_name: str = ""
    """By which the program looked the peer's address up; empty if it did not."""
    client: Address | None = None
    """The true client, as a proxy says."""
    target: Address | None = None
    """Whom a client wants to reach through a proxy: its host is an address or a name."""

    @property
    def opened_ns(self) -> int:
        """Unix time, ns."""
        return self.channel

    @property
    def duration_ns(self) -> int | None:
        """From open to close; None for a flow that was not closed."""
        if self.closed_ns is None:
            return None
        return max(self.closed_ns - self.opened_ns, 0)

    @property
    def last_sent_ns(self) -> int | None:
        """When the last bytes were sent; without payload, when it was closed."""
        return self.closed_ns if self.sent.last_ns is None else self.sent.last_ns

    @property
    def payload_bytes(self) -> int:
        """Bytes kept of both directions."""
        return self.sent.bytes + self.received.bytes

    @property
    def payload_chunks(self) -> int:
        """Pieces kept of both directions; 0: there is no payload."""
        return self.sent.chunks + self.received.chunks


def _seconds(time_ns: int | None) -> float | None:
    return None if time_ns is None else time_ns // 1000 / 1_000_000


def _of_network(flow: FlowRecord, end: str, field: str) -> Any:
    address = getattr(flow, end)
    return None if address is None or address.family == "unix" else getattr(address, field)


def _of_unix(flow: FlowRecord, end: str, field: str) -> Any:
    address = getattr(flow, end)
    return None if address is None or address.family != "unix" else getattr(address, field) or None


def _kept(flow: FlowRecord, number: int) -> int | None:
    return number if flow.payload_chunks else None


FLOW_FIELDS: dict[str, Callable[[FlowRecord], Any]] = {
    "id": lambda flow: flow.id,
    "pid": lambda flow: flow.pid,
    "proc": lambda flow: flow.proc,
    "net_transport": lambda flow: flow.transport or None,
    "net_host_ip": lambda flow: _of_network(flow, "local", "host"),
    "net_host_port": lambda flow: _of_network(flow, "local", "port"),
    "net_peer_name": lambda flow: flow.peer_name or None,
    "net_peer_ip": lambda flow: _of_network(flow, "peer", "host"),
    "net_peer_port": lambda flow: _of_network(flow, "peer", "port"),
    "net_client_ip": lambda flow: _of_network(flow, "client", "host"),
    "net_client_port": lambda flow: _of_network(flow, "client", "port"),
    "net_target_host": lambda flow: _of_network(flow, "target", "host"),
    "net_target_port": lambda flow: _of_network(flow, "target", "port"),
    "unix_local_path": lambda flow: _of_unix(flow, "local", "host"),
    "unix_local_inode": lambda flow: _of_unix(flow, "local", "inode"),
    "unix_peer_path": lambda flow: _of_unix(flow, "peer", "host"),
    "unix_peer_inode": lambda flow: _of_unix(flow, "peer", "inode"),
    "role": lambda flow: flow.role or None,
    "start_time": lambda flow: _seconds(flow.opened_ns),
    "last_sent_time": lambda flow: _seconds(flow.last_sent_ns),
    "duration": lambda flow: flow.duration_ns,
    "net_bytes_recv": lambda flow: flow.bytes_recv,
    "net_bytes_sent": lambda flow: flow.bytes_sent,
    "net_protocol": lambda flow: flow.protocol or None,
    "net_close_reason": lambda flow: flow.close_reason or None,
    "error": lambda flow: flow.error or None,
    "payload_in_bytes": lambda flow: _kept(flow, flow.received.bytes),
    "payload_out_bytes": lambda flow: _kept(flow, flow.sent.bytes),
    "payload_missing_bytes": lambda flow: _kept(flow, flow.sent.missing + flow.received.missing),
    "channel": lambda flow: flow.channel,
}
"""The names by which JSON and `--sort` speak of a flow, and the value of each; None: not known.

Times are Unix seconds; `duration` is in ns, as AppScope's flows have it.
"""
