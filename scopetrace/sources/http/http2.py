"""HTTP/2 (RFC 9113): every stream a request and its response, and gRPC among them.

A stream is held from its request to the end of its response. What comes on streams that are not
held (they were given up, or promised to nobody) is read, since later headers depend on it, and
tells nothing.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from scopetrace.protocols.http.frames import Block, FrameSide
from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.messages import Budget, Moment, Request, Response, Unreadable
from scopetrace.sources.http.describe import described_request, described_response
from scopetrace.sources.http.telling import Telling

UPGRADED = 1
"""The stream of a request that was made in HTTP/1.1 (RFC 7540, 3.2)."""


GRPC = "gRPC"

FINAL = 200
"""The first status that is no interim one."""


class Stream:
    """A request and its response."""

    __slots__ = ("counts", "grpc", "request", "response")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.response: Response | None = None
        self.grpc = "http_grpc_method" in request.shared
        self.counts: dict[bool, int | None] = {True: None, False: None}
        """Bytes of the request's body (True) and of the response's until now; None: it has none."""

    def settle(self, asking: bool) -> None:
        """Note what was counted until now."""
        message = self.request if asking else self.response
        if message is not None:
            message.counted = self.counts[asking]


class Http2:
    """Both directions of a flow; `upgraded` is the request that led to HTTP/2, if one did."""

    successor = None
    over = False

    def __init__(
        self, telling: Telling, upgraded: Request | None = None, passed_over: int = 0
    ) -> None:
        self._passed_over = passed_over
        """Bytes that were of no message before."""
        self._telling = telling
        self._budget = Budget(telling.memory)
        self._streams: dict[int, Stream] = {}
        self._gone_away = {False: (0, -1), True: (0, -1)}
        """For each sender of GOAWAY: what it said last, and the highest stream there was then."""
        self._last = {False: 0, True: 0}
        """The highest stream that was begun, of the server's and the client's."""
        self._sides = {asking: FrameSide(self, asking, self._budget) for asking in (False, True)}
        if upgraded is not None:
            self._hold(UPGRADED, upgraded)

    @property
    def passed_over(self) -> int:
        """Bytes that no message is known of, with those of frames that are not whole yet."""
        return self._passed_over + sum(side.unread for side in self._sides.values())

    def feed(self, moment: Moment, asking: bool, data: bytes) -> None:
        """Take the next bytes of the requests' direction, or of the responses'."""
        self._sides[asking].feed(moment, data)

    def skip(self, moment: Moment, asking: bool, size: int) -> None:
        """Go on after bytes that are not known."""
        self._sides[asking].skip(moment, size)

    def end(self, moment: Moment, asking: bool) -> None:
        """Let a direction end: what of its messages was counted until now is what there is."""
        if not asking:
            self.close(moment)

    def close(self, moment: Moment) -> None:
        """Tell all that is not told yet."""
        for stream in self._streams.values():
            stream.settle(True)
            stream.settle(False)
            self._tell(moment, stream)

    def give_up(self, moment: Moment) -> None:
        """Tell all that is not told yet, of which no more will be known."""
        for stream in self._streams.values():
            self._tell(moment, stream)

    def block(self, moment: Moment, asking: bool, block: Block) -> None:
        """Take the fields of a request, a response, or what follows their body."""
        if block.promised:
            if asking:
                raise Unreadable("a client promised a stream")
            self._ask(moment, block, block.promised, "PUSH_PROMISE")
        elif block.stream not in self._streams:
            if asking and block.headers.get(b":method"):
                self._ask(moment, block, block.stream, "HEADERS")
        elif not asking:
            self._answer(moment, block, self._streams[block.stream])
        elif block.ends:
            self.ended(moment, asking, block.stream)

    def data(self, asking: bool, stream: int, size: int) -> None:
        """Count some of a body."""
        held = self._streams.get(stream)
        if held is not None:
            counted = held.counts[asking]
            held.counts[asking] = None if counted is None else counted + size

    def ended(self, moment: Moment, asking: bool, stream: int) -> None:
        """End a request, or a response and its stream."""
        held = self._streams.get(stream)
        if held is None:
            return
        held.settle(asking)
        if asking:
            self._telling.request(moment, held.request)
        else:
            self._let_go(moment, stream)

    def reset(self, moment: Moment, stream: int) -> None:
        """End a stream as it is."""
        held = self._streams.get(stream)
        if held is not None:
            held.settle(True)
            held.settle(False)
            self._let_go(moment, stream)

    def going_away(self, moment: Moment, asking: bool, last: int) -> None:
        """End the streams after `last` that the other side began: they are not served."""
        begun_by_client = not asking
        said, highest = self._gone_away[asking]
        if last >= said and highest == self._last[begun_by_client]:
            return  # no stream was begun since, so there is none to end
        self._gone_away[asking] = (last, self._last[begun_by_client])
        for stream in [s for s in self._streams if s > last and s % 2 == begun_by_client]:
            self.reset(moment, stream)

    def _ask(self, moment: Moment, block: Block, stream: int, frame: str) -> None:
        """Begin a stream with a request."""
        request = self._request(moment, block, stream, frame)
        if request is None:
            return
        self._hold(stream, request)
        if self._streams[stream].grpc:
            self._telling.spoken(moment, GRPC)
        if not block.ends and not block.promised and request.method != "CONNECT":
            self._streams[stream].counts[True] = 0
        if self._streams[stream].counts[True] is None or request.declared is not None:
            self._telling.request(moment, request)

    def _let_go(self, moment: Moment, stream: int) -> None:
        held = self._streams.pop(stream)
        self._budget.give(held.request)
        self._tell(moment, held)

    def _hold(self, stream: int, request: Request) -> None:
        of_client = stream % 2 == 1
        if stream <= self._last[of_client]:
            raise Unreadable("a stream was begun twice")
        self._last[of_client] = stream
        self._budget.take(request)
        self._streams[stream] = Stream(request)

    def _request(self, moment: Moment, block: Block, stream: int, frame: str) -> Request | None:
        headers = block.headers
        method, host = headers.get(b":method"), headers.get(b":authority") or headers.get(b"host")
        target = headers.get(b":path") or host
        if not method or not target:
            return None
        shared = {
            "http_method": method,
            "http_target": target,
            "http_scheme": headers.get(b":scheme"),
            "http_host": host,
            "http_grpc_method": target if _is_grpc(headers) else "",
        }
        shared = {field: value for field, value in shared.items() if value}
        own = {"http_flavor": "2.0", "http_stream": stream, "http_frame": frame}
        times = (block.began_ns, moment.time_ns)
        declared, patterns = headers.length(), self._telling.patterns
        return described_request(times, shared, own, headers, declared, patterns, block.size)

    def _answer(self, moment: Moment, block: Block, stream: Stream) -> None:
        """Begin a response, or add to it what follows its body."""
        status = _status(block.headers)
        if stream.response is None and status >= FINAL:
            stream.response = self._response(block, stream, status)
        response = stream.response
        if response is not None and stream.grpc:
            _add_grpc_status(response, block.headers)
        if block.ends:
            self.ended(moment, False, block.stream)
        elif response is not None:
            self._budget.grow(stream.request, block.size)
            if not stream.grpc and not response.awaits_count:
                self._telling.response(moment, response)

    def _response(self, block: Block, stream: Stream, status: int) -> Response:
        own = {"http_flavor": "2.0", "http_stream": block.stream}
        headers, patterns = block.headers, self._telling.patterns
        response = described_response(
            block.began_ns, stream.request, status, own, headers, headers.length(), patterns
        )
        stream.counts[False] = 0 if response.is_counted else None
        return response

    def _tell(self, moment: Moment, stream: Stream) -> None:
        self._telling.request(moment, stream.request)
        if stream.response is not None:
            self._telling.response(moment, stream.response)


def _status(headers: Headers) -> int:
    """Return the status; 0: it is not there."""
    code = headers.get(b":status")
    return int(code) if len(code) == len("200") and code.isascii() and code.isdigit() else 0


def _is_grpc(headers: Headers) -> bool:
    """Return whether it is a call of gRPC: application/grpc, with + or ; or nothing after it."""
    kind = headers.get(b"content-type")
    return kind.startswith("application/grpc") and kind[16:17] in ("", "+", ";")


def _add_grpc_status(response: Response, headers: Headers) -> None:
    """Add how a call ended: said after the body, or with the header if there is no body."""
    status, message = headers.get(b"grpc-status"), headers.get(b"grpc-message")
    fields: dict[str, Any] = response.fields
    if status.isascii() and status.isdigit() and len(status) <= len("16"):
        fields["grpc_status"] = int(status)
    if message:
        fields["grpc_message"] = unquote(message)
