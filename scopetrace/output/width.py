"""The width of text on a terminal, in columns, and of the terminal itself.

Wide characters (East Asian Width W and F, Unicode TR11) take two columns, combining ones none.
Texts must be escaped before: other control characters would move the cursor.
"""

from __future__ import annotations

import os
from typing import TextIO

ELLIPSIS = "…"
DEFAULT_WIDTH = 160
"""Of a terminal that does not report its width."""


def display_width(text: str) -> int:
    """Return the number of columns that `text` takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def shorten(text: str, columns: int) -> str:
    """Return `text`, cut to `columns` with an ellipsis at its end if it is wider."""
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
    """Return the width of the terminal that `stream` writes to, None if it is not a terminal."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    except OSError:
        return DEFAULT_WIDTH


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    import unicodedata

    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
