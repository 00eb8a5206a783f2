"""The width of text on a terminal, in columns, and of the terminal itself.

Wide characters (East Asian Width W and F, Unicode TR11) take two columns, combining ones none.
Texts must be escaped before: other control characters would move the cursor.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TextIO

ELLIPSIS = "…"
DEFAULT_WIDTH = 160
"""Of a terminal that does not report its width."""
READABLE_COLUMNS = 100
"""Sentences in longer lines are hard to read."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_MOST_CACHED = 10_000
"""Characters whose width is kept."""


def display_width(text: str) -> int:
    """Return the number of columns that `text` takes."""
    if text.isascii():
        return len(text)
    return len(text) + sum(_columns(character) - 1 for character in _NOT_ASCII.findall(text))


def display_widths(texts: Sequence[str]) -> list[int]:
    """Return the number of columns that each text takes."""
    return list(map(len if "".join(texts).isascii() else display_width, texts))


def shorten(text: str, columns: int) -> str:
    """Return `text`, cut to `columns` with an ellipsis at its end if it is wider."""
    if display_width(text) <= columns:
        return text
    return text[: _fitting(text, columns - 1)] + ELLIPSIS


def shorten_command(text: str, columns: int) -> str:
    """Return a command, cut to `columns` at its end; the folder of its program goes first."""
    if display_width(text) <= columns:
        return text
    return shorten(without_folder(text), columns)


def without_folder(command: str) -> str:
    """Return a command without the folder of its program, which, if it is cut, hides the name."""
    program, gap, rest = command.partition(" ")
    return f"{program.rpartition('/')[2] or program}{gap}{rest}"


def wrap(text: str, columns: int, indent: str = "") -> list[str]:
    """Return `text` in lines of at most so many columns; all but the first begin with `indent`.

    Lines end between words; a word that is wider than a line is cut.
    """
    columns = max(columns, len(indent) + 2)
    lines, line = list[str](), ""
    for word in re.findall(r"\s*\S+", text):
        if display_width(line + word) <= columns:
            line += word
            continue
        alone = indent + word.lstrip()
        if line and display_width(alone) <= columns:
            lines.append(line)
            word = alone
        else:
            word = line + word
        while display_width(word) > columns:
            kept = _fitting(word, columns)
            lines.append(word[:kept])
            word = indent + word[kept:]
        line = word
    return [*lines, line]


def terminal_columns(stream: TextIO) -> int | None:
    """Return the width of the terminal that `stream` writes to, None if it is not a terminal."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    except OSError:
        return DEFAULT_WIDTH


def _fitting(text: str, columns: int) -> int:
    """Return how many characters of `text` fit into so many columns."""
    used = 0
    for count, character in enumerate(text):
        used += _columns(character)
        if used > columns:
            return count
    return len(text)


def wrap_columns(stream: TextIO, most: int) -> int:
    """Return the width of text that is wrapped, `most` at most: of the terminal, else COLUMNS.

    The variable means nothing where lines are cut, since what is cut for a pipe would be missing.
    """
    said = os.environ.get("COLUMNS", "")
    found = terminal_columns(stream) or (int(said) if said.isdecimal() else 0)
    return min(found or most, most)


@lru_cache(_MOST_CACHED)
def _columns(character: str) -> int:
    if character.isascii():
        return 1
    import unicodedata

    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
