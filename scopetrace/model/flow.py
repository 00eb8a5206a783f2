"""Flows: conversations of a program with a peer, and the addresses of both ends.

A flow is one connection of a stream socket, or what went between a datagram socket and one peer.
Like an `OpenFile` it is shared by all processes that hold the socket, and lives as long as that; it
may be the key of a dictionary.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Address(NamedTuple):
    """One end of a flow."""

    family: str
    """inet, inet6, unix, netlink, packet… (address_families(7)), in lower case without AF_."""
    host: str
    """IP address as text, without a zone; of unix sockets the path, `@name` if abstract, empty if
    unnamed; of packet sockets the hardware's address; of vsock the context; of others a number or
    nothing."""
    port: int
    """0 where there are no ports."""
    inode: int = 0
    """Of a unix socket; 0: not known."""
    interface: int = 0
    """The number of the network interface that an IPv6 address of a link (its zone, RFC 4007), or
    an address of a packet socket, is of; 0: of none, or of any."""
    bound: str = ""
    """Of a unix socket: what it was bound by, if `host` is another name: getsockname(2)."""

    @property
    def key(self) -> Address:
        """What two addresses of one end have in common: messages give a name without the rest."""
        if self.host and (self.inode or self.bound):
            return self._replace(inode=0, bound="")
        return self


class Flow:
    """One conversation."""

    __slots__ = (
        "error",
        "facts",
        "fd",
        "fields",
        "is_stream",
        "layers",
        "local",
        "opened_ns",
        "peer",
        "peer_name",
        "reading",
        "reason",
        "role",
        "socket_shared",
        "transport",
    )

    def __init__(
        self, transport: str, local: Address | None, peer: Address | None, role: str, opened_ns: int
    ) -> None:
        self.transport = transport
        """IP.TCP, IP.UDP, IP.RAW, IP.SEQPACKET, Unix.TCP (stream), Unix.UDP (datagram)…"""
        self.local = local
        """None: not known."""
        self.peer = peer
        self.peer_name = ""
        """By which its address was looked up; empty if it was not."""
        self.role = role
        """client if this side connected, server if it accepted, empty if that is not known."""
        self.opened_ns = opened_ns
        """Unix time, ns: the channel of its events."""
        self.fd = -1
        """The fd that the process which opened it had for it."""
        self.is_stream = not transport.endswith((".UDP", ".RAW", ".SEQPACKET"))
        """Whether it is a stream of bytes (SOCK_STREAM) rather than messages."""
        self.layers: tuple[str, ...] = ()
        """What is spoken, as far as it is known: HTTP, TLS, DNS… Of several, one came after the
        other, as TLS comes after what a client of SMTP says to begin it."""
        self.facts: dict[str, Any] = {}
        """More fields of its events, from a proxy or a client of one (`learn`)."""
        self.fields: dict[str, Any] | None = None
        """What `model.flow_fields` made of it; None: nothing, or it has changed since."""
        self.reason = "local"
        """Who ended it first: local, remote or reset; idle if it was only forgotten."""
        self.error = ""
        """Name of the last error in its life, such as ECONNRESET."""
        self.reading: object = None
        """The `streams.reading.Reading` of `streams.flows`; None: no bytes have come."""
        self.socket_shared: dict[str, object] = {}
        """Shared by all flows of a socket of messages: what sources know of it, each by a key."""

    def learn(self, facts: dict[str, Any]) -> None:
        """Add facts that a proxy or a client of one says (`streams.preambles`)."""
        self.facts = self.facts | facts
        self.fields = None

    def name_peer(self, name: str) -> None:
        """Note the name by which the address of the peer was looked up; empty: it was not."""
        self.peer_name = name
        self.fields = None

    @property
    def protocol(self) -> str:
        """The names of `layers` as net_protocol has them; empty: no protocol was recognised."""
        return ",".join(self.layers)


class FlowUsage:
    """What the processes that share one table of fds did with one flow."""

    __slots__ = (
        "measured",
        "opened",
        "read_bytes",
        "reads",
        "write_bytes",
        "writes",
    )

    def __init__(self, opened: bool) -> None:
        self.opened = opened
        """It was opened here, not inherited."""
        self.reads = self.read_bytes = 0
        self.writes = self.write_bytes = 0
        self.measured = (0, 0, 0, 0)
        """What of it has been measured."""

    def unmeasured(self) -> tuple[int, ...]:
        """Return reads, bytes, writes and bytes since the last time this was asked."""
        now = (self.reads, self.read_bytes, self.writes, self.write_bytes)
        before, self.measured = self.measured, now
        return tuple(a - b for a, b in zip(now, before, strict=True))

    def add(self, outgoing: bool, count: int) -> None:
        """Add one message of `count` bytes."""
        if outgoing:
            self.writes += 1
            self.write_bytes += count
        else:
            self.reads += 1
            self.read_bytes += count
