"""Http: the requests and responses of every flow that is HTTP, whichever side the program is."""

from __future__ import annotations

from typing import ClassVar

from scopetrace.model.flow import Flow
from scopetrace.model.image import Image
from scopetrace.source import FLOW_CALLS, Needs, Reader, Source
from scopetrace.sources.http.names import HTTP

PROTOCOL = "HTTP"
EVENTS = ("http.req", "http.resp")


class HttpSource(Source):
    """Makes http.* events and samples."""

    sourcetype = HTTP
    measures = HTTP
    needs: ClassVar[Needs] = dict.fromkeys(EVENTS, FLOW_CALLS)

    def reader(self, image: Image, flow: Flow, protocol: str) -> Reader | None:
        """Return a reader of HTTP, if its events or its samples are wanted."""
        if protocol != PROTOCOL:
            return None
        rules = image.rules
        wanted = any(rules.wants(HTTP, name) for name in EVENTS) or HTTP in rules.measures
        if not wanted:
            return None
        # Takes time to import, which only programs that speak HTTP should cost.
        from scopetrace.sources.http.reader import HttpReader

        return HttpReader(self.outlet, image, flow)
