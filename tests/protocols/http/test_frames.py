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

from scopetrace.protocols.http.frames import PREFACE, FrameSide, frame_header
from scopetrace.protocols.http.messages import Budget, Moment, Unreadable
from support.http_talk import EVENTS, image_of

IMAGE = image_of(EVENTS)
MEMORY = 1_048_576
BLOCK = hpack.Encoder().encode([("a", "b"), ("c", "d")])


class Taken:
    """Keeps what frames held."""

    def __init__(self) -> None:
        self.all: list[tuple[object, ...]] = []

    def block(self, moment, asking, block) -> None:
        began_ns, stream, promised, ends, size, headers = block
        self.all.append((began_ns, stream, promised, ends, size, headers.pairs))

    def data(self, asking, stream, size) -> None:
        self.all.append(("data", stream, size))

    def ended(self, moment, asking, stream) -> None:
        self.all.append(("ended", stream))

    def reset(self, moment, stream) -> None:
        self.all.append(("reset", stream))

    def going_away(self, moment, asking, last) -> None:
        self.all.append(("going away", last))


def taken(*feeds: bytes, asking: bool = False) -> list[tuple[object, ...]]:
    taker = Taken()
    side = FrameSide(taker, asking, Budget(MEMORY))
    for at, feed in enumerate(feeds):
        side.feed(Moment(IMAGE, 1, at), feed)
    return taker.all


def frames(*some) -> bytes:
    return b"".join(frame.serialize() for frame in some)


def test_frames_tell_what_they_hold():
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

    assert taken(PREFACE[:10], PREFACE[10:] + reset, asking=True) == [("reset", 1)]
    with pytest.raises(Unreadable):
        taken(reset, asking=True)


def test_missing_bytes_of_data_and_padding_are_passed():
    taker = Taken()
    side = FrameSide(taker, False, Budget(MEMORY))
    moment = Moment(IMAGE, 1, 0)
    padded = DataFrame(5, b"abc", flags=["PADDED", "END_STREAM"], pad_length=4)
    side.feed(moment, padded.serialize()[:11])
    side.skip(moment, 4)
    side.feed(moment, b"\0\0")
    assert taker.all == [("data", 5, 1), ("data", 5, 2), ("ended", 5)]

    with pytest.raises(Unreadable):
        side.skip(moment, 1)


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
