"""How many columns a text takes on a terminal, and how it is cut to fit.

Wide characters (East Asian Width W and F, Unicode TR11) take two columns and combining ones none.
Texts come here escaped, so nothing else can move the cursor.
"""

from __future__ import annotations

import os
from typing import TextIO

ELLIPSIS = "…"
UNKNOWN_COLUMNS = 160
"""What a terminal that does not tell its width is taken for."""


def display_width(text: str) -> int:
    """Return the number of columns that `text` takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def shorten(text: str, columns: int) -> str:
    """Return `text`, or as much of it as fits in `columns` with an ellipsis at its end."""
    if display_width(text) <= columns:
        return text
    used, kept = 1, 0
    for character in text:
        used += _columns(character)
        if used > columns:
            break
        kept += 1
    return text[:kept] + ELLIPSIS


def terminal_columns(stream: TextIO) -> int | None:
    """Return the width of the terminal that `stream` writes to, or None if it is none."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or UNKNOWN_COLUMNS
    except OSError:
        return UNKNOWN_COLUMNS


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    import unicodedata

    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
