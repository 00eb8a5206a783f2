"""HTTP/2 (RFC 9113): each stream a request and its response, and gRPC among them.

A stream is held from its request to the end of its response. The frames of streams that are not
held (they were reset, or pushed without a promise) are read, since later header blocks depend on
them, and make no messages.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import unquote

from scopetrace.protocols.http.frames import Block, FrameSide
from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.messages import Budget, Emitter, Request, Response, Unreadable

VERSION = "2.0"

UPGRADED = 1
"""The stream of a request that was made in HTTP/1.1 (RFC 7540, 3.2)."""

FINAL = 200
"""The first status that is no interim one."""


class Stream:
    """A request and its response."""

    __slots__ = ("counts", "request", "response")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.response: Response | None = None
        self.counts: dict[bool, int | None] = {True: None, False: None}
        """Bytes of the request's body (True) and of the response's until now; None: it has none."""

    def settle(self, from_client: bool) -> None:
        """Note what was counted until now as the length of a message."""
        message = self.request if from_client else self.response
        if message is not None:
            message.counted = self.counts[from_client]


class Http2:
    """Both directions of a flow.

    Args:
        emitter: takes the messages.
        most_bytes: of streams and header fields that may be held.
        upgraded: the request that led to HTTP/2, if one did.
        unparsed: bytes that belonged to no message before that.
    """

    frame_side: ClassVar[type[FrameSide]] = FrameSide
    successor = None
    over = False

    def __init__(
        self, emitter: Emitter, most_bytes: int, upgraded: Request | None = None, unparsed: int = 0
    ) -> None:
        self._unparsed = unparsed
        self.emitter = emitter
        self._budget = Budget(most_bytes)
        self._streams: dict[int, Stream] = {}
        self._gone_away = {False: (0, -1), True: (0, -1)}
        """For each sender of GOAWAY: its last stream id, and the highest stream at that time."""
        self._highest = {False: 0, True: 0}
        """The highest stream that was begun, of the server's and the client's."""
        self._sides = {way: self.frame_side(self, way, self._budget) for way in (False, True)}
        if upgraded is not None:
            self._hold(UPGRADED, upgraded)

    @property
    def unparsed(self) -> int:
        """Bytes that belong to no message, or to frames that are not whole."""
        return self._unparsed + sum(side.unfinished for side in self._sides.values())

    def feed(self, time_ns: int, from_client: bool, data: bytes) -> None:
        """Read the next bytes of a direction."""
        self._sides[from_client].feed(time_ns, data)

    def skip(self, from_client: bool, size: int) -> None:
        """Go on after missing bytes."""
        self._sides[from_client].skip(size)

    def end(self, from_client: bool) -> None:
        """End a direction: what of its messages was counted until now is all of them."""
        if not from_client:
            self.close()

    def close(self) -> None:
        """Emit all that is not emitted yet, as far as it was read."""
        for stream in self._streams.values():
            stream.settle(True)
            stream.settle(False)
            self._emit(stream)

    def give_up(self) -> None:
        """Emit all that is not emitted yet, of which no more will be known."""
        for stream in self._streams.values():
            self._emit(stream)

    def block(self, from_client: bool, block: Block) -> None:
        """Take the fields of a request, a response, or what follows their body."""
        if block.promised:
            if from_client:
                raise Unreadable("a client promised a stream")
            self._begin_request(block, block.promised, "PUSH_PROMISE")
        elif block.stream not in self._streams:
            if from_client and block.headers.get(b":method"):
                self._begin_request(block, block.stream, "HEADERS")
        elif not from_client:
            self._take_response_block(block, self._streams[block.stream])
        elif block.ends:
            self.ended(from_client, block.stream)

    def data(self, from_client: bool, stream: int, size: int) -> None:
        """Count some of a body."""
        held = self._streams.get(stream)
        if held is not None:
            counted = held.counts[from_client]
            held.counts[from_client] = None if counted is None else counted + size

    def ended(self, from_client: bool, stream: int) -> None:
        """End a request, or a response and its stream."""
        held = self._streams.get(stream)
        if held is None:
            return
        held.settle(from_client)
        if from_client:
            self.emitter.request(held.request)
        else:
            self._release(stream)

    def reset(self, stream: int) -> None:
        """End a stream as it is."""
        held = self._streams.get(stream)
        if held is not None:
            held.settle(True)
            held.settle(False)
            self._release(stream)

    def going_away(self, from_client: bool, last: int) -> None:
        """End the streams after `last` that the other side began: they are not served."""
        begun_by_client = not from_client
        last_before, highest = self._gone_away[from_client]
        if last >= last_before and highest == self._highest[begun_by_client]:
            return  # no stream was begun since, so there is none to end
        self._gone_away[from_client] = (last, self._highest[begun_by_client])
        for stream in [s for s in self._streams if s > last and s % 2 == begun_by_client]:
            self.reset(stream)

    def _begin_request(self, block: Block, stream: int, frame: str) -> None:
        """Begin a stream with a request."""
        request = _request(block, stream, frame)
        if request is None:
            return
        self.emitter.request_began(request, block.headers)
        self._hold(stream, request)
        if request.grpc_method:
            self.emitter.grpc()
        if not block.ends and not block.promised and request.method != "CONNECT":
            self._streams[stream].counts[True] = 0
        if self._streams[stream].counts[True] is None or request.declared is not None:
            self.emitter.request(request)

    def _release(self, stream: int) -> None:
        held = self._streams.pop(stream)
        self._budget.give(held.request)
        self._emit(held)

    def _hold(self, stream: int, request: Request) -> None:
        of_client = stream % 2 == 1
        if stream <= self._highest[of_client]:
            raise Unreadable("a stream was begun twice")
        self._highest[of_client] = stream
        self._budget.take(request)
        self._streams[stream] = Stream(request)

    def _take_response_block(self, block: Block, stream: Stream) -> None:
        """Begin a response, or add to it what follows its body."""
        status = _status(block.headers)
        if stream.response is None and status >= FINAL:
            stream.response = self._begin_response(block, stream, status)
        response = stream.response
        is_grpc = bool(stream.request.grpc_method)
        if response is not None and is_grpc:
            _add_grpc_status(response, block.headers)
        if block.ends:
            self.ended(False, block.stream)
        elif response is not None:
            self._budget.grow(stream.request, block.size)
            if not is_grpc and not response.awaits_count:
                self.emitter.response(response)

    def _begin_response(self, block: Block, stream: Stream, status: int) -> Response:
        declared = block.headers.length
        response = Response(VERSION, block.began_ns, status, stream.request, declared, block.stream)
        self.emitter.response_began(response, block.headers)
        stream.counts[False] = 0 if response.is_counted else None
        return response

    def _emit(self, stream: Stream) -> None:
        self.emitter.request(stream.request)
        if stream.response is not None:
            self.emitter.response(stream.response)


def _request(block: Block, stream: int, frame: str) -> Request | None:
    """Return the request that a header block is; None: it lacks its method or target."""
    headers = block.headers
    method, host = headers.get(b":method"), headers.get(b":authority") or headers.get(b"host")
    target = headers.get(b":path") or host
    if not method or not target:
        return None
    scheme, declared = headers.get(b":scheme"), headers.length
    request = Request(
        VERSION, block.times, method, target, scheme, host, declared, block.size, stream
    )
    request.frame = frame
    request.grpc_method = target if _is_grpc(headers) else ""
    return request


def _status(headers: Headers) -> int:
    """Return the status; 0: it is not there."""
    code = headers.get(b":status")
    return int(code) if len(code) == len("200") and code.isascii() and code.isdigit() else 0


def _is_grpc(headers: Headers) -> bool:
    """Return whether it is a call of gRPC: application/grpc, with + or ; or nothing after it."""
    kind = headers.get(b"content-type")
    return kind.startswith("application/grpc") and kind[16:17] in ("", "+", ";")


def _add_grpc_status(response: Response, headers: Headers) -> None:
    """Add how a call ended: from the trailers, or from the header if there is no body."""
    status, message = headers.get(b"grpc-status"), headers.get(b"grpc-message")
    if status.isascii() and status.isdigit() and len(status) <= len("16"):
        response.grpc_status = int(status)
    if message:
        response.grpc_message = unquote(message)
