"""Colour: which word names which, and whether it is wanted here.

Only the sixteen colours that every terminal lets its user choose are used, and never white or black
as such: they vanish on half of all terminals.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

CODES = {
    "blue": 34,
    "green": 32,
    "grey": 90,
    "bright red": 91,
    "bright green": 92,
    "bright yellow": 93,
    "bright blue": 94,
    "bright magenta": 95,
    "bright cyan": 96,
}
"""SGR parameters (ECMA-48 8.3.117; 90 to 97 as aixterm has them)."""


def paint(text: str, color: str) -> str:
    """Return `text` between the sequences that choose `color` and the terminal's own."""
    return f"\x1b[{CODES[color]}m{text}\x1b[0m"


def wants_color(choice: str, stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether to colour, by the option's `auto`, `always` or `never`.

    `auto`: on a terminal that is not `dumb`, unless NO_COLOR is set (https://no-color.org).
    """
    if choice != "auto":
        return choice == "always"
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb" and stream.isatty()
