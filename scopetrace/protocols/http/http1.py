"""HTTP/1.0 and 1.1 (RFC 9112): requests one way, responses the other, and which answers which.

Which request a response answers:

1. The one that has waited longest.
2. None, if none waits: servers send such (408, or 400 to what is no request).
3. None, if requests were pipelined and a side was out of sync since: a response may have been lost
   among the missing bytes. So it is for every request until one is sent while none waits; and for
   good once the client was seen to pipeline in sync, since it may always have sent another.
4. None, if both sides were out of sync while the request waited.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from scopetrace.protocols.http.bodies import Body, Chunked, Fixed, UntilEnd
from scopetrace.protocols.http.headers import Headers, text
from scopetrace.protocols.http.heads import (
    BEGUN_REQUEST_LINE,
    LATER_REQUEST_LINE,
    LATER_STATUS_LINE,
    LONG_REQUEST_LINE,
    LONG_STATUS_LINE,
    REQUEST_LINE,
    STATUS_LINE,
)
from scopetrace.protocols.http.messages import (
    Budget,
    Emitter,
    Message,
    Request,
    Response,
    Unreadable,
)
from scopetrace.protocols.http.side import Bytes, Side

if TYPE_CHECKING:
    from scopetrace.protocols.http.http2 import Http2

CONTINUE = "100-continue"


class PendingRequests:
    """The requests that await their response, in order."""

    def __init__(self, most_bytes: int) -> None:
        self._out_of_sync: set[type[Http1Side]] = set()
        """Sides of which a message may have been missed."""
        self._pipelined = False
        """Several have waited while all had been read."""
        self._budget = Budget(most_bytes)
        self._requests: deque[Request] = deque()

    def note_loss(self, side: type[Http1Side]) -> None:
        """Note that a side is out of sync."""
        self._out_of_sync.add(side)

    def add(self, request: Request) -> None:
        """Let a request wait."""
        if not self._requests and not self._pipelined:
            self._out_of_sync.clear()
        self._budget.take(request)
        self._requests.append(request)

    def note_continue(self) -> None:
        """Note that 100 Continue was answered to the request that has waited longest."""
        if self._requests:
            self._requests[0].expects_continue = False

    def take_answered(self) -> Request | None:
        """Remove and return the request that the next response answers."""
        if not self._out_of_sync:
            self._pipelined = self._pipelined or len(self._requests) > 1
        elif self._pipelined or len(self._out_of_sync) + len(self._requests) > 2:
            self.clear()
        if not self._requests:
            return None
        request = self._requests.popleft()
        self._budget.give(request)
        return request

    def clear(self) -> None:
        """Forget all."""
        for request in self._requests:
            self._budget.give(request)
        self._requests.clear()


class Http1Side(Side):
    """A side with its emitter, and the requests that wait. Interim responses are no progress."""

    def __init__(self, emitter: Emitter, pending: PendingRequests) -> None:
        super().__init__()
        self.emitter = emitter
        self.pending = pending

    def lose_sync(self) -> None:
        """Skip what comes, and note that a message may be missed."""
        Side.lose_sync(self)
        self.pending.note_loss(type(self))


class RequestSide(Http1Side):
    """What the client sends."""

    first_line = REQUEST_LINE
    later_first_line = LATER_REQUEST_LINE
    long_first_line = LONG_REQUEST_LINE

    def __init__(self, emitter: Emitter, pending: PendingRequests) -> None:
        super().__init__(emitter, pending)
        self.answered_ahead = False
        """The request whose head has begun was answered before it was whole."""

    def begin(self, began_ns: int, start: re.Match[bytes], headers: Headers, size: int) -> None:
        """Take a whole head."""
        method, target, version = map(text, start.groups())
        declared, host = headers.length, headers.get(b"host")
        times = (began_ns, self.received.now_ns)
        request = Request(version, times, method, target, "http", host, declared, size)
        request.after_loss, request.truncated = self.after_loss, self.truncated
        self.emitter.request_began(request, headers)
        request.expects_continue = headers.get(b"expect").lower() == CONTINUE
        if self.answered_ahead:
            self.answered_ahead = False
        else:
            self.pending.add(request)
        self.made_progress = True
        body = _framed_body(headers, declared)
        if body is not None:
            self.read_body(request, body)
        if body is None or declared is not None:
            self.emitter.request(request)
        if headers.misleads:
            self.lose_sync()

    def _take_body(self, body: Body, buffer: Bytes, position: int) -> int:
        """Take a body, or the request that follows a refused one instead of its body.

        After an error in place of 100 Continue the client need not send the body (RFC 9110,
        10.1.1), so the next bytes are one of these:

        1. The beginning of a line that may become a request line: wait for more.
        2. A request line: the refused request has no body, and a new request begins. That is
           inferred, so it counts as after a loss.
        3. Anything else: the body, sent all the same.
        """
        request = self._message
        if isinstance(request, Request) and request.refused and not body.counted:
            if BEGUN_REQUEST_LINE.fullmatch(buffer, position):
                return position
            if self.later_first_line.match(buffer, position):
                self.abandon_body()
                self.after_loss = True
                return self._take_head(buffer, position)
            request.refused = False
        return Side._take_body(self, body, buffer, position)

    def complete(self, message: Message) -> None:
        """Emit a request."""
        assert isinstance(message, Request)
        self.emitter.request(message)


class ResponseSide(Http1Side):
    """What the server sends."""

    first_line = STATUS_LINE
    later_first_line = LATER_STATUS_LINE
    long_first_line = LONG_STATUS_LINE

    def __init__(self, emitter: Emitter, pending: PendingRequests, requests: RequestSide) -> None:
        super().__init__(emitter, pending)
        self._requests = requests

    def begin(self, began_ns: int, start: re.Match[bytes], headers: Headers, size: int) -> None:
        """Take a whole head; an interim response makes no message."""
        version, code, reason = start.groups()
        status = int(code)
        if status < 200 and status != 101:
            if status == 100:
                self.pending.note_continue()
            return
        if status == 101 and headers.get(b"upgrade").lower() == "h2c":
            self.switched = "h2c"
            return
        request = self.pending.take_answered()
        if request is None:
            self._requests.answered_ahead = self._requests.is_in_head
        else:
            request.refused = request.expects_continue and status >= 400
        response = Response(text(version), began_ns, status, request, headers.length)
        response.after_loss, response.truncated = self.after_loss, self.truncated
        response.reason = text(reason) if reason else ""
        self.emitter.response_began(response, headers)
        self._read_what_follows(response, headers)

    def _read_what_follows(self, response: Response, headers: Headers) -> None:
        """Set what follows the head: a body, nothing, or something else than HTTP."""
        self.made_progress = True
        misled = response.declared is None and headers.misleads
        if response.status == 101 or response.is_tunnel:
            self.switched, response.declared = "tunnel", None
        elif response.is_bare:
            pass
        elif misled:
            self.lose_sync()
        elif response.declared != 0:
            self.read_body(response, _framed_body(headers, response.declared) or UntilEnd())
        if self.body is None and response.is_counted and not misled:
            response.counted = 0
        if self.body is None or response.declared is not None:
            self.emitter.response(response)

    def other_side_progressed(self) -> None:
        """Lose sync if the next request comes before the body of a response to no known one.

        It may answer a HEAD, and then has no body.
        """
        response, nothing_came = self._message, self.body is not None and not self.body.counted
        if nothing_came and isinstance(response, Response) and response.request is None:
            self.abandon_body()
            self.lose_sync()
        Side.other_side_progressed(self)

    def complete(self, message: Message) -> None:
        """Emit a response."""
        assert isinstance(message, Response)
        self.emitter.response(message)


class Http1:
    """Both directions of a flow.

    Args:
        emitter: takes the messages.
        most_bytes: of requests that may wait for their response.
    """

    request_side: ClassVar[type[RequestSide]] = RequestSide
    response_side: ClassVar[type[ResponseSide]] = ResponseSide

    def __init__(self, emitter: Emitter, most_bytes: int) -> None:
        self.successor: Http2 | None = None
        self._emitter = emitter
        self._most_bytes = most_bytes
        self._pending = PendingRequests(most_bytes)
        self._requests = self.request_side(emitter, self._pending)
        self._responses = self.response_side(emitter, self._pending, self._requests)

    @property
    def over(self) -> bool:
        """Whether no more HTTP follows."""
        return self._responses.switched == "tunnel"

    @property
    def unparsed(self) -> int:
        """Bytes of both directions that belong to no message, or to a head that is not whole."""
        sides = (self._requests, self._responses)
        return sum(side.unparsed + side.unfinished for side in sides)

    def feed(self, time_ns: int, from_client: bool, data: bytes) -> None:
        """Read the next bytes of a direction."""
        self._side(from_client).feed(time_ns, data)
        self._note_progress(from_client)
        if self._responses.switched == "h2c":
            self._switch(time_ns)

    def skip(self, from_client: bool, size: int) -> None:
        """Go on after missing bytes."""
        self._side(from_client).skip(size)
        self._note_progress(from_client)

    def end(self, from_client: bool) -> None:
        """End a direction."""
        self._side(from_client).end()

    def close(self) -> None:
        """Emit all that is not emitted yet, as far as it was read."""
        self._requests.complete_counted()
        self._responses.complete_counted()

    def give_up(self) -> None:
        """Emit all that is not emitted yet, of which no more will be known."""
        self._requests.abandon_body()
        self._responses.abandon_body()

    def upgraded_parser(self) -> type[Http2]:
        """Return the parser of HTTP/2, whose import only flows that use it should cost."""
        from scopetrace.protocols.http.http2 import Http2

        return Http2

    def _side(self, from_client: bool) -> Side:
        return self._requests if from_client else self._responses

    def _note_progress(self, from_client: bool) -> None:
        side = self._side(from_client)
        if side.made_progress:
            side.made_progress = False
            self._side(not from_client).other_side_progressed()

    def _switch(self, time_ns: int) -> None:
        """Go on in HTTP/2, whose first stream is the request that asked for it (RFC 7540, 3.2)."""
        if self._requests.body is not None:
            raise Unreadable("the protocol was switched amid a request")
        rest = {way: self._side(way).received.take() for way in (True, False)}
        upgraded, unparsed = self._pending.take_answered(), self.unparsed
        parser = self.upgraded_parser()
        self.successor = parser(self._emitter, self._most_bytes, upgraded, unparsed)
        for from_client, data in rest.items():
            self.successor.feed(time_ns, from_client, data)


def _framed_body(headers: Headers, declared: int | None) -> Body | None:
    """Return the body that the fields announce; None: they announce none."""
    coding = headers.coding
    if coding:
        return Chunked() if coding == "chunked" else UntilEnd()
    return Fixed(declared) if declared else None
