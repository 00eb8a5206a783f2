"""The table of keys: what each does, and how the help explains it."""

from __future__ import annotations

from typing import NamedTuple

from scopetrace.dash.views import TABS


class Key(NamedTuple):
    """One key."""

    name: str
    """As Textual calls it."""
    action: str
    """Method of the application, without `action_`, and its arguments."""
    label: str = ""
    """As the help calls it; empty: the help has a sentence for several keys."""
    meaning: str = ""


KEYS = (
    Key("enter", "narrow", "Enter", "narrow: a process to its files, a file to its events"),
    Key("backspace", "widen", "Backspace", "widen: back to where Enter was pressed"),
    *(Key(str(at + 1), f"tab({at})") for at in range(len(TABS))),
    Key("left", "turn(-1)"),
    Key("right", "turn(1)"),
    Key("space", "fold", "Space", "fold what is below a process, or show it"),
    Key("slash", "filter", "/", "filter: only rows that contain a text; empty: all"),
    Key("s", "sort", "s", "sort by the next field"),
    Key("r", "reverse", "r", "reverse the order"),
    Key("a", "all", "a", "show what belongs to the start-up, too, or hide it"),
    Key("x", "export", "x", "export this view to a new file, CSV or JSON"),
    Key("y", "command", "y", "show the command line that gives this view"),
    Key("question_mark", "help", "?", "this help"),
    Key("q", "quit", "q", "quit"),
    Key("up", "move(-1)"),
    Key("down", "move(1)"),
    Key("pageup", "page(-1)"),
    Key("pagedown", "page(1)"),
    Key("home", "first"),
    Key("end", "last"),
)
FOOT = "Enter narrow  Backspace widen  / filter  s sort  x export  y command  ? help  q"
"""The line below the rows when there is nothing to say; it fits 80 columns."""
_LABEL_COLUMNS = 12
_OTHERS = (
    f"1 to {len(TABS)}, Left and Right choose another view of the same;\n"
    "Up, Down, Page Up, Page Down, Home and End choose a row."
)


def help_text() -> str:
    """Return what all keys do."""
    lines = [f"{key.label:{_LABEL_COLUMNS}}{key.meaning}" for key in KEYS if key.label]
    return "\n".join([*lines, "", _OTHERS])
