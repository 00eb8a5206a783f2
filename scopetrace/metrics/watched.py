"""Metric events: each measure told by itself, as it comes, besides being summed up.

What is told is what a sample has, at no verbosity: all tags, and of means the mean over the
operations that were measured at once. Who the process belongs to stands in every event anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scopetrace.metrics.meter import Meter
from scopetrace.metrics.verbosity import MEANS
from scopetrace.model.image import Image
from scopetrace.model.metric import METRICS

Told = Callable[[Image, int, str, dict[str, Any]], object]
"""Takes (image, Unix time in ns, name of the metric, data of an event)."""

_TYPES = {"fs.read": "histogram", "fs.write": "histogram"}
"""Types that AppScope gives to single values, though their sums are counters."""
_IN_EVERY_EVENT = frozenset(("uid", "username", "gid", "groupname", "args"))


class WatchedMeter(Meter):
    """A meter that tells every measure.

    Args:
        period_ns: length of a period.
        began: told of an image before its first sample; perhaps more than once.
        told: takes the measures.
    """

    def __init__(self, period_ns: int, began: Callable[[Image], object], told: Told) -> None:
        super().__init__(period_ns, began)
        self._told = told

    def measure(
        self, image: Image, time_ns: int, name: str, value: float, numops: int = 1, **tags: Any
    ) -> None:
        """Count a measure and tell it."""
        super().measure(image, time_ns, name, value, numops, **tags)
        _kind, sort, unit, known = METRICS[name]
        mean = value / numops if sort in MEANS and numops > 1 else value
        data = {
            tag: said
            for tag, said in tags.items()
            if said is not None and tag not in _IN_EVERY_EVENT
        }
        if "numops" in known:
            data["numops"] = numops
        kind = _TYPES.get(name, sort)
        self._tell_event(image, time_ns, name, kind, mean, {**data, "unit": unit})

    def measure_own(
        self, image: Image, time_ns: int, name: str, type: str, value: float, tags: dict[str, str]
    ) -> None:
        """Count a measure of the program's own and tell it."""
        super().measure_own(image, time_ns, name, type, value, tags)
        self._tell_event(image, time_ns, name, type, value, tags)

    def tell(self, image: Image, time_ns: int, name: str, value: float) -> None:
        """Take a value that is a sample already, and tell it."""
        super().tell(image, time_ns, name, value)
        _kind, sort, unit, _tags = METRICS[name]
        if value:
            self._tell_event(image, time_ns, name, sort, value, {"unit": unit})

    def _tell_event(
        self, image: Image, time_ns: int, name: str, sort: str, value: float, more: dict[str, Any]
    ) -> None:  # fmt: skip
        data = {**more, "_metric": name, "_metric_type": sort, "_value": value}
        self._told(image, time_ns, name, data)
