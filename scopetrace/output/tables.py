"""Tables without borders; headings are in capitals. All cells are escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scopetrace.output.escape import escape
from scopetrace.output.width import display_width


def format_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
) -> str:
    """Return a table, without a last newline.

    Args:
        headings: one for each column.
        rows: cells are shown as `str` shows them; None is an empty cell.
        right: headings of the columns that are aligned right (numbers).
    """
    cells = [["" if cell is None else escape(str(cell)) for cell in row] for row in rows]
    columns = [
        _padded(column, heading in right)
        for heading, column in zip(headings, zip(headings, *cells, strict=True), strict=True)
    ]
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _padded(cells: Sequence[str], right: bool) -> list[str]:
    """Return the cells of a column, all of one width."""
    widths = list(map(display_width, cells))
    width = max(widths)
    if right:
        return [" " * (width - own) + cell for cell, own in zip(cells, widths, strict=True)]
    return [cell + " " * (width - own) for cell, own in zip(cells, widths, strict=True)]
