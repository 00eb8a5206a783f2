"""A bar graph of one metric over time, drawn with block characters.

Bars are as wide as the terminal allows, up to MAX_BAR_WIDTH. If there are more values than columns,
neighbouring values are averaged. The scale begins at 0, or at the lowest value if that is below 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from scopetrace.output.metrics import format_number
from scopetrace.output.units import format_stamp

HEIGHT = 10
"""Lines of the graph."""
MAX_BAR_WIDTH = 6
"""Columns of one bar at most."""
EIGHTHS = " ▁▂▃▄▅▆▇█"


def draw_graph(title: str, points: Sequence[tuple[int, float]], width: int) -> list[str]:
    """Return the lines of a graph.

    Args:
        title: its first line.
        points: (unix second, value), at least one, in the order of time.
        width: columns of the terminal.
    """
    values = [value for _, value in points]
    low, high = min(0, *values), max(0, *values)
    labels = [format_number(high), *[""] * (HEIGHT - 2), format_number(low)]
    margin = max(map(len, labels))
    bars = _averaged(values, max(width - margin - 2, 1))
    thick = max(1, min(MAX_BAR_WIDTH, (width - margin - 2) // len(bars)))
    heights = [_eighths(bar, low, high) for bar in bars]
    lines = [
        f"{label:>{margin}} ┤"
        + "".join(_block(height, level) * thick for height in heights).rstrip()
        for level, label in zip(reversed(range(HEIGHT)), labels, strict=True)
    ]
    return [title, *lines, " " * (margin + 2) + _span(points, len(bars) * thick)]


def _averaged(values: list[float], most: int) -> list[float]:
    """Return at most `most` values, each the mean of equally many neighbours, or one less."""
    count = min(len(values), most)
    edges = [at * len(values) // count for at in range(count + 1)]
    parts = [values[start:end] for start, end in pairwise(edges)]
    return [sum(part) / len(part) for part in parts]


def _eighths(value: float, low: float, high: float) -> int:
    """Return the height of a bar in eighths of a line, at least 1 if the value is not `low`."""
    if high == low:
        return 0
    height = round((value - low) / (high - low) * HEIGHT * 8)
    return max(height, 1) if value > low else height


def _block(height: int, level: int) -> str:
    return EIGHTHS[max(0, min(8, height - 8 * level))]


def _span(points: Sequence[tuple[int, float]], width: int) -> str:
    """Return the first and the last time, below both ends of the graph."""
    first, last = format_stamp(points[0][0]), format_stamp(points[-1][0])
    if first == last:
        return first
    return f"{first}{last:>{max(width - len(first), len(last) + 1)}}"
