"""Metric events: each measure is emitted as an event as it comes, besides being summed up.

Such an event has what a sample has, whatever the verbosity: all tags, and of means the mean over
the operations that were measured at once. The owner of the process is in every event anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scopetrace.metrics.meter import Meter
from scopetrace.metrics.verbosity import MEANS
from scopetrace.model.image import Image
from scopetrace.model.metric import METRICS, TAGS

EmitMetric = Callable[[Image, int, str, dict[str, Any]], object]
"""Takes (image, Unix time in ns, name of the metric, data of an event)."""

_TYPES = {"fs.read": "histogram", "fs.write": "histogram"}
"""Types that AppScope gives to single values, though their sums are counters."""
_IN_EVERY_EVENT = frozenset(("uid", "username", "gid", "groupname", "args"))


class WatchedMeter(Meter):
    """A meter that also emits every measure as an event.

    Args:
        period_ns: length of a period.
        ensure_process: called with an image before its first sample; perhaps more than once.
        emit: takes each measure.
    """

    def __init__(
        self, period_ns: int, ensure_process: Callable[[Image], object], emit: EmitMetric
    ) -> None:
        super().__init__(period_ns, ensure_process)
        self._emit = emit

    def measure_with(
        self,
        image: Image,
        time_ns: int,
        name: str,
        value: float,
        numops: int,
        tags: tuple[Any, ...],
    ) -> None:
        """Count a measure and emit it."""
        super().measure_with(image, time_ns, name, value, numops, tags)
        _kind, sort, unit, known = METRICS[name]
        mean = value / numops if sort in MEANS and numops > 1 else value
        data = {
            tag: text
            for tag, text in zip(TAGS[name], tags, strict=True)
            if text is not None and tag not in _IN_EVERY_EVENT
        }
        if "numops" in known:
            data["numops"] = numops
        kind = _TYPES.get(name, sort)
        self._emit_event(image, time_ns, name, kind, mean, {**data, "unit": unit})

    def measure_own(
        self, image: Image, time_ns: int, name: str, type: str, value: float, tags: dict[str, str]
    ) -> None:
        """Count a measure of the program's own and emit it."""
        super().measure_own(image, time_ns, name, type, value, tags)
        self._emit_event(image, time_ns, name, type, value, tags)

    def sample(self, image: Image, time_ns: int, name: str, value: float) -> None:
        """Add a sample and emit it."""
        super().sample(image, time_ns, name, value)
        _kind, sort, unit, _tags = METRICS[name]
        if value:
            self._emit_event(image, time_ns, name, sort, value, {"unit": unit})

    def _emit_event(
        self, image: Image, time_ns: int, name: str, sort: str, value: float, more: dict[str, Any]
    ) -> None:
        data = {**more, "_metric": name, "_metric_type": sort, "_value": value}
        self._emit(image, time_ns, name, data)
