"""Metrics: what sources measure, summed up for each process and period.

Pure but for one module: only `proc` looks at the system, and only at /proc and CPU clocks.
"""

from __future__ import annotations

from scopetrace.metrics.metrics import Metrics

__all__ = ["Metrics"]
