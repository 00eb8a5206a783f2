"""Messages become events and samples: each once, and a request always before its response.

Events bear the time at which their message began; samples the time at which they could be taken.
"""

from __future__ import annotations

from typing import Any

from scopetrace.model.flow import Flow
from scopetrace.model.flow_fields import flow_fields
from scopetrace.protocols.http.headers import Patterns
from scopetrace.protocols.http.messages import HTTP, Moment, Request, Response
from scopetrace.source import Outlet
from scopetrace.streams.net_app import tell_spoken


class Telling:
    """Tells what happened in one flow.

    Args:
        outlet: takes events and measures.
        flow: that is read.
        client: whether this side asks.
        patterns: find the header fields that events shall have.
        memory: bytes of the flow that may be held.
    """

    def __init__(
        self, outlet: Outlet, flow: Flow, client: bool, patterns: Patterns, memory: int
    ) -> None:
        self.patterns = patterns
        self.memory = memory
        self._outlet = outlet
        self._flow = flow
        self._side = "client" if client else "server"
        self._spoken: set[str] = set()
        self.messages = 0
        """That were told, or would have been if they were wanted."""

    def spoken(self, moment: Moment, protocol: str) -> None:
        """Tell what is spoken by means of HTTP, unless that was done."""
        image, tid, time_ns = moment
        if protocol not in self._spoken and tell_spoken(
            self._outlet, image, time_ns, tid, self._flow, protocol, {}
        ):
            self._spoken.add(protocol)

    def request(self, moment: Moment, request: Request) -> None:
        """Tell a request, unless that was done."""
        if request.told:
            return
        request.told = True
        self.messages += 1
        length = request.length
        if moment.image.rules.wants(HTTP, "http.req"):
            data = dict(request.fields)
            if length is not None:
                data["http_request_content_length"] = length
            self._emit(moment, request.began_ns, "http.req", data)
        if length is not None:
            self._measure(moment, "http.req.content_length", length, **_target(request))

    def response(self, moment: Moment, response: Response) -> None:
        """Tell a response, unless that was done; and its request before it."""
        if response.told:
            return
        response.told = True
        self.messages += 1
        request, length = response.request, response.length
        duration_us = None
        if request is not None:
            self.request(moment, request)
            duration_us = max(0, response.began_ns - request.headed_ns) // 1000
        if moment.image.rules.wants(HTTP, "http.resp"):
            data = dict(response.fields)
            if duration_us is not None:
                data[f"http_{self._side}_duration"] = duration_us // 1000
                data["http_duration_us"] = duration_us
            if length is not None:
                data["http_response_content_length"] = length
            self._emit(moment, response.began_ns, "http.resp", data)
        if HTTP in moment.image.rules.measures:
            self._measure_response(moment, response, duration_us)

    def _emit(self, moment: Moment, began_ns: int, name: str, data: dict[str, Any]) -> None:
        image, tid, _ = moment
        data.update(flow_fields(self._flow))
        self._outlet.emit(image, began_ns, tid, HTTP, name, self._flow.opened_ns, data)

    def _measure_response(
        self, moment: Moment, response: Response, duration_us: int | None
    ) -> None:
        target = _target(response.request)
        self._measure(moment, "http.req", 1, **target, http_status_code=response.status)
        if duration_us is not None:
            self._measure(moment, f"http.duration.{self._side}", duration_us / 1000, **target)
        if response.length is not None:
            self._measure(moment, "http.resp.content_length", response.length, **target)

    def _measure(self, moment: Moment, name: str, value: float, **tags: Any) -> None:
        image, _, time_ns = moment
        if HTTP in image.rules.measures:
            self._outlet.measure(image, time_ns, name, value, 1, **tags)


def _target(request: Request | None) -> dict[str, str]:
    """Return the tag that says what was asked for, without its query."""
    return {} if request is None else {"http_target": request.target.partition("?")[0]}
