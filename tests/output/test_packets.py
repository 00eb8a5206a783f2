from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.output.packets import (
    ACK,
    MOST_TCP,
    MOST_UDP,
    SYN,
    Ends,
    Segment,
    tcp_packet,
    udp_packet,
)

FOUR = Ends(bytes([10, 0, 0, 2]), 40000, bytes([10, 0, 0, 1]), 80)
SIX = Ends(bytes(15) + b"\1", 40000, socket.inet_pton(socket.AF_INET6, "2001:db8::1"), 80)


def folded(data: bytes) -> int:
    """Return the ones' complement sum of pairs of bytes, as RFC 1071 adds them."""
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"))
        total = (total & 0xFFFF) + (total >> 16)
    return total


def split(packet: bytes) -> tuple[bytes, bytes]:
    """Return the pseudo header of a packet and what its IP header carries."""
    if packet[0] >> 4 == 4:
        assert folded(packet[:20]) == 0xFFFF
        assert int.from_bytes(packet[2:4]) == len(packet)
        size = (len(packet) - 20).to_bytes(2)
        return packet[12:20] + b"\0" + packet[9:10] + size, packet[20:]
    size = packet[4:6]
    assert int.from_bytes(size) == len(packet) - 40
    return packet[8:40] + b"\0\0" + size + b"\0\0\0" + packet[6:7], packet[40:]


@given(st.sampled_from([FOUR, SIX]), st.binary(max_size=300), st.integers(0, 2**40))
def test_a_segment_carries_its_bytes_and_a_checksum_that_holds(ends, data, seq):
    pseudo, body = split(tcp_packet(ends, Segment(seq, seq + 7, ACK, data)))

    assert folded(pseudo + body) == 0xFFFF
    assert body[20:] == data
    assert int.from_bytes(body[4:8]) == seq % 2**32
    assert int.from_bytes(body[8:12]) == (seq + 7) % 2**32
    assert (int.from_bytes(body[0:2]), int.from_bytes(body[2:4])) == (40000, 80)


@given(st.sampled_from([FOUR, SIX]), st.binary(max_size=300))
def test_a_datagram_carries_its_bytes_and_a_checksum_that_holds(ends, data):
    pseudo, body = split(udp_packet(ends, data))

    assert folded(pseudo + body) == 0xFFFF
    assert body[6:8] != b"\0\0"
    assert body[8:] == data


def test_a_checksum_that_comes_out_as_nothing_is_sent_as_all_ones():
    plain = int.from_bytes(split(udp_packet(FOUR, b"\0\0"))[1][6:8])

    assert split(udp_packet(FOUR, plain.to_bytes(2)))[1][6:8] == b"\xff\xff"


@pytest.mark.parametrize("ends", [FOUR, SIX])
def test_the_largest_pieces_fit_into_a_packet(ends):
    pseudo, body = split(tcp_packet(ends, Segment(1, 1, ACK, bytes(MOST_TCP))))
    assert folded(pseudo + body) == 0xFFFF

    pseudo, body = split(udp_packet(ends, bytes(MOST_UDP)))
    assert folded(pseudo + body) == 0xFFFF


def test_a_syn_offers_a_large_segment_and_a_window_scale():
    _, body = split(tcp_packet(FOUR, Segment(5, 9, SYN)))

    assert body[12] >> 4 == 7
    assert body[20:28] == bytes([2, 4]) + MOST_TCP.to_bytes(2) + bytes([3, 3, 14, 0])
    assert body[8:12] == bytes(4), "there is nothing to acknowledge yet"


def test_a_cut_datagram_says_how_long_it_was():
    packet = udp_packet(FOUR, b"abc", missing=100)

    assert int.from_bytes(packet[2:4]) == 20 + 8 + 103
    assert packet[20:][4:6] == (111).to_bytes(2)
    assert packet[20:][6:8] == b"\0\0"
    assert packet.endswith(b"abc")
