"""Tables of answers in the form that was asked for: for a terminal, CSV, Markdown or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from scopetrace.output.escape import escape
from scopetrace.output.tables import columns_of, escaped_column, joined_columns, room_beside
from scopetrace.output.width import ELLIPSIS, display_width, shorten

FORMS = ("table", "csv", "md", "json")
"""What `--format` takes."""
LEAST_FITTED = 8
"""So many columns wider than its heading is the column that is cut, however narrow the terminal."""


class Column(NamedTuple):
    """One column of a table."""

    heading: str
    right: bool = False
    """Numbers are aligned right."""
    least_width: int = 0
    """The terminal's width, in columns, from which on it is shown."""
    fitted: bool = False
    """Its cells are cut so that the table fits; one column is, else the last."""
    most_width: int | None = None
    """Its cells are cut to so many columns on a terminal."""


def shown_columns(columns: Sequence[Column], width: int | None) -> list[int]:
    """Return the positions of the columns that a terminal of `width` shows; None: it is none."""
    return [at for at, each in enumerate(columns) if width is None or width >= each.least_width]


def terminal_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    width: int | None,
    cut: Callable[[str, int], str] | None = None,
) -> str:
    """Return a table, of which one column is cut to fit `width`, by default in its middle."""
    by_column = columns_of(rows, len(columns))
    at = shown_columns(columns, width)
    cells = [escaped_column(by_column[position]) for position in at]
    shown = [columns[position] for position in at]
    headings = [each.heading for each in shown]
    if width is not None:
        _limit(cells, shown)
        fitted = next((place for place, each in enumerate(shown) if each.fitted), len(shown) - 1)
        others = [
            [heading, *cells[place]] for place, heading in enumerate(headings) if place != fitted
        ]
        left = max(room_beside(width, others), len(headings[fitted]) + LEAST_FITTED)
        cells[fitted] = [(cut or shorten_middle)(cell, left) for cell in cells[fitted]]
    return joined_columns(headings, cells, [each.right for each in shown])


def _limit(cells: list[list[str]], columns: Sequence[Column]) -> None:
    """Cut the cells of those columns that have a limit of their own."""
    for at, each in enumerate(columns):
        if each.most_width:
            cells[at] = [shorten(cell, each.most_width) for cell in cells[at]]


def shorten_middle(text: str, columns: int) -> str:
    """Return `text`, or its start and its end with an ellipsis between them.

    The end is longer: of a path that is the name.
    """
    if display_width(text) <= columns:
        return text
    end_columns = (columns - 1) * 2 // 3
    end = shorten(text[::-1], end_columns + 1).removesuffix(ELLIPSIS)[::-1]
    return shorten(text, columns - display_width(end)) + end


def csv_table(bodies: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> str:
    """Return CSV (RFC 4180) with a line of names; lists are joined by spaces."""
    return "".join(csv_lines(bodies, fields)).rstrip("\n")


def csv_lines(bodies: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> Iterator[str]:
    """Yield the rows of `csv_table`, each with its line end, the names first."""
    rows = ([_plain(body.get(name)) for name in fields] for body in bodies)
    for row in chain((fields,), rows):
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow(row)
        yield out.getvalue()


def markdown_table(bodies: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> str:
    """Return a table of GitHub's Markdown."""
    lines = ["| " + " | ".join(fields) + " |", "|" + " --- |" * len(fields)]
    for body in bodies:
        cells = (_plain(body.get(name)).replace("|", "\\|") for name in fields)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return " ".join(map(_plain, value))
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    return escape(str(value))
