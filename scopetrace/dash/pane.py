"""The widget that shows rows: a heading, and of a cursor's rows those that fit."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from scopetrace.dash.cursor import Cursor
from scopetrace.dash.layout import Layout
from scopetrace.output.answers import Column

_HEADING, _CHOSEN, _OTHER = Style(bold=True), Style(reverse=True), Style()


class Pane(Widget, can_focus=True):
    """Rows as plain text: what was recorded is never read as markup."""

    class Resized(Message):
        """It has another height, so that other rows may be needed."""

    def __init__(self, cursor: Cursor) -> None:
        super().__init__()
        self._cursor = cursor
        self._columns: Sequence[Column] = ()
        self._layout = Layout((), 1)
        self._lines: list[str] = []

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Begin a view of other columns."""
        self._columns = columns
        self._layout = Layout(columns, self.size.width)
        self.show_rows()

    def show_rows(self) -> None:
        """Show the rows that the cursor has now."""
        self._lines = self._layout.lines([row.cells for row in self._cursor.visible])
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen; the first one is the heading."""
        chosen = self._cursor.at - self._cursor.top + 1
        style = _HEADING if y == 0 else _CHOSEN if y == chosen else _OTHER
        text = self._lines[y] if y < len(self._lines) else ""
        if y >= len(self._lines):
            style = _OTHER
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, style)

    def on_resize(self, event: Resize) -> None:
        """Fit the rows to the new size."""
        self._cursor.resize(event.size.height - 1)
        self.show_columns(self._columns)
        self.post_message(self.Resized())
