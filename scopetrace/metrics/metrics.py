"""All metrics of a session: the meter, the processes, and when they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scopetrace.metrics.meter import Meter
from scopetrace.metrics.processes import Processes
from scopetrace.metrics.watched import Told, WatchedMeter
from scopetrace.model.image import Image
from scopetrace.model.operation import Exited, ImageEnded, Leaving

SECOND_NS = 1_000_000_000


class Metrics:
    """Takes measures, gives samples.

    Args:
        period_s: the `summaryperiod` of the configuration.
        began: told of an image before its first sample; perhaps more than once.
        told: takes each measure as the data of an event; None: nobody wants that.
    """

    def __init__(
        self, period_s: int, began: Callable[[Image], object], told: Told | None = None
    ) -> None:
        period_ns = period_s * SECOND_NS
        self._meter = WatchedMeter(period_ns, began, told) if told else Meter(period_ns, began)
        self._processes = Processes(self._meter)
        self.measure = self._meter.measure
        """See `source.Outlet`."""
        self.measure_own = self._meter.measure_own
        """See `source.Outlet`."""
        self.started = self._processes.started
        """To be told of each image that has a row in the session."""
        self.take = self._meter.take
        """Return the samples since the last time."""

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return what is done with operations, after all sources have seen them."""
        return {
            Leaving: self._processes.leaving,
            Exited: self._processes.exited,
            ImageEnded: self._ended,
        }

    def tick(self, now_ns: int) -> None:
        """Let time pass; `now_ns` is Unix time."""
        self._meter.turn(now_ns)
        self._processes.tick(now_ns)

    def finish(self, now_ns: int) -> None:
        """End the session."""
        self._meter.finish(now_ns)

    def _ended(self, operation: ImageEnded) -> None:
        self._processes.ended(operation)
        self._meter.end(operation.image, operation.time_ns, operation.replaced)
