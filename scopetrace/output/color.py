"""Colours of the terminal: their codes, and when to use them.

Only the sixteen colours that users can choose in their terminal are used, never white or black,
which may be the colour of the background.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, TextIO

Color = Literal[
    "blue",
    "green",
    "grey",
    "bright red",
    "bright green",
    "bright yellow",
    "bright blue",
    "bright magenta",
    "bright cyan",
]
CODES: dict[Color, int] = {
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


def paint(text: str, color: Color) -> str:
    """Return `text` between the escape sequences that set and reset the colour."""
    return f"\x1b[{CODES[color]}m{text}\x1b[0m"


def wants_color(choice: str, stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether to use colours, for `auto`, `always` or `never`.

    `auto`: on a terminal that is not `dumb`, unless NO_COLOR is set (https://no-color.org).
    """
    if choice != "auto":
        return choice == "always"
    return color_allowed(environ) and stream.isatty()


def color_allowed(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the environment lets a terminal have colours."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
