"""Build IP packets: headers of IPv4, IPv6, TCP and UDP with checksums.

RFC 791 and 8200 (IP), 9293 (TCP), 768 (UDP), 1071 (the checksum of all of them).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
HOPS = 64
DONT_FRAGMENT = 0x4000
WINDOW = 0xFFFF
MOST_TCP = 65_535 - 20 - 20
"""Bytes of data in a segment that fits into an IPv4 or an IPv6 packet."""
MOST_UDP = 65_535 - 20 - 8
SYN_OPTIONS = struct.pack(">BBHBBBx", 2, 4, MOST_TCP, 3, 3, 14)
"""Maximum segment size, and the largest window scale (RFC 7323, 2.3)."""


class Ends(NamedTuple):
    """Addresses of both ends as in packets: 4 or 16 bytes."""

    host: bytes
    host_port: int
    peer: bytes
    peer_port: int

    def swapped(self) -> Ends:
        """Return the same with both ends exchanged."""
        return Ends(self.peer, self.peer_port, self.host, self.host_port)


class Segment(NamedTuple):
    """The TCP fields of a segment, and its data."""

    seq: int
    ack: int
    flags: int
    data: bytes = b""


def tcp_packet(ends: Ends, segment: Segment) -> bytes:
    """Return the packet that `ends.host` sends."""
    options = SYN_OPTIONS if segment.flags & SYN else b""
    ack = segment.ack if segment.flags & ACK else 0
    header = struct.pack(
        ">HHIIBBHHH",
        ends.host_port, ends.peer_port, segment.seq % 2**32, ack % 2**32,
        (20 + len(options)) // 4 << 4, segment.flags, WINDOW, 0, 0,
    ) + options  # fmt: skip
    body = header + segment.data
    sum_at = 16
    checksum = _checksum(_pseudo_header(ends, TCP, len(body)) + body)
    body = body[:sum_at] + struct.pack(">H", checksum) + body[sum_at + 2 :]
    return _ip_header(ends, TCP, len(body)) + body


def udp_packet(ends: Ends, data: bytes, missing: int = 0) -> bytes:
    """Return the packet that `ends.host` sends, up to the `missing` bytes at its end.

    A packet with missing bytes has no checksum.
    """
    size = 8 + len(data) + missing
    header = struct.pack(">HHH", ends.host_port, ends.peer_port, size)
    checksum = 0
    if not missing:
        whole = _pseudo_header(ends, UDP, size) + header + b"\0\0" + data
        checksum = _checksum(whole) or 0xFFFF  # 0 would mean that there is none
    return _ip_header(ends, UDP, size) + header + struct.pack(">H", checksum) + data


def _ip_header(ends: Ends, protocol: int, size: int) -> bytes:
    if len(ends.host) == 16:
        return struct.pack(">IHBB", 6 << 28, size, protocol, HOPS) + ends.host + ends.peer
    before = struct.pack(">BBHHHBB", 0x45, 0, 20 + size, 0, DONT_FRAGMENT, HOPS, protocol)
    addresses = ends.host + ends.peer
    return before + struct.pack(">H", _checksum(before + addresses)) + addresses


def _pseudo_header(ends: Ends, protocol: int, size: int) -> bytes:
    form = ">IxxxB" if len(ends.host) == 16 else ">xBH"
    numbers = (size, protocol) if len(ends.host) == 16 else (protocol, size)
    return ends.host + ends.peer + struct.pack(form, *numbers)


def _checksum(data: bytes) -> int:
    """Return the complement of the ones' complement sum of all pairs of bytes.

    The pairs are the digits of one number to the base 2**16, and the sum of its digits is what
    remains of it modulo 2**16 - 1.
    """
    number = int.from_bytes(data) << 8 * (len(data) % 2)
    return 0xFFFF - (number % 0xFFFF or 0xFFFF) if number else 0xFFFF
