from __future__ import annotations

import struct

import pytest

from scopetrace.output.pcapng import Packet, file_header, packet_block


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    """Return type and body of each block; both of its lengths must agree."""
    found = []
    while data:
        kind, size = struct.unpack_from("<II", data)
        assert size % 4 == 0
        assert struct.unpack_from("<I", data, size - 4)[0] == size
        found.append((kind, data[8 : size - 4]))
        data = data[size:]
    return found


def options(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while data:
        code, size = struct.unpack_from("<HH", data)
        found.append((code, data[4 : 4 + size]))
        data = data[4 + size + -size % 4 :]
    assert found.pop() == (0, b"")
    return found


def test_a_file_begins_with_its_section_and_its_interface():
    (section, first), (interface, second) = blocks(file_header("1", "made up"))

    assert (section, interface) == (0x0A0D0D0A, 1)
    assert struct.unpack_from("<IHHq", first) == (0x1A2B3C4D, 1, 0, -1)
    assert options(first[16:]) == [(4, b"scopetrace 1")]
    assert struct.unpack_from("<HHI", second) == (101, 0, 0)
    assert options(second[8:]) == [(2, b"scopetrace"), (3, b"made up"), (9, b"\x09")]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 65_535])
def test_a_packet_keeps_its_bytes_and_its_time_to_the_nanosecond(size):
    data = bytes(range(256)) * 256
    packet = Packet(1_783_822_275_123_456_789, True, data[:size], 17)

    ((kind, body),) = blocks(packet_block(packet))
    interface, high, low, captured, original = struct.unpack_from("<IIIII", body)
    assert (kind, interface, high << 32 | low) == (6, 0, packet.time_ns)
    assert (captured, original) == (size, size + 17)
    assert body[20 : 20 + size] == data[:size]
    assert options(body[20 + size + -size % 4 :]) == [(2, struct.pack("<I", 2))]


def test_a_packet_says_where_it_went_and_a_comment_is_utf8():
    ((_, body),) = blocks(packet_block(Packet(0, False, b"", comment="flow 1: é\udcff")))

    assert options(body[20:]) == [(2, struct.pack("<I", 1)), (1, "flow 1: é\\udcff".encode())]
