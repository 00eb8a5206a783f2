"""Metrics: what sources measure, summed up for each process and period.

Only the module `proc` asks the system, and only /proc and CPU clocks.
"""

from __future__ import annotations

from scopetrace.metrics.metrics import Metrics

__all__ = ["Metrics"]
