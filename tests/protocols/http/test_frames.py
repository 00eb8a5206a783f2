from __future__ import annotations

import hpack
import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
)

from scopetrace.protocols.http.frames import FrameSide, frame_header
from scopetrace.protocols.http.messages import PREFACE, Budget, Unreadable

MEMORY = 1_048_576
BLOCK = hpack.Encoder().encode([("a", "b"), ("c", "d")])


class Handler:
    """Keeps what frames held."""

    def __init__(self) -> None:
        self.all: list[tuple[object, ...]] = []

    def block(self, from_client, block) -> None:
        times, stream, promised, ends, size, headers = block
        self.all.append((times[0], stream, promised, ends, size, headers.pairs))

    def data(self, from_client, stream, size) -> None:
        self.all.append(("data", stream, size))

    def ended(self, from_client, stream) -> None:
        self.all.append(("ended", stream))

    def reset(self, stream) -> None:
        self.all.append(("reset", stream))

    def going_away(self, from_client, last) -> None:
        self.all.append(("going away", last))


def taken(*feeds: bytes, from_client: bool = False) -> list[tuple[object, ...]]:
    handler = Handler()
    side = FrameSide(handler, from_client, Budget(MEMORY))
    for at, feed in enumerate(feeds):
        side.feed(at, feed)
    return handler.all


def frames(*some) -> bytes:
    return b"".join(frame.serialize() for frame in some)


def test_the_handler_gets_what_frames_hold():
    sent = frames(
        SettingsFrame(0, settings={4: 1}),
        HeadersFrame(1, BLOCK, flags=["END_HEADERS", "END_STREAM", "PADDED"], pad_length=5),
        PingFrame(0),
        PushPromiseFrame(3, 4, BLOCK, flags=["END_HEADERS"]),
        DataFrame(5, b"abc", flags=["PADDED"], pad_length=4),
        DataFrame(5, b"", flags=["END_STREAM"]),
        RstStreamFrame(7, 8),
        GoAwayFrame(0, 9, 0, b"why"),
    )

    pairs = [(b"a", b"b"), (b"c", b"d")]
    assert taken(sent) == [
        (0, 1, 0, True, 4, pairs),
        (0, 3, 4, False, 4, pairs),
        ("data", 5, 3),
        ("ended", 5),
        ("reset", 7),
        ("going away", 9),
    ]


def test_a_block_begins_with_its_first_byte():
    parts = frames(HeadersFrame(1, BLOCK[:3], flags=["END_STREAM"]))
    parts += frames(ContinuationFrame(1, BLOCK[3:], flags=["END_HEADERS"]))

    ((began_ns, *_),) = taken(frames(PingFrame(0)), parts[:1], parts[1:12], parts[12:])
    assert began_ns == 1


def test_the_preface_is_the_clients_alone():
    reset = frames(RstStreamFrame(1))

    assert taken(PREFACE[:10], PREFACE[10:] + reset, from_client=True) == [("reset", 1)]
    with pytest.raises(Unreadable):
        taken(reset, from_client=True)


def test_missing_bytes_of_data_and_padding_are_skipped():
    handler = Handler()
    side = FrameSide(handler, False, Budget(MEMORY))
    padded = DataFrame(5, b"abc", flags=["PADDED", "END_STREAM"], pad_length=4)
    side.feed(0, padded.serialize()[:11])
    side.skip(4)
    side.feed(0, b"\0\0")
    assert handler.all == [("data", 5, 1), ("data", 5, 2), ("ended", 5)]

    with pytest.raises(Unreadable):
        side.skip(1)


def test_a_table_that_is_too_large_ends_the_reading():
    encoder = hpack.Encoder()
    encoder.header_table_size = 2_000_000
    sent = frames(HeadersFrame(1, encoder.encode([("a", "b")]), flags=["END_HEADERS"]))

    with pytest.raises(Unreadable):
        taken(sent)


def test_a_small_block_that_means_much_ends_the_reading():
    block = hpack.Encoder().encode([("a", "b" * 4000)])
    sent = frames(HeadersFrame(1, block + b"\xbe" * 100, flags=["END_HEADERS"]))

    with pytest.raises(Unreadable):
        taken(sent)


def test_the_header_of_a_frame():
    assert frame_header(b"x\x01\x02\x03\x04\x05\x86\x07\x08\x09", 1) == (0x010203, 4, 5, 0x06070809)
