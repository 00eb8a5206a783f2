"""What views read: rows, in parts, and which of them are wanted.

A row has a key, by which the rows before it and behind it are read. Keys are unique within a view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, overload

from scopetrace.dash.place import Place

PAGE = 200
"""Rows that are read at a time."""

Record = TypeVar("Record")


class Row(NamedTuple):
    """One row of a view."""

    key: int
    cells: tuple[str, ...]
    """One for each column, not escaped."""
    opens: Place | None = None
    """Where Enter leads."""


class Want(NamedTuple):
    """Which rows are wanted."""

    key: int | None = None
    """Those behind or before the row with this key; None: from the end of the view."""
    forward: bool = True
    """Those behind it; False: those before it."""
    most: int = PAGE
    including: bool = False
    """And the row with the key."""

    def edge(self, upwards: bool, past_all: int) -> int:
        """Return the key beyond which rows are wanted, itself excluded.

        Args:
            upwards: whether keys grow in the direction of reading.
            past_all: a key that is greater than that of any row.
        """
        if self.key is None:
            return 0 if upwards else past_all
        return self.key - (1 if upwards else -1) * self.including


class Part(NamedTuple):
    """Rows that were read so far, in the order in which they are shown."""

    rows: Sequence[Row]
    is_done: bool = True
    """False: more of those that were wanted will come."""
    at_end: bool = True
    """Whether no row of the view lies beyond them, in the direction of reading."""
    whole: bool = False
    """Whether these are all rows of the view."""
    note: str = ""
    """What must be known about them: that some are hidden, or how far reading has come."""


class LazyRows(Sequence[Row], Generic[Record]):
    """Rows of records, made when they are looked at."""

    def __init__(self, records: Sequence[Record], make: Callable[[int, Record], Row]) -> None:
        self._records = records
        self._make = make

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        return self._make(at, self._records[at])
