"""Payload as a pcapng capture file with synthetic packets.

No packets are recorded; they are made from the bytes that programs sent and received. A TCP flow
gets a handshake if its opening was recorded, sequence numbers, and FIN or RST as it ended. Missing
bytes leave a gap, as if their packets had been dropped. A connection whose both ends were recorded
is in the file once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from ipaddress import ip_address
from typing import Any, NamedTuple

from scopetrace.model.flow import Address
from scopetrace.model.flow_record import FlowRecord
from scopetrace.model.payload import Payload
from scopetrace.output.escape import escape
from scopetrace.output.packets import (
    ACK,
    FIN,
    MOST_TCP,
    MOST_UDP,
    PSH,
    RST,
    SYN,
    Ends,
    Segment,
    tcp_packet,
    udp_packet,
)
from scopetrace.output.pcapng import Packet, file_header, packet_block

DESCRIPTION = "made from the payload of a session; no packet was seen"
NS_PER_TICK = 4000
"""The clock of initial sequence numbers (RFC 9293, 3.4.1)."""
OPEN, PIECE, CLOSE = range(3)
"""Events of a flow; those with the same time are in this order."""


class Route(NamedTuple):
    """A flow that can be shown as packets, and its addresses."""

    flow: FlowRecord
    ends: Ends


class LeftOut(NamedTuple):
    """Numbers of flows with payload that are left out, by reason."""

    unix: int = 0
    other_transports: int = 0
    without_addresses: int = 0
    other_ends: int = 0
    """The other end of the same connection is in the file."""


def choose_routes(flows: Iterable[FlowRecord]) -> tuple[list[Route], LeftOut]:
    """Return the flows that are shown, and how many are left out."""
    routes, why = [], Counter[str]()
    for flow in flows:
        if not flow.payload_chunks:
            continue
        reason = _why_left_out(flow)
        ends = None if reason else _ends(flow)
        if ends is None:
            why[reason or "without_addresses"] += 1
        else:
            routes.append(Route(flow, ends))
    chosen = list(_deduplicated(_with_known_ends(routes)))
    return chosen, LeftOut(**why, other_ends=len(routes) - len(chosen))


def capture(routes: Sequence[Route], payload: Iterable[Payload], version: str) -> Iterator[bytes]:
    """Yield a capture file, piece by piece."""
    yield file_header(version, DESCRIPTION)
    for packet in _packets(routes, payload):
        yield packet_block(packet)


def _packets(routes: Sequence[Route], payload: Iterable[Payload]) -> Iterator[Packet]:
    """Yield all packets, ordered by time as far as the order within each flow allows.

    A flow ends when it was closed and all its pieces have been yielded.
    """
    by_channel = {route.flow.channel: _conversation(route) for route in routes}
    for _, what, channel, piece in merge(*_moments(routes, payload), key=lambda m: m[:2]):
        conversation = by_channel.get(channel)
        if conversation is None:
            continue
        yield from conversation.open()
        if what == PIECE:
            yield from conversation.carry(piece)
        conversation.closed |= what == CLOSE
        if conversation.closed and not conversation.left:
            yield from conversation.close()
            del by_channel[channel]


_Moment = tuple[int, int, int, Any]


def _moments(
    routes: Sequence[Route], payload: Iterable[Payload]
) -> tuple[Iterable[_Moment], Iterable[_Moment], Iterable[_Moment]]:
    flows = [route.flow for route in routes]
    return (
        sorted((flow.opened_ns, OPEN, flow.channel, None) for flow in flows),
        ((piece.time_ns, PIECE, piece.channel, piece) for piece in payload),
        sorted(
            (flow.closed_ns, CLOSE, flow.channel, None)
            for flow in flows
            if flow.closed_ns is not None
        ),
    )


class _Conversation(ABC):
    """Makes the packets of one flow."""

    def __init__(self, route: Route) -> None:
        self.flow, ends = route
        self.closed = False
        self.left = self.flow.payload_chunks
        """Pieces that are still to come."""
        self.opened = False
        self._ends = {True: ends, False: ends.swapped()}
        self._comment = _comment(self.flow)

    def open(self) -> Iterator[Packet]:
        """Yield the packets before the first bytes, when called first."""
        if not self.opened:
            self.opened = True
            yield from self._begin()

    @abstractmethod
    def carry(self, piece: Payload) -> Iterator[Packet]:
        """Yield the packets of one piece."""

    def close(self) -> Iterator[Packet]:
        """Yield the packets after the last bytes."""
        return iter(())

    def _begin(self) -> Iterator[Packet]:
        return iter(())

    def _packet(self, time_ns: int, outgoing: bool, data: bytes, missing: int = 0) -> Packet:
        comment, self._comment = self._comment, ""
        return Packet(time_ns, outgoing, data, missing, comment)


class _Datagrams(_Conversation):
    """UDP: each piece is a datagram."""

    def carry(self, piece: Payload) -> Iterator[Packet]:
        """Yield the packets of one piece: more than one only if it does not fit into one."""
        self.left -= 1
        parts = _split(piece.data, MOST_UDP) or [b""]
        for part in parts:
            missing = min(piece.missing, MOST_UDP - len(part)) if part is parts[-1] else 0
            data = udp_packet(self._ends[piece.outgoing], part, missing)
            yield self._packet(piece.time_ns, piece.outgoing, data, missing)


class _Stream(_Conversation):
    """TCP."""

    def __init__(self, route: Route) -> None:
        super().__init__(route)
        first = self.flow.opened_ns // NS_PER_TICK
        self._next = {True: first, False: first}
        """The next sequence number of each side; True: ours."""

    def carry(self, piece: Payload) -> Iterator[Packet]:
        """Yield the packets of one piece."""
        self.left -= 1
        parts = _split(piece.data, MOST_TCP)
        for part in parts:
            flags = ACK | PSH if part is parts[-1] else ACK
            yield self._segment(piece.time_ns, piece.outgoing, flags, part)
        self._next[piece.outgoing] += piece.missing

    def close(self) -> Iterator[Packet]:
        """Yield FIN of both sides, or RST, if it is known how the connection ended."""
        time_ns, we = self.flow.closed_ns or self.flow.opened_ns, self.flow.close_reason == "local"
        if self.flow.close_reason == "reset":
            yield self._segment(time_ns, False, RST | ACK)
        elif self.flow.close_reason in ("local", "remote"):
            yield self._segment(time_ns, we, FIN | ACK)
            yield self._segment(time_ns, not we, FIN | ACK)
            yield self._segment(time_ns, we, ACK)

    def _begin(self) -> Iterator[Packet]:
        """Yield the handshake, unless it is not known which side connected."""
        time_ns, we = self.flow.opened_ns, self.flow.role == "client"
        if self.flow.role:
            yield self._segment(time_ns, we, SYN)
            yield self._segment(time_ns, not we, SYN | ACK)
            yield self._segment(time_ns, we, ACK)

    def _segment(self, time_ns: int, outgoing: bool, flags: int, data: bytes = b"") -> Packet:
        seq, ack = self._next[outgoing], self._next[not outgoing]
        self._next[outgoing] += len(data) + bool(flags & (SYN | FIN))
        packet = tcp_packet(self._ends[outgoing], Segment(seq, ack, flags, data))
        return self._packet(time_ns, outgoing, packet)


_KINDS: dict[str, type[_Conversation]] = {"IP.TCP": _Stream, "IP.UDP": _Datagrams}
"""The transports that can be shown."""


def _conversation(route: Route) -> _Conversation:
    return _KINDS[route.flow.transport](route)


def _comment(flow: FlowRecord) -> str:
    role = f", {escape(flow.role)}" if flow.role else ""
    return f"flow {flow.id}: {escape(flow.proc)}, pid {flow.pid}{role}"


def _split(data: bytes, most: int) -> list[bytes]:
    return [data[at : at + most] for at in range(0, len(data), most)]


def _why_left_out(flow: FlowRecord) -> str:
    """Return the field of `LeftOut` for a flow whose transport cannot be shown, else ""."""
    if flow.transport in _KINDS:
        return ""
    if flow.transport.startswith("Unix."):
        return "unix"
    return "other_transports" if flow.transport else "without_addresses"


def _ends(flow: FlowRecord) -> Ends | None:
    """Return both addresses, an unknown one as the unspecified address; None if both are."""
    host, peer = _packed(flow.local), _packed(flow.peer)
    if not (host or peer):
        return None
    length = max(len(end) for end in (host, peer) if any(end)) if any(host + peer) else 4
    return Ends(
        _with_length(host, length),
        flow.local.port & 0xFFFF if flow.local else 0,
        _with_length(peer, length),
        flow.peer.port & 0xFFFF if flow.peer else 0,
    )


def _packed(address: Address | None) -> bytes:
    """Return the bytes of an IP address, IPv4-mapped IPv6 as IPv4; b"" if it is none."""
    try:
        parsed = ip_address(address.host if address else "")
    except ValueError:
        return b""
    return (getattr(parsed, "ipv4_mapped", None) or parsed).packed


def _with_length(address: bytes, length: int) -> bytes:
    """Return an address in the length of the other end's, IPv4-mapped if need be."""
    if not any(address):
        return bytes(length)
    return address if len(address) == length else bytes(10) + b"\xff\xff" + address


def _with_known_ends(routes: Sequence[Route]) -> Iterator[Route]:
    """Yield the routes; an unspecified local address is replaced by that which the peer sees.

    Two flows are the ends of one connection if their ports match and they are on one host: there,
    source and destination address are the same, or both are loopback addresses.
    """
    seen = {
        (flow.transport, ends.host_port, ends.peer_port, ends.host): ends.peer
        for flow, ends in routes
    }
    for flow, ends in routes:
        for theirs in () if any(ends.host) else (ends.peer, bytes(len(ends.peer))):
            ours = seen.get((flow.transport, ends.peer_port, ends.host_port, theirs))
            if ours and (ours == ends.peer or _on_loopback(ours, ends.peer)):
                ends = ends._replace(host=ours)
                break
        yield Route(flow, ends)


def _on_loopback(*addresses: bytes) -> bool:
    return all(ip_address(address).is_loopback for address in addresses)


def _deduplicated(routes: Iterable[Route]) -> Iterator[Route]:
    """Yield the routes; of connections that were recorded at both ends only one end.

    That is the end with more flows between the same addresses; else the one with more payload; else
    the client.
    """
    between = defaultdict[Any, defaultdict[Any, list[Route]]](lambda: defaultdict(list))
    for route in routes:
        near, far = route.ends[:2], route.ends[2:]
        between[route.flow.transport, frozenset((near, far))][near].append(route)
    for ends in between.values():
        yield from max(ends.values(), key=_preference)


def _preference(routes: Sequence[Route]) -> tuple[int, int, bool]:
    """Return the sort key of an end: the highest one is chosen."""
    kept = sum(flow.payload_bytes for flow, _ in routes)
    return len(routes), kept, routes[0].flow.role == "client"
