"""Tables without borders; headings are in capitals. All cells are escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scopetrace.output.escape import escape


def format_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
) -> str:
    """Return a table, without a last newline.

    Args:
        headings: one for each column.
        rows: cells are shown as `str` shows them; None is an empty cell.
        right: headings of the columns that are aligned right (numbers).
    """
    from tabulate import tabulate

    cells = [["" if cell is None else escape(str(cell)) for cell in row] for row in rows]
    aligned = ["right" if heading in right else "left" for heading in headings]
    table = tabulate(
        [list(headings), *cells],
        tablefmt="plain",
        disable_numparse=True,
        colalign=aligned,
        preserve_whitespace=True,
    )
    return "\n".join(line.rstrip() for line in table.split("\n"))
