"""The content of HTTP messages, read again from the recorded bytes of a flow.

The parsers are those of `http1` and `http2`, so what they find is what was found while the bytes
were recorded; here the bodies are kept as well, each up to a limit. This is for recordings that are
looked at later, never for the recorder.
"""

from __future__ import annotations

import re
from collections import deque

from scopetrace.protocols.http.bodies import Body, Chunked
from scopetrace.protocols.http.frames import Block, FrameSide, SkippedFrame
from scopetrace.protocols.http.headers import Headers, text
from scopetrace.protocols.http.http1 import Http1, Http1Side, RequestSide, ResponseSide
from scopetrace.protocols.http.http2 import Http2
from scopetrace.protocols.http.messages import Message, Request, Response, Unreadable
from scopetrace.protocols.http.start import MOST_SEEN, Seen, recognise_start

MOST_WAITING = 1 << 24
"""Bytes of requests that may wait for their response in one flow."""
CHUNK_LINE = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]{1,15})[^\n]*\n")
"""The line that announces a chunk (RFC 9112, 7.1), after the end of the chunk before."""
FRAMING = 8
"""Times the limit, so many bytes of a chunked body are kept with its framing: chunks are small."""


class Found:
    """What one message holds besides what its event says."""

    def __init__(self, message: Message, headers: Headers) -> None:
        self.message = message
        self.headers = tuple((text(name), text(value)) for name, value in headers.pairs)
        self.body: KeptBody | StreamBody | None = None

    @property
    def is_whole(self) -> bool:
        """Whether no more of it will come."""
        return self.body is None or self.body.ended

    @property
    def kept(self) -> bytes:
        """The first bytes of its body, without their framing."""
        return b"" if self.body is None else self.body.content


class KeptBody:
    """A body whose first bytes are kept as it is read (`bodies.Body`)."""

    def __init__(self, body: Body, most_bytes: int) -> None:
        self._body = body
        self._most_bytes = most_bytes
        self._left = most_bytes * FRAMING if isinstance(body, Chunked) else most_bytes
        self._kept = bytearray()
        self.counted = 0
        """Its bytes until now, without those of its framing."""
        self.ended = False
        """All of it has been read."""

    def take(self, data: bytes | bytearray, position: int) -> int:
        """Consume from `position` on; return where the body ended, or the end of `data`."""
        end = self._body.take(data, position)
        piece = data[position : min(end, position + self._left)]
        self._kept += piece
        self._left -= len(piece)
        self._note()
        return end

    def skip(self, size: int) -> bool:
        """Consume missing bytes; what comes after them is not kept."""
        self._left = 0
        was_skipped = self._body.skip(size)
        self._note()
        return was_skipped

    def _note(self) -> None:
        self.counted, self.ended = self._body.counted, self._body.ended

    @property
    def content(self) -> bytes:
        """The first bytes, at most as many as the limit, without framing."""
        raw = bytes(self._kept)
        return (unchunked(raw) if isinstance(self._body, Chunked) else raw)[: self._most_bytes]


class StreamBody:
    """A body of HTTP/2 whose first bytes are kept: frames hold it in pieces."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._kept = bytearray()
        self.ended = False
        """All of it has been read."""

    def take(self, piece: bytes | bytearray) -> None:
        """Take the next bytes."""
        self._kept += piece[: self._left]
        self._left -= min(self._left, len(piece))

    def skip(self) -> None:
        """Pass missing bytes; what comes after them is not kept."""
        self._left = 0

    @property
    def content(self) -> bytes:
        """The first bytes, at most as many as the limit."""
        return bytes(self._kept)


def unchunked(raw: bytes) -> bytes:
    """Return what the chunks hold, as far as they are there."""
    content, position = bytearray(), 0
    while found := CHUNK_LINE.match(raw, position):
        position = found.end() + int(found[1], 16)
        if position == found.end():
            break
        content += raw[found.end() : position]
    return bytes(content)


class Contents:
    """Takes the messages of one flow from a parser (`messages.Emitter`)."""

    def __init__(self, most_body_bytes: int) -> None:
        self.requests: deque[Found] = deque()
        """In the order in which they began; whoever uses one removes it. So are `responses`."""
        self.responses: deque[Found] = deque()
        self._most_body_bytes = most_body_bytes
        self.streams: dict[tuple[bool, int], StreamBody] = {}
        """Bodies of HTTP/2 that have not ended, by direction (True: requests) and stream."""

    def request_began(self, request: Request, headers: Headers) -> None:
        """Keep a request's header."""
        self._begin(self.requests, Found(request, headers))

    def response_began(self, response: Response, headers: Headers) -> None:
        """Keep a response's header."""
        self._begin(self.responses, Found(response, headers))

    def _begin(self, begun: deque[Found], found: Found) -> None:
        begun.append(found)
        stream = found.message.stream
        if stream:
            found.body = StreamBody(self._most_body_bytes)
            self.streams[begun is self.requests, stream] = found.body

    def end_stream(self, from_client: bool, stream: int) -> None:
        """End the body of a request, or of a response and of the request that it answers."""
        for way in {from_client, True}:
            if (body := self.streams.pop((way, stream), None)) is not None:
                body.ended = True

    def keep_body(self, message: Message, body: Body) -> Body:
        """Return what reads a body and keeps it with its message, which has just begun."""
        kept = KeptBody(body, self._most_body_bytes)
        begun = self.requests if isinstance(message, Request) else self.responses
        if begun and begun[-1].message is message:
            begun[-1].body = kept
        return kept

    def request(self, request: Request) -> None:
        """Do nothing: it was taken when it began."""

    def response(self, response: Response) -> None:
        """Do nothing: it was taken when it began."""

    def grpc(self) -> None:
        """Do nothing: the header says so."""


class _Keeping(Http1Side):
    """A side whose bodies are kept; its emitter is a `Contents`."""

    def read_body(self, message: Message, body: Body) -> None:
        """Read a body, which is of this message, and keep it."""
        assert isinstance(self.emitter, Contents)
        super().read_body(message, self.emitter.keep_body(message, body))


class _KeepingRequests(_Keeping, RequestSide):
    """The requests, with their bodies."""


class _KeepingResponses(_Keeping, ResponseSide):
    """The responses, with their bodies."""


class _KeepingFrames(FrameSide):
    """The frames of a direction, whose data is kept; its handler is a `_KeepingHttp2`."""

    def pass_over(self, frame: SkippedFrame, buffer: bytes | bytearray, position: int) -> int:
        """Keep what `buffer` has of a body."""
        if (body := self._body(frame)) is not None:
            body.take(buffer[position : position + frame.content])
        return super().pass_over(frame, buffer, position)

    def skip(self, size: int) -> None:
        """Pass missing bytes."""
        if self.skipping is not None and (body := self._body(self.skipping)) is not None:
            body.skip()
        super().skip(size)

    def _body(self, frame: SkippedFrame) -> StreamBody | None:
        assert isinstance(self.handler, _KeepingHttp2)
        return self.handler.contents.streams.get((self.from_client, frame.stream))


class _KeepingHttp2(Http2):
    """HTTP/2 with bodies; its emitter is a `Contents`."""

    frame_side = _KeepingFrames

    @property
    def contents(self) -> Contents:
        """The emitter."""
        assert isinstance(self.emitter, Contents)
        return self.emitter

    def block(self, from_client: bool, block: Block) -> None:
        """Take a header block; with the last one of its direction the body has ended."""
        super().block(from_client, block)
        if block.ends:
            self.contents.end_stream(from_client, block.stream)

    def ended(self, from_client: bool, stream: int) -> None:
        """End a body with its last frame."""
        super().ended(from_client, stream)
        self.contents.end_stream(from_client, stream)

    def reset(self, stream: int) -> None:
        """End both bodies of a stream."""
        super().reset(stream)
        self.contents.end_stream(False, stream)


class _KeepingHttp1(Http1):
    """HTTP/1 with bodies."""

    request_side = _KeepingRequests
    response_side = _KeepingResponses

    def upgraded_parser(self) -> type[Http2]:
        """Return the parser of HTTP/2 with bodies."""
        return _KeepingHttp2


class FlowContents:
    """The bytes of one flow in, the contents of its messages out.

    Args:
        most_body_bytes: so much of each body is kept.
    """

    def __init__(self, most_body_bytes: int) -> None:
        self.found = Contents(most_body_bytes)
        self.over = False
        """No more messages will be found."""
        self._parser: Http1 | Http2 | None = None
        self._is_client = False
        self._seen = {True: Seen(), False: Seen()}
        self._steps: list[tuple[int, bool, bytes, int]] = []

    def feed(self, time_ns: int, outgoing: bool, data: bytes, missing: int) -> None:
        """Take the next bytes of a direction, and how many are missing after them."""
        if self.over:
            return
        try:
            if self._parser is None:
                self._start(time_ns, outgoing, data, missing)
            else:
                self._parse(self._parser, time_ns, outgoing, data, missing)
        except Unreadable:
            self.over = True

    def _start(self, time_ns: int, outgoing: bool, data: bytes, missing: int) -> None:
        """Keep the first bytes until they show which version is spoken, and who the client is."""
        seen = self._seen[outgoing]
        seen.add(data)
        self._steps.append((time_ns, outgoing, data, missing))
        start = recognise_start("", self._seen, outgoing)
        if start is None:
            self.over = len(seen.data) > MOST_SEEN
            return
        self._is_client = start.is_client
        parser = _KeepingHttp1 if start.version == 1 else _KeepingHttp2
        self._parser = parser(self.found, MOST_WAITING)
        steps, self._steps = self._steps, []
        for step in steps:
            self._parse(self._parser, *step)

    def _parse(
        self, parser: Http1 | Http2, time_ns: int, outgoing: bool, data: bytes, missing: int
    ) -> None:
        from_client = outgoing == self._is_client
        parser.feed(time_ns, from_client, data)
        if parser.successor is not None:
            parser = self._parser = parser.successor
        if missing:
            parser.skip(from_client, missing)
        self.over = parser.over
