"""The rows that are loaded, which of them is chosen, and which are on the screen.

Loaded are the rows around the chosen one. When it comes near an end of them, those beyond are
wanted; when they are added, as many are dropped at the other end.
"""

from __future__ import annotations

from collections.abc import Sequence

from scopetrace.dash.rows import PAGE, Part, Row, Want

MOST_ROWS = 4 * PAGE
"""Rows of a paged view that are loaded at a time."""


class Cursor:
    """Rows and a choice among them."""

    def __init__(self) -> None:
        self.rows: Sequence[Row] = []
        self.at = 0
        """Position of the chosen row."""
        self.top = 0
        """Position of the first row on the screen."""
        self.height = 1
        """Rows on the screen."""
        self._at_first = self._at_last = True

    @property
    def chosen(self) -> Row | None:
        """The chosen row; None: there are no rows."""
        return self.rows[self.at] if self.at < len(self.rows) else None

    @property
    def visible(self) -> Sequence[Row]:
        """The rows on the screen."""
        return self.rows[self.top : self.top + self.height]

    @property
    def is_last(self) -> bool:
        """Whether the last row of the view is chosen."""
        return self._at_last and self.at >= len(self.rows) - 1

    def resize(self, height: int) -> None:
        """Show so many rows."""
        self.height = max(height, 1)
        self._scroll()

    def move(self, rows: int) -> Want | None:
        """Choose the row so many further down, as far as there is one; return what to read."""
        self.at = max(0, min(self.at + rows, len(self.rows) - 1))
        self._scroll()
        return self.more()

    def page(self, way: int) -> Want | None:
        """Move the screen up (-1) or down (1) by its height; return what to read."""
        rows = way * max(self.height - 1, 1)
        self.top = max(self.top + rows, 0)
        return self.move(rows)

    def first(self) -> Want | None:
        """Choose the first row of the view; return what to read for that."""
        self.move(-len(self.rows))
        return None if self._at_first else Want()

    def last(self) -> Want | None:
        """Choose the last row of the view; return what to read for that."""
        self.move(len(self.rows))
        return None if self._at_last else Want(forward=False)

    def again(self) -> Want:
        """Return what to read to have the loaded rows as they are now, and new ones behind them."""
        key = self.rows[0].key if self.rows and not self._at_first else None
        return Want(key, most=max(len(self.rows), PAGE), including=key is not None)

    def replace(self, part: Part, want: Want, key: int | None = None) -> None:
        """Load other rows; choose that with `key`, else the first or, if read backwards, the last.

        Args:
            part: the rows.
            want: for which they were read.
            key: of the row to choose, if it is among them.
        """
        self.rows = part.rows
        self._at_first = part.whole or (want.key is None if want.forward else part.at_end)
        self._at_last = part.whole or (part.at_end if want.forward else want.key is None)
        found = self._position(key)
        end = 0 if want.forward else len(self.rows) - 1
        self.at = max(end if found is None else found, 0)
        self._scroll()

    def extend(self, part: Part, want: Want) -> None:
        """Add the rows beyond one end; drop rows at the other."""
        chosen = self.chosen.key if self.chosen else None
        offset = self.at - self.top
        if want.forward:
            self.rows = [*self.rows, *part.rows]
            dropped = max(len(self.rows) - MOST_ROWS, 0)
            self.rows = self.rows[dropped:]
            self._at_last, self._at_first = part.at_end, self._at_first and not dropped
        else:
            self.rows = [*part.rows, *self.rows]
            dropped = max(len(self.rows) - MOST_ROWS, 0)
            self.rows = self.rows[: len(self.rows) - dropped]
            self._at_first, self._at_last = part.at_end, self._at_last and not dropped
        self.at = self._position(chosen) or 0
        self.top = max(self.at - offset, 0)
        self._scroll()

    def _position(self, key: int | None) -> int | None:
        if key is None:
            return None
        if 0 <= key < len(self.rows) and self.rows[key].key == key:  # made when looked at
            return key
        return next((at for at, row in enumerate(self.rows) if row.key == key), None)

    def more(self) -> Want | None:
        """Return what to read if the chosen row is within two screens of an end of the loaded."""
        near = 2 * self.height
        if not self.rows:
            return None
        if not self._at_last and self.at + near >= len(self.rows):
            return Want(self.rows[-1].key)
        if not self._at_first and self.at - near < 0:
            return Want(self.rows[0].key, forward=False)
        return None

    def _scroll(self) -> None:
        """Have the chosen row on the screen, and no empty room below the last one."""
        self.top = min(self.top, self.at, max(len(self.rows) - self.height, 0))
        self.top = max(self.top, self.at - self.height + 1, 0)
