"""Escaped text as the output shows it; `escape` itself is what every folder uses."""

from __future__ import annotations

import re

from scopetrace.model.shown import SPACES, escape

__all__ = ["SPACES", "escape", "escape_lines", "escape_message"]

GRAPHICS = re.compile(r"\x1b\[[0-9;:]*m")
"""The escape sequences that choose colours and weights (SGR, ECMA-48 8.3.117)."""
BLANKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


def escape_message(text: str) -> str:
    """Return the written text `text` on one line: line ends and tabs are spaces, colours are gone.

    Colours are what programs mean for a terminal and are noise here; all else is escaped.
    """
    if text.isprintable():
        return text
    return escape(BLANKS.sub(" ", GRAPHICS.sub("", text)).rstrip())


def escape_lines(text: str) -> list[str]:
    """Return the lines of the written text `text`, each escaped, without colours."""
    lines = GRAPHICS.sub("", text).split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return [escape(line.removesuffix("\r")) for line in lines]
