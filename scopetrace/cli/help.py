"""Help with colours: headings, and the names of commands and options.

click removes the colours again where standard output is no terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from scopetrace.output.color import Color, paint, wants_color

HEADING: Color = "green"
NAME: Color = "bright cyan"


class ColoredHelp(click.HelpFormatter):
    """Lays help out as click does, in colours on a terminal."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the line of usage."""
        painted = f"{_painted('Usage:', HEADING)} "
        super().write_usage(prog, args, painted if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """Write a heading with a colon."""
        self.write(f"{'':>{self.current_indent}}{_painted(f'{heading}:', HEADING)}\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names and what each is."""
        named = [(_painted(name, NAME), text) for name, text in rows]
        super().write_dl(named, col_max, col_spacing)


class HelpContext(click.Context):
    """A context whose help has colours."""

    formatter_class = ColoredHelp


def _painted(text: str, color: Color) -> str:
    return paint(text, color) if wants_color("auto", sys.stdout) else text
