"""Write the blocks of a pcapng capture file, which Wireshark and tcpdump read.

The format is that of the IETF's draft-ietf-opsawg-pcapng, "PCAP Now Generic (pcapng) Capture File
Format": one section, one interface whose packets begin with their IP header, times in nanoseconds.
Numbers are little-endian, as the byte-order magic of the section says.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

PROGRAM = "scopetrace"
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
"""Types of blocks."""
BYTE_ORDER_MAGIC = 0x1A2B3C4D
UNKNOWN_LENGTH = -1
"""Of a section that is written in one go."""
LINKTYPE_RAW = 101
"""Packets that begin with an IPv4 or IPv6 header."""
NO_LIMIT = 0
COMMENT, APPLICATION, NAME, DESCRIPTION, RESOLUTION, FLAGS = 1, 4, 2, 3, 9, 2
"""Options: of any block, of the section, of the interface three times, of a packet."""
NANOSECONDS = b"\x09"
"""A power of ten, its sign turned."""
INBOUND, OUTBOUND = 1, 2


class Packet(NamedTuple):
    """One packet with its IP header."""

    time_ns: int
    outgoing: bool
    data: bytes
    missing: int = 0
    """Bytes at its end that were not recorded."""
    comment: str = ""


def file_header(version: str, description: str) -> bytes:
    """Return the blocks before the first packet: the section header and the interface."""
    section = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, UNKNOWN_LENGTH)
    interface = struct.pack("<HHI", LINKTYPE_RAW, 0, NO_LIMIT)
    described = [
        (NAME, PROGRAM.encode()),
        (DESCRIPTION, description.encode()),
        (RESOLUTION, NANOSECONDS),
    ]
    writer = [(APPLICATION, f"{PROGRAM} {version}".encode())]
    return _block(SECTION, section, writer) + _block(INTERFACE, interface, described)


def packet_block(packet: Packet) -> bytes:
    """Return the block of one packet."""
    high, low = divmod(packet.time_ns % 2**64, 2**32)
    size = len(packet.data)
    body = struct.pack("<IIIII", 0, high, low, size, size + packet.missing) + _padded(packet.data)
    options = [(FLAGS, struct.pack("<I", OUTBOUND if packet.outgoing else INBOUND))]
    if packet.comment:
        options.append((COMMENT, packet.comment.encode("utf-8", "backslashreplace")))
    return _block(PACKET, body, options)


def _block(kind: int, body: bytes, options: Iterable[tuple[int, bytes]]) -> bytes:
    """Return a block, with its length at both ends, so that it can be read backwards too."""
    parts = [body]
    parts += (struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    parts.append(struct.pack("<HH", 0, 0))
    content = b"".join(parts)
    length = struct.pack("<I", len(content) + 12)
    return struct.pack("<I", kind) + length + content + length


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
