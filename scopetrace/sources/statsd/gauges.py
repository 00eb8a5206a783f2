"""Gauges of one process: the value that a change by +5 or -5 changes."""

from __future__ import annotations

from math import isfinite

MOST_GAUGES = 10_000
"""Gauges whose value is remembered; the one that was longest unused is forgotten, and is 0."""


class Gauges:
    """The last value of each gauge; 0 before the first."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}

    def settle(self, name: str, tags: dict[str, str], value: float, relative: bool) -> float:
        """Return the value of a gauge after it was set, or changed by `value`.

        A change that would make it infinite is ignored.
        """
        key = (name, frozenset(tags.items()))
        before = self._values.pop(key, 0.0)
        if len(self._values) >= MOST_GAUGES:
            del self._values[next(iter(self._values))]
        after = before + value if relative else value
        self._values[key] = after if isfinite(after) else before
        return self._values[key]
