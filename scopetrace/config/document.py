"""A configuration as plain data that remembers the line of every value, for messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from scopetrace.errors import ConfigError

Path = tuple[str | int, ...]
"""The position of a value in the tree: keys and list indices."""


class Document(NamedTuple):
    """A tree of plain data and where its values came from."""

    data: dict[str, Any]
    places: dict[Path, str]
    """Path from the top → `scope.yml:12`, or the name of an environment variable, for messages."""
    prefix: Path = ()
    """The path of `data` in the file."""
    warnings: tuple[str, ...] = ()
    """Sentences about keys that occur twice."""

    def under(self, *path: str) -> Document:
        """Return the part of the tree at `path`, which is a mapping."""
        data = self.data
        for key in path:
            data = data[key]
        return Document(data, self.places, self.prefix + path)

    def with_value(self, path: Path, value: Any) -> Document:
        """Return the tree with `value` at `path`, under keys and indices that are there."""
        return self._replace(data=_with(self.data, path, value))

    def keeping(self, path: Path, indices: Sequence[int]) -> Document:
        """Return the tree with only the items at `indices` in the list at `path`."""
        base = self.prefix + path
        places = {known: place for known, place in self.places.items() if not _inside(known, base)}
        for now, index in enumerate(indices):
            item = (*base, index)
            places |= {
                (*base, now, *known[len(item) :]): place
                for known, place in self.places.items()
                if known == item or _inside(known, item)
            }
        items: Any = self.data
        for key in path:
            items = items[key]
        kept = [items[index] for index in indices]
        return self._replace(data=_with(self.data, path, kept), places=places)

    def sentence(self, path: Path, what: str) -> str:
        """Return a sentence about the value at `path`: place, key, `what`."""
        path = known = self.prefix + path
        while known and known not in self.places:
            known = known[:-1]
        return ": ".join(filter(None, (self.places[known], spell(path), what)))

    def error(self, path: Path, what: str) -> ConfigError:
        """Return the error for a wrong value at `path`."""
        return ConfigError(self.sentence(path, what))


def _inside(path: Path, base: Path) -> bool:
    """Return whether `path` is longer than `base` and begins with it."""
    return len(path) > len(base) and path[: len(base)] == base


def _with(data: Any, path: Path, value: Any) -> Any:
    """Return a copy of `data` with `value` at `path`."""
    if not path:
        return value
    key, *rest = path
    if isinstance(data, list):
        at = int(key)
        return [*data[:at], _with(data[at], tuple(rest), value), *data[at + 1 :]]
    return {**data, key: _with(data.get(key), tuple(rest), value)}


def spell(path: Path) -> str:
    """Return a path as text: `event.watch[2].name`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")
