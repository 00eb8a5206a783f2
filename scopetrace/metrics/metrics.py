"""All metrics of a session: the meter, and the processes that it samples once a period."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scopetrace.metrics.meter import Meter
from scopetrace.metrics.processes import Processes
from scopetrace.metrics.watched import EmitMetric, WatchedMeter
from scopetrace.model.image import Image
from scopetrace.model.operation import Exited, ImageEnded, Leaving

SECOND_NS = 1_000_000_000


class Metrics:
    """Takes measures, gives samples.

    Args:
        period_s: the `summaryperiod` of the configuration.
        ensure_process: called with an image before its first sample; perhaps more than once.
        emit: takes each measure as the data of an event; None: no rule wants metric events.
    """

    def __init__(
        self,
        period_s: int,
        ensure_process: Callable[[Image], object],
        emit: EmitMetric | None = None,
    ) -> None:
        period_ns = period_s * SECOND_NS
        self.meter = (
            WatchedMeter(period_ns, ensure_process, emit)
            if emit
            else Meter(period_ns, ensure_process)
        )
        """Takes the measures."""
        self._processes = Processes(self.meter)
        self.process_written = self._processes.process_written
        """To be called with each image that has a row in the session."""
        self.take = self.meter.take
        """Return the samples since the last time."""

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return what is done with operations, after all sources have seen them."""
        return {
            Leaving: self._processes.on_leaving,
            Exited: self._processes.on_exited,
            ImageEnded: self._on_image_ended,
        }

    def tick(self, now_ns: int) -> None:
        """Let time pass; `now_ns` is Unix time."""
        self.meter.end_period(now_ns)
        self._processes.tick(now_ns)

    def finish(self, now_ns: int) -> None:
        """End the session."""
        self.meter.finish(now_ns)

    def _on_image_ended(self, operation: ImageEnded) -> None:
        self._processes.on_image_ended(operation)
        self.meter.end(operation.image, operation.time_ns, operation.replaced)
