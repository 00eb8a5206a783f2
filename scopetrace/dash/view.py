"""What every view is: columns, a way to read rows, and the command that answers the same.

Two kinds differ in what they keep. A `PagedView` reads the rows around a key and keeps none. A
`ListView` puts its records together from all events, a bounded number of records, and says while it
reads what is known so far.
"""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from scopetrace.dash.place import Place, Scope
from scopetrace.dash.rows import LazyRows, Part, Row, Want
from scopetrace.output.answers import Column
from scopetrace.query import Session

Record = TypeVar("Record")


class View(ABC):
    """One view of a session."""

    name: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    """The last one takes the room that is left."""
    sorts: ClassVar[tuple[str, ...]] = ("",)
    """What `s` chooses from: names of fields; empty: the order of the recording."""
    scope_fields: ClassVar[tuple[str, ...]] = ("pid", "proc")
    """The fields of a Scope that narrow this view."""
    fields: ClassVar[tuple[str, ...]]
    """The names of what `bodies` returns, for CSV."""

    @abstractmethod
    def read(self, session: Session, place: Place, want: Want) -> Iterator[Part | None]:
        """Yield the rows that are wanted, each part with all that were read so far.

        None: there is nothing new, but here the caller may stop.
        """

    @abstractmethod
    def bodies(self, session: Session, place: Place) -> Iterator[Mapping[str, Any]]:
        """Yield every row as JSON has it."""

    @abstractmethod
    def words(self, place: Place) -> list[str]:
        """Return the command that answers the same, without the program and the session."""

    def is_tree(self, place: Place) -> bool:
        """Whether its rows can be folded."""
        return False

    def scope(self, scope: Scope) -> Scope:
        """Return what of a scope narrows this view."""
        return Scope(**{name: getattr(scope, name) for name in self.scope_fields})

    def greps(self, place: Place) -> bool:
        """Whether the command has no filter of its own for the text that must occur."""
        return False

    def command(self, place: Place, session: str) -> str:
        """Return the command line that answers the same; `session` is an id or a path."""
        name, *rest = self.words(place)
        line = shlex.join(["scopetrace", name, *rest, "--id", session])
        if place.match and self.greps(place):
            line += f" | grep -F -e {shlex.quote(place.match)}"
        return line


class ListView(View, Generic[Record]):
    """A view of records that are put together from all events."""

    @abstractmethod
    def records(self, session: Session, place: Place) -> Iterator[tuple[list[Record], str] | None]:
        """Yield the records known so far, in the order of the recording, and a note on them.

        None: there is nothing new.
        """

    @abstractmethod
    def row(self, place: Place, number: int, record: Record) -> Row:
        """Return the row of a record; its key is `number`."""

    @abstractmethod
    def body(self, record: Record) -> Mapping[str, Any]:
        """Return a record as JSON has it."""

    @abstractmethod
    def value(self, record: Record, field: str) -> Any:
        """Return what the records are sorted by, None if it is not known."""

    @abstractmethod
    def texts(self, record: Record) -> Sequence[str]:
        """Return the texts of which one must contain what is filtered for."""

    def read(self, session: Session, place: Place, want: Want) -> Iterator[Part | None]:
        """Yield all rows, whatever is wanted: they are made when they are looked at."""
        part = Part([], whole=True)
        for found in self.records(session, place):
            if found is None:
                yield None
                continue
            records, note = found
            rows = LazyRows(self._chosen(records, place), partial(self.row, place))
            part = Part(rows, is_done=False, whole=True, note=note)
            yield part
        yield part._replace(is_done=True)

    def bodies(self, session: Session, place: Place) -> Iterator[Mapping[str, Any]]:
        """Yield every row as JSON has it."""
        records: list[Record] = []
        for found in self.records(session, place):
            records = found[0] if found else records
        yield from map(self.body, self._chosen(records, place))

    def _chosen(self, records: list[Record], place: Place) -> list[Record]:
        """Return the records that match, in the order that was chosen."""
        if place.match:
            records = [
                one for one in records if any(place.match in text for text in self.texts(one))
            ]
        return ordered(records, place, self.value)


def ordered(records: list[Any], place: Place, value: Any) -> list[Any]:
    """Return records by the field of a place, the largest first; those without it are the last."""
    if not place.sort:
        return records[::-1] if place.reverse else records
    known = [(value(one, place.sort), at) for at, one in enumerate(records)]
    with_it = [pair for pair in known if pair[0] is not None]
    without = [records[at] for found, at in known if found is None]
    with_it.sort(key=lambda pair: pair[0], reverse=not place.reverse)
    return [records[at] for _, at in with_it] + without
