"""Rows as lines of one width: what a terminal gets of them, escaped."""

from __future__ import annotations

from collections.abc import Sequence

from scopetrace.output.answers import Column, shorten_middle, shown_columns
from scopetrace.output.escape import escape
from scopetrace.output.width import display_width, shorten

GAP = "  "
LEAST_LAST = 12
"""Columns that the last cell of a row has at least."""
_MOST_CHARACTERS = 2_000
"""Of a cell; no terminal shows more of it."""


class Layout:
    """Widths of the columns of one view on a terminal of one width; they only grow."""

    def __init__(self, columns: Sequence[Column], width: int) -> None:
        self._width = width
        self._shown = shown_columns(columns, width)
        self._columns = [columns[at] for at in self._shown]
        self._widths = [len(column.heading) for column in self._columns]

    def lines(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """Return the heading and a line for each row."""
        cells = [[_text(row[at]) for at in self._shown] for row in rows]
        for at in range(len(self._widths)):
            widest = max((display_width(row[at]) for row in cells), default=0)
            self._widths[at] = max(self._widths[at], widest)
        widths = self._fitting()
        heading = [column.heading for column in self._columns]
        return [self._line(row, widths) for row in (heading, *cells)]

    def _fitting(self) -> list[int]:
        """Return the widths of all columns but the last, the widest cut so that all fit."""
        widths = self._widths[:-1]
        room = max(self._width - LEAST_LAST - len(GAP) * len(widths), len(widths))
        while (excess := sum(widths) - room) > 0:
            widest = max(widths)
            next_widest = max((width for width in widths if width < widest), default=0)
            at = widths.index(widest)
            widths[at] -= min(excess, max(widest - next_widest, 1))
        return widths

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        parts = [
            _fit(cell, width, column.right)
            for cell, width, column in zip(cells, widths, self._columns, strict=False)
        ]
        used = sum(widths) + len(GAP) * len(widths)
        parts.append(shorten_middle(cells[-1], max(self._width - used, LEAST_LAST)))
        return shorten(GAP.join(parts), self._width)


def _text(cell: str) -> str:
    return escape(cell[:_MOST_CHARACTERS])


def _fit(text: str, width: int, right: bool) -> str:
    text = shorten(text, width)
    padding = " " * (width - display_width(text))
    return padding + text if right else text + padding
