"""Statsd: the metrics that programs send by themselves become metrics of theirs; no events."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scopetrace.model.flow import Flow
from scopetrace.model.image import Image
from scopetrace.model.metric import MEMBER
from scopetrace.model.operation import ImageEnded
from scopetrace.source import Handlers, Mode, Needs, Outlet, Reader, Source
from scopetrace.sources.statsd.gauges import Gauges

if TYPE_CHECKING:
    from scopetrace.protocols.statsd import Value

STATSD = "statsd"

SENDING = dict.fromkeys(("close", "fd", "write", "move", "net", "send"), Mode.ALL)
"""What it takes to follow sockets and what is sent through them."""


class StatsdSource(Source):
    """Makes samples of what is sent in StatsD's format."""

    sourcetype = STATSD
    measures = STATSD
    needs: ClassVar[Needs] = {STATSD: SENDING}

    def __init__(self, outlet: Outlet) -> None:
        super().__init__(outlet)
        self._gauges: dict[Image, Gauges] = {}

    def handlers(self) -> Handlers:
        """Return what this source does with operations."""
        return {ImageEnded: self._ended}

    def reader(self, image: Image, flow: Flow, protocol: str) -> Reader | None:
        """Return a reader for a flow of StatsD, if its metrics are wanted."""
        if protocol != "STATSD" or STATSD not in image.rules.measures:
            return None
        # Takes time to import, which only programs that send StatsD should cost.
        from scopetrace.sources.statsd.reader import StatsdReader

        return StatsdReader(self.outlet, flow, self._take)

    def _ended(self, operation: ImageEnded) -> None:
        self._gauges.pop(operation.image, None)

    def _take(self, image: Image, time_ns: int, read: Value) -> None:
        name, kind, value, tags, relative, member = read
        if kind == "gauge":
            gauges = self._gauges.get(image)
            if gauges is None:
                gauges = self._gauges[image] = Gauges()
            value = gauges.settle(name, tags, value, relative)
        if member:
            tags = {**tags, MEMBER: member}
        self.outlet.measure_own(image, time_ns, name, kind, value, tags)
