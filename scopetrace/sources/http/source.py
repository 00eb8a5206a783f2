"""Http: the requests and responses of every flow that speaks HTTP, whichever side this is."""

from __future__ import annotations

from typing import ClassVar

from scopetrace.model.flow import Flow
from scopetrace.model.operation import Image
from scopetrace.sources.base import Mode, Needs, Reader, Source
from scopetrace.sources.http.messages import HTTP
from scopetrace.sources.http.reader import HttpReader

PROTOCOL = "HTTP"

SEES_FLOWS = {
    "net": Mode.ALL, "close": Mode.ALL, "fd": Mode.ALL, "read": Mode.ALL, "write": Mode.ALL,
    "move": Mode.ALL,
}  # fmt: skip


class HttpSource(Source):
    """Makes http.* events and samples."""

    sourcetype = HTTP
    needs: ClassVar[Needs] = {"http.req": SEES_FLOWS, "http.resp": SEES_FLOWS}

    def reader(self, image: Image, flow: Flow, protocol: str) -> Reader | None:
        """Return a reader of HTTP, if its events or its samples are wanted."""
        if protocol != PROTOCOL:
            return None
        rules = image.rules
        wanted = any(rules.wants(HTTP, name) for name in self.needs) or HTTP in rules.measures
        return HttpReader(self.outlet, image, flow) if wanted else None


SOURCE = HttpSource
