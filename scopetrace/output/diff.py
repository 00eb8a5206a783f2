"""Differences between two sessions as a table, with the answers first if there are many."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence

from scopetrace.model.difference import (
    BYTES,
    CONTENT,
    DURATION,
    FILE,
    LINE,
    LOG,
    ONLY_A,
    ONLY_B,
    PEER,
    PORT,
    PROCESS,
    RESULT,
    SLOWER,
    STDERR,
    STDOUT,
    Difference,
)
from scopetrace.output.answers import Column, shorten_middle, terminal_table
from scopetrace.output.color import Color, paint
from scopetrace.output.escape import escape
from scopetrace.output.tables import room_beside
from scopetrace.output.units import format_microseconds, format_size
from scopetrace.output.width import display_width, shorten, without_folder

COLUMNS = (Column("CHANGE"), Column("KIND"), Column("WHAT"))
FEW = 10
"""So many differences are read at a glance; of more, the answers stand first."""
NAMED = 3
"""So many things are named in an answer; the rest is counted."""
LEAST_ANSWER = 20
"""Columns that each thing has that is named in an answer."""
MOST_ROWS = 10
"""On a terminal, so many lines of one log or stream, and files of one folder, are shown."""
ARROW = "→"
LABEL_COLUMNS = 11
COLORS: dict[str, Color] = {
    ONLY_A: "bright red",
    ONLY_B: "bright green",
    RESULT: "bright yellow",
    CONTENT: "bright cyan",
    SLOWER: "bright magenta",
}
_ONLY = (ONLY_A, ONLY_B)
ANSWERS: tuple[tuple[str, Callable[[Difference], bool]], ...] = (
    ("ended", lambda each: each.kind == PROCESS and each.change == RESULT),
    ("ran", lambda each: each.kind == PROCESS and each.change != RESULT),
    ("found", lambda each: each.kind == FILE and each.change == RESULT),
    ("used", lambda each: each.kind == FILE and each.change in _ONLY),
    ("peers", lambda each: each.kind in (PEER, PORT) and not each.is_startup),
    ("status", lambda each: each.kind not in (PROCESS, FILE, PEER, PORT) and each.aspect != LINE),
    ("output", lambda each: each.kind in (STDOUT, STDERR, LOG)),
)
"""The questions that are asked of two runs, and which differences answer them."""


def diff_lines(
    differences: Sequence[Difference],
    width: int | None,
    *,
    cut: bool = False,
    color: bool = False,
) -> Iterator[str]:
    """Yield the differences, one to a line; nothing if there are none.

    Args:
        differences: in the order in which they are shown.
        width: of the terminal; None: there is none.
        cut: show only the first few lines of one log or stream, and files of one folder.
        color: paint the classes of differences.
    """
    if not differences:
        return
    if len(differences) > FEW:
        yield from _answers(differences, width)
        yield ""
    changes = [COLUMNS[0].heading, *(each.change for each in differences)]
    kinds = [COLUMNS[1].heading, *(each.kind for each in differences)]
    columns = None if width is None else room_beside(width, (changes, kinds))
    rows = [(each.change, each.kind, _fitted(each, columns)) for each in differences]
    if cut:
        rows = list(_cut(differences, rows))
    heading, *lines = terminal_table(COLUMNS, rows, width).split("\n")
    yield heading
    for (change, *_), line in zip(rows, lines, strict=True):
        yield paint(change, COLORS[change]) + line[len(change) :] if color and change else line


def _answers(differences: Iterable[Difference], width: int | None) -> Iterator[str]:
    """Yield a line for each question that has an answer; of stderr it has the last line."""
    for label, answers in ANSWERS:
        found = [each for each in differences if not each.is_startup and answers(each)]
        if not found:
            continue
        said_last = [each for each in found if each.kind == STDERR][-1:]
        named = (said_last + [each for each in found if each.kind != STDERR])[:NAMED]
        columns = None if width is None else (width - LABEL_COLUMNS) // min(len(named), 2)
        texts = [_answer(each, columns) for each in named]
        if len(found) > len(named):
            texts.append(f"and {len(found) - len(named)} more")
        line = f"{label:{LABEL_COLUMNS}}{'; '.join(texts)}"
        yield line if width is None else shorten(line, width)


def _answer(difference: Difference, columns: int | None) -> str:
    label = f"{difference.change}: " if difference.change in _ONLY else ""
    left = None if columns is None else max(columns - len(label), LEAST_ANSWER)
    return label + _fitted(difference, left)


def describe(difference: Difference) -> str:
    """Return what differs in words: what it is about, and what it was in A and in B."""
    subject = difference.subject
    first, second = (_side(difference, side) for side in (difference.a, difference.b))
    if difference.aspect == LINE:
        text = f"{first} {ARROW} {second}" if first and second else first or second
        more = difference.stands_for - 1
        text += f" (and {more} more like this)" if more else ""
        return f"{subject}: {text}" if difference.kind == LOG else text
    if difference.change in _ONLY:
        return f"{subject} ({first or second}{_count(difference)})"
    return f"{subject}: {_aspect(difference)}{first} {ARROW} {second}{_count(difference)}"


def _fitted(difference: Difference, columns: int | None) -> str:
    """Return what differs in words, escaped, in so many columns.

    What it is about is cut first, but keeps half of them; of a line of text the middle is cut.
    """
    text = escape(describe(difference))
    if columns is None or display_width(text) <= columns:
        return text
    if difference.aspect == LINE:
        return shorten_middle(text, columns)
    subject = escape(difference.subject)
    left = max(columns - (display_width(text) - display_width(subject)), columns // 2)
    if difference.kind == PROCESS:
        subject = without_folder(subject)
    return shorten(describe(difference._replace(subject=shorten_middle(subject, left))), columns)


def _aspect(difference: Difference) -> str:
    """Return which side of a thing differs, where the two values do not say so."""
    is_plain = difference.aspect in ("status", "use", "source", DURATION)
    return "" if is_plain else f"{difference.aspect} "


def _side(difference: Difference, value: str | int | None) -> str:
    if isinstance(value, int):
        if difference.aspect in BYTES:
            return format_size(value) if value < 10_000 else f"{value} B"
        return format_microseconds(value)
    return "" if value is None else value or "none"


def _count(difference: Difference) -> str:
    return f", {difference.stands_for} processes" if difference.stands_for > 1 else ""


def _cut(
    differences: Sequence[Difference], rows: Sequence[tuple[str, str, str]]
) -> Iterator[tuple[str, str, str]]:
    """Yield rows without those beyond the first few of one log or stream, or of one folder."""
    counts: dict[tuple[str, str, str], int] = {}
    for difference, row in zip(differences, rows, strict=True):
        group = _group(difference)
        counts[group] = counts.get(group, 0) + 1
        if counts[group] <= MOST_ROWS or not group[2]:
            yield row
    for (change, kind, where), count in counts.items():
        if where and count > MOST_ROWS:
            what = "files in" if kind == FILE else "lines of"
            yield change, kind, f"{count - MOST_ROWS} more {what} {where} (-A shows them)"


def _group(difference: Difference) -> tuple[str, str, str]:
    """Return what a difference shares with others of which the first few are enough."""
    if difference.aspect == LINE:
        return "", difference.kind, difference.subject
    if difference.kind == FILE and difference.change in _ONLY:
        return difference.change, FILE, posixpath.dirname(difference.subject) or "/"
    return "", difference.kind, ""
