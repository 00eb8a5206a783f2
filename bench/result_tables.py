"""The results as tables that can go into a README."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable

from figures import Figure
from tabulate import tabulate
from workloads import Comparison


def print_comparison(results: list[Comparison], rounds: int) -> None:
    """Print each workload's median times and the ratios that matter."""
    rows = [
        (
            result.workload.name,
            *(spell(s, result.workload.operations) for s in times(result)),
            ratio(result.scopetrace_s, result.native_s),
            ratio(result.gate_s, result.native_s),
            share(result.gated),
            ratio(result.scopetrace_s, result.strace_s),
        )
        for result in results
    ]
    headings = (
        *("", "native", "without gate", "with gate", "strace"),
        *("without ÷ native", "with ÷ native", "gated", "without ÷ strace"),
    )
    print(f"\nLinux {platform.release()}, {os.cpu_count()} CPUs, medians of {rounds} rounds:\n")
    print(tabulate(rows, headings, tablefmt="github", disable_numparse=True))


def print_figures(figures: Iterable[Figure], heading: str) -> None:
    """Print single measurements, beside their targets or costs."""
    rows = [(figure.name, figure.value, figure.aim) for figure in figures]
    print()
    print(tabulate(rows, ("", "measured", heading), tablefmt="github", disable_numparse=True))


def times(result: Comparison) -> tuple[float, float, float, float | None]:
    """Return the four times in the order of the columns."""
    return result.native_s, result.scopetrace_s, result.gate_s, result.strace_s


def spell(seconds: float | None, operations: int) -> str:
    """Return the time of one operation, in the unit that fits it."""
    if seconds is None:
        return "-"
    each = seconds / operations
    if each < 1e-3:
        return f"{each * 1e6:.2f} µs"
    return f"{each * 1e3:.0f} ms" if each < 1 else f"{each:.2f} s"


def share(part: float | None) -> str:
    """Return a share in percent."""
    return "-" if part is None else f"{100 * part:.1f} %"


def ratio(a: float, b: float | None) -> str:
    """Return a ÷ b."""
    return "-" if b is None else f"{a / b:.2f}"
