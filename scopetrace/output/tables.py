"""Tables without borders; headings are in capitals. All cells are escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scopetrace.output.escape import escape
from scopetrace.output.width import display_widths

MANY = 1000
"""Rows from which on tabulate, 25 µs for each, takes longer than what is asked."""
GAP = "  "


def format_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
) -> str:
    """Return a table, without a last newline.

    Args:
        headings: one for each column.
        rows: cells are shown as `str` shows them; None is an empty cell.
        right: headings of the columns that are aligned right (numbers).
    """
    shown = [escaped_column(cells) for cells in columns_of(rows, len(headings))]
    return joined_columns(headings, shown, [heading in right for heading in headings])


def joined_columns(
    headings: Sequence[str], columns: Sequence[Sequence[str]], aligned_right: Sequence[bool]
) -> str:
    """Return a table of columns whose cells are escaped."""
    is_large = len(columns[0]) > MANY if columns else False
    lines = (_padded if is_large else _tabulated)(
        [[heading, *cells] for heading, cells in zip(headings, columns, strict=True)],
        aligned_right,
    )
    return "\n".join(line.rstrip() for line in lines)


def room_beside(width: int, columns: Iterable[Sequence[str]]) -> int:
    """Return how many columns of a terminal are left beside other columns of a table.

    Args:
        width: of the terminal.
        columns: the cells of each, escaped, with its heading.
    """
    return width - sum(max(display_widths(cells)) + len(GAP) for cells in columns)


def columns_of(rows: Iterable[Sequence[object]], count: int) -> list[list[object]]:
    """Return the cells of rows by column; `count` of them, also if there are no rows."""
    known = list(rows)
    return [[row[at] for row in known] for at in range(count)]


def escaped_column(cells: Iterable[object]) -> list[str]:
    """Return the cells of a column as they are shown; None is an empty one.

    One look at all of them says whether any has to be escaped.
    """
    texts = ["" if cell is None else str(cell) for cell in cells]
    return texts if "".join(texts).isprintable() else list(map(escape, texts))


def _tabulated(columns: Sequence[Sequence[str]], aligned_right: Sequence[bool]) -> Iterable[str]:
    from tabulate import tabulate

    aligned = ["right" if is_right else "left" for is_right in aligned_right]
    table = tabulate(
        list(zip(*columns, strict=True)),
        tablefmt="plain",
        disable_numparse=True,
        colalign=aligned,
        preserve_whitespace=True,
    )
    return table.split("\n")


def _padded(columns: Sequence[Sequence[str]], aligned_right: Sequence[bool]) -> Iterable[str]:
    """Return the same lines, in a tenth of the time: no cell is searched for its type."""
    padded = map(_aligned, columns, aligned_right)
    return map(GAP.join, zip(*padded, strict=True))


def _aligned(cells: Sequence[str], is_right: bool) -> list[str]:
    """Return the cells of a column, all of the same width."""
    widths = display_widths(cells)
    most = max(widths)
    pads = [" " * (most - width) for width in widths]
    if is_right:
        return [pad + cell for pad, cell in zip(pads, cells, strict=True)]
    return [cell + pad for pad, cell in zip(pads, cells, strict=True)]
