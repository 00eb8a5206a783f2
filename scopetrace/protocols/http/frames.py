"""One direction of HTTP/2 (RFC 9113, 4): from bytes to header blocks, data and ends of streams.

Only what is needed is kept: a frame that holds (part of) a header block, until it is whole, and the
table of header fields. Data is counted and skipped, other frames are skipped. A frame's header that
is missing cannot be found again, nor can a header block, on which all later ones depend: without
them the flow is unreadable.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple, Protocol

from hpack import Decoder, HPACKError, OversizedHeaderListError
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PushPromiseFrame,
    RstStreamFrame,
)

from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.messages import MOST_HEAD, PREFACE, TOO_LONG, Budget, Unreadable
from scopetrace.protocols.http.receive_buffer import ReceiveBuffer

FRAME_HEADER = struct.Struct(">HBBBL")
"""Length (two bytes and one), type, flags, stream (RFC 9113, 4.1)."""
END_STREAM = 0x01
PADDED = 0x08

MOST_TABLE = 2**32 - 1
"""The largest table of header fields that settings can allow (RFC 9113, 6.5.1)."""

KEPT = {
    frame.type
    for frame in (HeadersFrame, PushPromiseFrame, ContinuationFrame, RstStreamFrame, GoAwayFrame)
}
"""Types of frames whose content matters."""


_SKIPPED_TYPES = b"\x02\x04\x06\x08\x0a-\xff"
"""Types of frames that are skipped whatever is in them, as the inside of a set of `re`."""
_UNMARKED = b"".join(
    b"\\x%02x" % flags for flags in range(256) if not flags & (END_STREAM | PADDED)
)
_SMALL = re.compile(
    rb"(?s:\0\0\0[%b].{5}|\0\0\0\0[%b](?![\0\x80]\0\0\0).{4}"
    rb"|\0\0\x04\x08.{9}|\0\0\x05\x02.{10}|\0\0\x08\x06.{13})+" % (_SKIPPED_TYPES, _UNMARKED)
)
"""Frames in a row that are small and make no message: empty ones, WINDOW_UPDATE, PRIORITY, PING.

A peer may send any number of them, so they are skipped without a look at each.
"""


def frame_header(data: bytes | bytearray, position: int) -> tuple[int, int, int, int]:
    """Return length, type, flags and stream of the frame that begins there."""
    high, low, kind, flags, stream = FRAME_HEADER.unpack_from(data, position)
    return high << 8 | low, kind, flags, stream & 0x7FFFFFFF


class Block(NamedTuple):
    """A header block."""

    times: tuple[int, int]
    """When its first byte came, and when it was complete."""
    stream: int
    promised: int
    """The stream that it promises; 0: it is the stream's own."""
    ends: bool
    """It is the last frame of its direction of the stream."""
    size: int
    """Of its names and values."""
    headers: Headers

    @property
    def began_ns(self) -> int:
        """When its first byte came."""
        return self.times[0]


class FrameHandler(Protocol):
    """Takes what the frames of both directions hold."""

    def block(self, from_client: bool, block: Block) -> None:
        """Take the fields of a request, a response, or what follows their body."""

    def data(self, from_client: bool, stream: int, size: int) -> None:
        """Take some of a body."""

    def ended(self, from_client: bool, stream: int) -> None:
        """Note that a body has ended."""

    def reset(self, stream: int) -> None:
        """Note that a stream was reset."""

    def going_away(self, from_client: bool, last: int) -> None:
        """Note that of the streams of the other side, those after `last` are not served."""


class SkippedFrame:
    """A frame that is being skipped."""

    __slots__ = ("content", "ends", "padding", "stream")

    def __init__(self, stream: int, content: int, padding: int, ends: bool) -> None:
        self.stream = stream
        """0: its content does not matter."""
        self.content = content
        """Bytes that are still to come, padding after them."""
        self.padding = padding
        self.ends = ends


class FrameSide:
    """One direction.

    Args:
        handler: takes what the frames hold.
        from_client: whether it is the client's, which begins with the preface.
        budget: gives what the table of header fields takes, and a block that is not whole. How
            large the table is, is the sender's to say, in the header blocks themselves (RFC 7541,
            4.2); what the settings allow can only be less.
    """

    def __init__(self, handler: FrameHandler, from_client: bool, budget: Budget) -> None:
        self.handler = handler
        self.from_client = from_client
        self._received = ReceiveBuffer()
        self._prefaced = not from_client
        self.skipping: SkippedFrame | None = None
        self._first: HeadersFrame | PushPromiseFrame | None = None
        """What a header block that goes on began with."""
        self._fragments = bytearray()
        self._block_size = 0
        """Of the block that goes on, with the headers of its frames."""
        self._began_ns = 0
        self._budget = budget
        self._decoder = Decoder(MOST_HEAD)
        self._decoder.max_allowed_table_size = MOST_TABLE
        self._table = 0
        """What the table took of the budget until now."""
        self._weigh_table()

    @property
    def unfinished(self) -> int:
        """Bytes of a frame, or of a header block, that is not whole yet."""
        return len(self._received) + len(self._fragments)

    def feed(self, time_ns: int, data: bytes) -> None:
        """Read as far as it goes.

        Raises:
            Unreadable: It is no HTTP/2, or its beginning was not seen.
        """
        buffer = self._received.joined(time_ns, data)
        position, end = 0, len(buffer)
        while position < end:
            reached = self._take(buffer, position)
            if reached == position:
                break
            position = reached
        self._received.keep(buffer, position)

    def skip(self, size: int) -> None:
        """Go on after missing bytes, if they are of a frame that is skipped anyway.

        Raises:
            Unreadable: They are not: they may hold headers.
        """
        frame = self.skipping
        if frame is None or size > frame.content + frame.padding:
            raise Unreadable("bytes are missing that may be headers")
        self._skip(frame, size)

    def _take(self, buffer: bytes | bytearray, position: int) -> int:
        """Take one thing from `position` on; return where it ends, or `position`: it is cut."""
        if self.skipping is not None:
            return position + self.pass_over(self.skipping, buffer, position)
        if not self._prefaced:
            return self._take_preface(buffer, position)
        begin = position + FRAME_HEADER.size
        if begin > len(buffer):
            return position
        length, kind, flags, stream = frame_header(buffer, position)
        self._check_order(kind, stream)
        if kind in KEPT:
            if length > MOST_HEAD:
                raise Unreadable(TOO_LONG)
            if begin + length <= len(buffer):
                whole = bytes(buffer[position : begin + length])
                self._take_frame(self._received.time_of(position), whole)
                return begin + length
            return position
        small = _SMALL.match(buffer, position)
        if small is not None:
            return small.end()
        return self._take_other(buffer, begin, (length, kind, flags, stream))

    def pass_over(self, frame: SkippedFrame, buffer: bytes | bytearray, position: int) -> int:
        """Skip what `buffer` has of a frame from `position` on; return how many bytes that is."""
        return self._skip(frame, len(buffer) - position)

    def _take_other(self, buffer: bytes | bytearray, begin: int, frame: tuple[int, ...]) -> int:
        """Take a frame whose content is only counted, or does not matter."""
        length, kind, flags, stream = frame
        if kind == DataFrame.type:
            return self._take_data(buffer, begin, (length, flags, stream))
        self._begin_skipping(SkippedFrame(0, 0, length, False))
        return begin

    def _take_preface(self, buffer: bytes | bytearray, position: int) -> int:
        seen = bytes(buffer[position : position + len(PREFACE)])
        if not PREFACE.startswith(seen):
            raise Unreadable("its beginning was not seen")
        self._prefaced = seen == PREFACE
        return position + len(seen) if self._prefaced else position

    def _check_order(self, kind: int, stream: int) -> None:
        """Refuse frames between the parts of a header block (RFC 9113, 6.10)."""
        due = self._first.stream_id if self._first is not None else 0
        if (kind == ContinuationFrame.type) != bool(due) or (due and stream != due):
            raise Unreadable("a header is not whole")

    def _take_data(self, buffer: bytes | bytearray, begin: int, frame: tuple[int, int, int]) -> int:
        length, flags, stream = frame
        padding = 0
        if flags & PADDED:
            if begin == len(buffer):
                return begin - FRAME_HEADER.size
            padding = buffer[begin]
            begin += 1
            length -= 1
        if not stream or length < padding:
            raise Unreadable("a frame makes no sense")
        ends = bool(flags & END_STREAM)
        self._begin_skipping(SkippedFrame(stream, length - padding, padding, ends))
        return begin

    def _begin_skipping(self, frame: SkippedFrame) -> None:
        self.skipping = frame
        self._skip(frame, 0)

    def _skip(self, frame: SkippedFrame, size: int) -> int:
        """Pass up to `size` bytes of a frame; return how many were left of it."""
        content = min(size, frame.content)
        padding = min(size - content, frame.padding)
        frame.content -= content
        frame.padding -= padding
        if content and frame.stream:
            self.handler.data(self.from_client, frame.stream, content)
        if not frame.content and not frame.padding:
            self.skipping = None
            if frame.ends:
                self.handler.ended(self.from_client, frame.stream)
        return content + padding

    def _take_frame(self, began_ns: int, whole: bytes) -> None:
        view = memoryview(whole)
        try:
            frame, _ = Frame.parse_frame_header(view[: FRAME_HEADER.size])
            frame.parse_body(view[FRAME_HEADER.size :])
        except HyperframeError:
            raise Unreadable("a frame makes no sense") from None
        if isinstance(frame, RstStreamFrame):
            self.handler.reset(frame.stream_id)
        elif isinstance(frame, GoAwayFrame):
            self.handler.going_away(self.from_client, frame.last_stream_id & 0x7FFFFFFF)
        elif isinstance(frame, ContinuationFrame):
            self._add_fragment(frame)
        elif isinstance(frame, HeadersFrame | PushPromiseFrame):
            self._first, self._began_ns, self._block_size = frame, began_ns, 0
            self._add_fragment(frame)

    def _add_fragment(self, frame: HeadersFrame | PushPromiseFrame | ContinuationFrame) -> None:
        self._fragments += frame.data
        self._budget.hold(len(frame.data))
        self._block_size += FRAME_HEADER.size + len(frame.data)
        if self._block_size > MOST_HEAD:  # so that a block of empty frames has an end, too
            raise Unreadable(TOO_LONG)
        if "END_HEADERS" in frame.flags and self._first is not None:
            first, self._first = self._first, None
            self._end_block(first)

    def _end_block(self, first: HeadersFrame | PushPromiseFrame) -> None:
        fragments, self._fragments = bytes(self._fragments), bytearray()
        self._budget.hold(-len(fragments))
        promised = first.promised_stream_id if isinstance(first, PushPromiseFrame) else 0
        ends = "END_STREAM" in first.flags
        pairs = self._decoded(fragments)
        size = sum(len(name) + len(value) for name, value in pairs)
        times = (self._began_ns, self._received.now_ns)
        block = Block(times, first.stream_id, promised, ends, size, Headers(pairs))
        self.handler.block(self.from_client, block)

    def _decoded(self, fragments: bytes) -> list[tuple[bytes, bytes]]:
        try:
            pairs = self._decoder.decode(fragments, raw=True)
        except OversizedHeaderListError:
            raise Unreadable(TOO_LONG) from None
        except HPACKError:
            raise Unreadable("a header depends on others that were not seen") from None
        self._weigh_table()
        return [(bytes(name), bytes(value)) for name, value in pairs]

    def _weigh_table(self) -> None:
        """Hold the size that the sender allowed its table of header fields to have."""
        before, self._table = self._table, self._decoder.header_table_size
        self._budget.hold(self._table - before)
