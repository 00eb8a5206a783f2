"""HttpEmitter: the messages of one flow become events and samples.

Each is emitted once, and a request always before its response. Events bear the time at which their
message began; samples the time at which they could be taken.
"""

from __future__ import annotations

from typing import Any

from scopetrace.model.flow import Flow
from scopetrace.model.form import Data
from scopetrace.model.image import Image
from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.messages import Request, Response
from scopetrace.source import Outlet
from scopetrace.sources.http.fields import (
    RESPONSE,
    Patterns,
    note_request,
    note_wanted,
    request_data,
    response_data,
)
from scopetrace.sources.http.names import HTTP
from scopetrace.streams.net_app import emit_net_app

GRPC = "gRPC"


class HttpEmitter:
    """Emits what happened in one flow (`messages.Emitter`).

    Args:
        outlet: takes events and measures.
        flow: that is read.
        is_client: whether the program sends the requests.
        patterns: find the header fields that events shall have.
        image: the process that transferred the bytes which are being read.
    """

    def __init__(
        self, outlet: Outlet, flow: Flow, is_client: bool, patterns: Patterns, image: Image
    ) -> None:
        self.messages = 0
        """That were emitted, or would have been if they were wanted."""
        self._outlet = outlet
        self._flow = flow
        side = "client" if is_client else "server"
        self._duration = f"http.duration.{side}"
        self._response_form = RESPONSE[side]
        self._patterns = patterns
        self._is_grpc = False
        """There was a net.app of it."""
        self._image = image
        self._tid = 0
        self._time_ns = 0

    def set_moment(self, image: Image, tid: int, time_ns: int) -> None:
        """Set which thread transferred the bytes that are being read, and when."""
        self._image, self._tid, self._time_ns = image, tid, time_ns

    def grpc(self) -> None:
        """Emit a net.app of gRPC, once."""
        if not self._is_grpc:
            self._is_grpc = emit_net_app(
                self._outlet, self._image, self._time_ns, self._tid, self._flow, GRPC, {}
            )

    def request_began(self, request: Request, headers: Headers) -> None:
        """Take what is wanted of a request's header."""
        request.noted = note_request(headers, self._patterns)

    def response_began(self, response: Response, headers: Headers) -> None:
        """Take what is wanted of a response's header."""
        response.noted = note_wanted(headers, self._patterns)

    def request(self, request: Request) -> None:
        """Emit a request, unless that was done."""
        if request.emitted:
            return
        request.emitted = True
        self.messages += 1
        length, rules = request.length, self._image.rules
        if rules.wants(HTTP, "http.req"):
            self._emit(request.began_ns, "http.req", request_data(request, self._flow))
        if length is not None:
            self._measure("http.req.content_length", length, (_target(request),))

    def response(self, response: Response) -> None:
        """Emit a response, unless that was done, and its request before it."""
        if response.emitted:
            return
        response.emitted = True
        self.messages += 1
        request = response.request
        duration_us = None
        if request is not None:
            self.request(request)
            duration_us = max(0, response.began_ns - request.headed_ns) // 1000
        rules = self._image.rules
        if rules.wants(HTTP, "http.resp"):
            data = response_data(response, self._flow, self._response_form, duration_us)
            self._emit(response.began_ns, "http.resp", data)
        if HTTP in rules.measures:
            self._measure_response(response, duration_us)

    def _emit(self, began_ns: int, name: str, data: Data) -> None:
        self._outlet.emit(self._image, began_ns, self._tid, HTTP, name, self._flow.opened_ns, data)

    def _measure_response(self, response: Response, duration_us: int | None) -> None:
        target = _target(response.request)
        self._measure("http.req", 1, (target, response.status))
        if duration_us is not None:
            self._measure(self._duration, duration_us / 1000, (target,))
        if response.length is not None:
            self._measure("http.resp.content_length", response.length, (target,))

    def _measure(self, name: str, value: float, tags: tuple[Any, ...]) -> None:
        rules = self._image.rules
        if HTTP in rules.measures:
            self._outlet.measure_with(self._image, self._time_ns, name, value, 1, tags)


def _target(request: Request | None) -> str | None:
    """Return the tag http_target: the target of a request without its query."""
    return None if request is None else request.target.partition("?")[0]
