"""Where the dashboard is: a view, what it is narrowed to, and the way back."""

from __future__ import annotations

from typing import NamedTuple


class Scope(NamedTuple):
    """What views are narrowed to; a field that is empty does not narrow."""

    pid: int | None = None
    proc: str = ""
    """Name of the program with this pid, for titles."""
    files: tuple[str, ...] = ()
    """The names of one file, the last one first."""
    channel: int = 0
    """That of one flow."""
    peer: str = ""
    """Of this flow, for titles."""
    log: str = ""
    """Where text was written: a path, stdout or stderr."""
    event: int = 0
    """The id of one event."""


class Place(NamedTuple):
    """One view as it is shown."""

    view: str
    """Name of the view."""
    scope: Scope = Scope()
    match: str = ""
    """Only rows that contain this text."""
    sort: str = ""
    """Name of a field; empty: the order of the recording."""
    reverse: bool = False
    show_all: bool = False
    """Start-up files, too."""
    folded: frozenset[int] = frozenset()
    """Keys of the rows of a tree below which nothing is shown."""


class Trail:
    """The places from the first one to the present one, each with the row that was chosen there."""

    def __init__(self, first: Place) -> None:
        self._left: list[tuple[Place, int | None]] = []
        self.place = first

    def narrow(self, place: Place, key: int | None) -> None:
        """Go on to a place; `key` is that of the row here that leads there."""
        self._left.append((self.place, key))
        self.place = place

    def widen(self) -> tuple[bool, int | None]:
        """Go back; return whether there was a way, and the key of the row that was chosen there."""
        if not self._left:
            return False, None
        self.place, key = self._left.pop()
        return True, key

    def change(self, place: Place) -> None:
        """Put a place with another view, filter or order in the place of the present one."""
        self.place = place


def title(scope: Scope) -> str:
    """Return what a scope narrows to as text, not escaped; empty: to nothing."""
    parts = []
    if scope.pid is not None:
        parts.append(f"{scope.proc}[{scope.pid}]")
    if scope.files:
        parts.append(scope.files[0])
    if scope.channel:
        parts.append(scope.peer or f"flow {scope.channel}")
    if scope.log:
        parts.append(scope.log)
    if scope.event:
        parts.append(f"event {scope.event}")
    return " > ".join(parts)
