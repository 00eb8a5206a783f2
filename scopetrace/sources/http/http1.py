"""HTTP/1.0 and 1.1 (RFC 9112): requests one way, responses the other, and which answers which.

A response answers the request that has waited longest. It answers none if none waits: servers send
such (408, or 400 to what is no request). Once a side was lost, that several requests wait may mean
that a response was lost, so none is said to be answered until they are sent one at a time again;
nor is one if both sides were lost while it waited. A client that was seen to send several at once
may always have sent another.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

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
    Message,
    Moment,
    Request,
    Response,
    Unreadable,
)
from scopetrace.protocols.http.side import Bytes, Side
from scopetrace.sources.http.describe import described_request, described_response
from scopetrace.sources.http.http2 import Http2
from scopetrace.sources.http.telling import Telling

CONTINUE = "100-continue"
AFTER_LOSS = "http_after_loss"
"""The field of messages of a side that was lost before them."""
TRUNCATED = "http_truncated"
"""The field of messages whose head is too long to be kept whole."""


class Waiting:
    """The requests that await their response, in order."""

    def __init__(self, most_bytes: int) -> None:
        self._lost: set[type[TalkingSide]] = set()
        """Sides of which a message may have been missed."""
        self._pipelined = False
        """Several have waited when nothing had been missed."""
        self._budget = Budget(most_bytes)
        self._requests: deque[Request] = deque()

    def doubt(self, side: type[TalkingSide]) -> None:
        """Learn that a side was lost."""
        self._lost.add(side)

    def add(self, request: Request) -> None:
        """Let a request wait."""
        if not self._requests and not self._pipelined:
            self._lost.clear()
        self._budget.take(request)
        self._requests.append(request)

    def proceed(self) -> None:
        """Let the request that has waited longest have its body."""
        if self._requests:
            self._requests[0].expects = False

    def next(self) -> Request | None:
        """Return the request that a response answers, which no longer waits."""
        if not self._lost:
            self._pipelined = self._pipelined or len(self._requests) > 1
        elif self._pipelined or len(self._lost) + len(self._requests) > 2:
            self.forget()
        if not self._requests:
            return None
        request = self._requests.popleft()
        self._budget.give(request)
        return request

    def forget(self) -> None:
        """Let none wait."""
        for request in self._requests:
            self._budget.give(request)
        self._requests.clear()


class TalkingSide(Side):
    """A side that tells, and knows who waits. Interim responses do not count as speaking."""

    def __init__(self, telling: Telling, waiting: Waiting) -> None:
        super().__init__()
        self.telling = telling
        self.waiting = waiting

    def lose(self) -> None:
        """Look for a message, and doubt that there was none before it."""
        super().lose()
        self.waiting.doubt(type(self))


class RequestSide(TalkingSide):
    """What the client sends."""

    answered_ahead = False
    """The request whose head has begun was answered before it was whole."""
    first_line = REQUEST_LINE
    later_first_line = LATER_REQUEST_LINE
    long_first_line = LONG_REQUEST_LINE

    def begin(
        self, moment: Moment, began_ns: int, start: re.Match[bytes], headers: Headers, size: int
    ) -> None:
        """Take a whole head."""
        method, target, version = map(text, start.groups())
        declared = headers.length()
        shared: dict[str, Any] = {
            "http_method": method, "http_target": target, "http_scheme": "http",
        }  # fmt: skip
        if self.resumed:
            shared[AFTER_LOSS] = True
        if self.truncated:
            shared[TRUNCATED] = True
        host = headers.get(b"host")
        if host:
            shared["http_host"] = host
        times, own = (began_ns, moment.time_ns), {"http_flavor": version}
        request = described_request(
            times, shared, own, headers, declared, self.telling.patterns, size
        )
        request.expects = headers.get(b"expect").lower() == CONTINUE
        if self.answered_ahead:
            self.answered_ahead = False
        else:
            self.waiting.add(request)
        self.spoke = True
        body = _framed_body(headers, declared)
        if body is not None:
            self.expect(request, body)
        if body is None or declared is not None:
            self.telling.request(moment, request)
        if headers.misleads():
            self.lose()

    def _take_body(self, moment: Moment, body: Body, buffer: Bytes, position: int) -> int:
        """Take what a refused request is followed by, if not by its body, for what it is."""
        request = self._message
        if isinstance(request, Request) and request.refused and not body.counted:
            if BEGUN_REQUEST_LINE.fullmatch(buffer, position):
                return position
            if self.later_first_line.match(buffer, position):
                self.leave(moment)
                self.resumed = True
                return self._take_head(moment, buffer, position)
            request.refused = False
        return super()._take_body(moment, body, buffer, position)

    def complete(self, moment: Moment, message: Message) -> None:
        """Tell a message that has all its body."""
        assert isinstance(message, Request)
        self.telling.request(moment, message)


class ResponseSide(TalkingSide):
    """What the server sends."""

    first_line = STATUS_LINE

    def __init__(self, telling: Telling, waiting: Waiting, requests: RequestSide) -> None:
        super().__init__(telling, waiting)
        self._requests = requests

    later_first_line = LATER_STATUS_LINE
    long_first_line = LONG_STATUS_LINE

    def begin(
        self, moment: Moment, began_ns: int, start: re.Match[bytes], headers: Headers, size: int
    ) -> None:
        """Take a whole head."""
        version, code, reason = start.groups()
        status = int(code)
        if status < 200 and status != 101:
            if status == 100:
                self.waiting.proceed()
            return
        if status == 101 and headers.get(b"upgrade").lower() == "h2c":
            self.switched = "h2c"
            return
        own: dict[str, Any] = {"http_flavor": text(version)}
        if self.resumed:
            own[AFTER_LOSS] = True
        if self.truncated:
            own[TRUNCATED] = True
        if reason:
            own["http_status_text"] = text(reason)
        declared = headers.length()
        request = self.waiting.next()
        if request is None:
            self._requests.answered_ahead = self._requests.is_amid_head
        else:
            request.refused = request.expects and status >= 400
        response = described_response(
            began_ns, request, status, own, headers, declared, self.telling.patterns
        )
        self._follow(moment, response, headers)

    def _follow(self, moment: Moment, response: Response, headers: Headers) -> None:
        """Set what follows the head."""
        self.spoke = True
        misled = response.declared is None and headers.misleads()
        if response.status == 101 or response.is_tunnel:
            self.switched, response.declared = "tunnel", None
        elif response.is_bare:
            pass
        elif misled:
            self.lose()
        elif response.declared != 0:
            self.expect(response, _framed_body(headers, response.declared) or UntilEnd())
        if self.body is None and response.is_counted and not misled:
            response.counted = 0
        if self.body is None or response.declared is not None:
            self.telling.response(moment, response)

    def turn(self, moment: Moment) -> None:
        """Doubt the body of a response to who knows what, if the next request comes before it."""
        response, nothing_came = self._message, self.body is not None and not self.body.counted
        if nothing_came and isinstance(response, Response) and response.request is None:
            self.leave(moment)
            self.lose()
        super().turn(moment)

    def complete(self, moment: Moment, message: Message) -> None:
        """Tell a message that has all its body."""
        assert isinstance(message, Response)
        self.telling.response(moment, message)


class Http1:
    """Both directions of a flow."""

    def __init__(self, telling: Telling) -> None:
        self.successor: Http2 | None = None
        self._telling = telling
        self._waiting = Waiting(telling.memory)
        self._requests = RequestSide(telling, self._waiting)
        self._responses = ResponseSide(telling, self._waiting, self._requests)

    @property
    def over(self) -> bool:
        """Whether there is no more HTTP to come."""
        return self._responses.switched == "tunnel"

    @property
    def passed_over(self) -> int:
        """Bytes of both directions that no message is known of."""
        return self._requests.untold + self._responses.untold

    def feed(self, moment: Moment, asking: bool, data: bytes) -> None:
        """Take the next bytes of the requests' direction, or of the responses'."""
        self._side(asking).feed(moment, data)
        self._take_turns(moment, asking)
        if self._responses.switched == "h2c":
            self._switch(moment)

    def skip(self, moment: Moment, asking: bool, size: int) -> None:
        """Go on after bytes that are not known."""
        self._side(asking).skip(moment, size)
        self._take_turns(moment, asking)

    def end(self, moment: Moment, asking: bool) -> None:
        """Let a direction end."""
        self._side(asking).end(moment)

    def close(self, moment: Moment) -> None:
        """Tell all that is not told yet."""
        self._requests.tell(moment)
        self._responses.tell(moment)

    def give_up(self, moment: Moment) -> None:
        """Tell all that is not told yet, of which no more will be known."""
        self._requests.leave(moment)
        self._responses.leave(moment)

    def _side(self, asking: bool) -> Side:
        return self._requests if asking else self._responses

    def _take_turns(self, moment: Moment, asking: bool) -> None:
        side = self._side(asking)
        if side.spoke:
            side.spoke = False
            self._side(not asking).turn(moment)

    def _switch(self, moment: Moment) -> None:
        """Go on in HTTP/2, whose first stream is the request that asked for it (RFC 7540, 3.2)."""
        if self._requests.body is not None:
            raise Unreadable("the protocol was switched amid a request")
        rest = {asking: self._side(asking).unread.take() for asking in (True, False)}
        self.successor = Http2(self._telling, self._waiting.next(), self.passed_over)
        for asking, data in rest.items():
            self.successor.feed(moment, asking, data)


def _framed_body(headers: Headers, declared: int | None) -> Body | None:
    """Return the body that the fields announce; None: they announce none."""
    coding = headers.coding()
    if coding:
        return Chunked() if coding == "chunked" else UntilEnd()
    return Fixed(declared) if declared else None
