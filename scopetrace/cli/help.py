"""Help with colours (headings, names of commands and options) and examples that fit the terminal.

click removes the colours again where standard output is no terminal.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Iterator

import click

from scopetrace.output.color import Color, paint, wants_color

HEADING: Color = "green"
NAME: Color = "bright cyan"
UNWRAPPED = "\b\n"
"""A paragraph that begins so is not wrapped by click: its lines are examples."""
EXAMPLE = re.compile(r"(.*?\S) {2,}(\S.*)")
"""A command and what it does."""
BELOW = " " * 8
"""Before the meaning of an example, if it stands below it."""


class ColoredHelp(click.HelpFormatter):
    """Lays help out as click does, in colours on a terminal."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the line of usage."""
        painted = f"{_painted('Usage:', HEADING)} "
        super().write_usage(prog, args, painted if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """Write a heading with a colon."""
        self.write(f"{'':>{self.current_indent}}{_painted(f'{heading}:', HEADING)}\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs; of examples that are too wide, the meaning comes below the command."""
        width = self.width - self.current_indent
        paragraphs = (folded_examples(each, width) for each in text.split("\n\n"))
        super().write_text("\n\n".join(paragraphs))

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


def folded_examples(paragraph: str, width: int) -> str:
    """Return a paragraph of a help text with the examples that are wider than `width` folded."""
    if not paragraph.startswith(UNWRAPPED):
        return paragraph
    lines = paragraph.removeprefix(UNWRAPPED).split("\n")
    return UNWRAPPED + "\n".join(part for line in lines for part in _folded(line, width))


def _folded(line: str, width: int) -> Iterator[str]:
    found = EXAMPLE.fullmatch(line)
    if found is None or len(line) <= width:
        yield line
    elif len(joined := "  ".join(found.groups())) <= width:
        yield joined
    else:
        yield found[1]
        yield from textwrap.wrap(
            found[2], width, initial_indent=BELOW, subsequent_indent=BELOW, break_on_hyphens=False
        )
