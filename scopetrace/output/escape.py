"""Escape text for the terminal; `escape` itself is in `model.shown`."""

from __future__ import annotations

import re

from scopetrace.model.shown import SPACES, escape, without_styles

__all__ = ["SPACES", "escape", "escape_lines", "escape_message"]

BLANKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


def escape_message(text: str) -> str:
    """Return a text of a program on one line, escaped.

    Line ends and tabs become spaces, colours are removed.
    """
    if text.isprintable():
        return text
    return escape(BLANKS.sub(" ", without_styles(text)).rstrip())


def escape_lines(text: str) -> list[str]:
    """Return the lines of a text of a program, each escaped, without colours."""
    lines = without_styles(text).split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return [escape(line.removesuffix("\r")) for line in lines]
