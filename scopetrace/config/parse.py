"""Parse YAML text into plain data, and remember the line of every value (`config.document`).

A scalar stays text; the type of its key decides what it means. So quotes make no difference, values
of environment variables follow the same rules, and `yes` or 0x10 are not special. Only an empty
plain scalar (or ~, or null) is None.

Built from parser events: PyYAML's composer recurses in C and crashes on a file that is nested
deeply enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml

from scopetrace.config.document import Document, Path, spell
from scopetrace.config.merge import merged
from scopetrace.errors import ConfigError

MAX_DEPTH = 32
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_document(text: str, name: str, expand: Callable[[str], str] = str) -> Document:
    """Parse YAML `text`; `name` is its name in messages.

    Args:
        expand: Applied to each scalar that is not inside a list. All regular expressions of the
            tree are inside lists, so `$` in them is safe.

    Raises:
        ConfigError: It is no YAML, or no mapping.
    """
    reader = _Reader(text, name, expand)
    try:
        data = reader.document()
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, name) from None
    if not isinstance(data, dict):
        raise ConfigError(f"{name}:1: expected keys and values at the top")
    return Document(data, reader.places, warnings=tuple(reader.warnings))


class _Reader:
    """Builds the data of one text from the events of the YAML parser."""

    def __init__(self, text: str, name: str, expand: Callable[[str], str]) -> None:
        self.places: dict[Path, str] = {(): name}
        self.warnings: list[str] = []
        self._name = name
        self._expand = expand
        self._anchors: dict[str, Any] = {}
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))

    def document(self) -> Any:
        """Return the one document of the text; an empty text is an empty mapping."""
        starts = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
        data: Any = None
        seen = False
        for event in self._until(yaml.StreamEndEvent):
            if isinstance(event, starts):
                continue
            if seen:
                raise ConfigError(f"{self._line(event)}: a second document begins here")
            data, seen = self._value(event, (), False), True
        return {} if data is None else data

    def _until(self, end: type) -> Iterator[Any]:
        """Yield events until one of type `end`, which is consumed too."""
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _line(self, event: Any) -> str:
        return f"{self._name}:{event.start_mark.line + 1}"

    def _value(self, event: Any, path: Path, in_list: bool) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if len(path) > MAX_DEPTH:
            raise ConfigError(f"{self._line(event)}: nested too deeply")
        if isinstance(event, yaml.ScalarEvent):
            value: Any = self._scalar(event, path, in_list)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(path, in_list)
        else:
            value = self._sequence(path)
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise ConfigError(f"{self._line(event)}: nothing before it is called &{event.anchor}")
        return self._anchors[event.anchor]

    def _scalar(self, event: Any, path: Path, in_list: bool) -> str | None:
        if event.implicit[0] and event.value in _NULLS:
            return None
        if in_list:
            return str(event.value)
        text = self._expand(event.value)
        try:
            text.encode()
        except UnicodeEncodeError:
            problem = "a variable in it is no UTF-8 text"
            raise ConfigError(f"{self._line(event)}: {spell(path)}: {problem}") from None
        return text

    def _mapping(self, path: Path, in_list: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._key(event)
            here = (*path, key)
            if key in found:
                self._warn_duplicate(event, here)
            self.places[here] = self._line(event)
            value = self._value(next(self._events), here, in_list)
            both = isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = merged(found[key], value) if both else value
        return found

    def _warn_duplicate(self, event: Any, path: Path) -> None:
        """Warn about a key that occurs twice: as in AppScope, the last value is used."""
        first = self.places[path].rpartition(":")[2]
        what = f"occurs twice, first in line {first}: the last value is used"
        self.warnings.append(f"{self._line(event)}: {spell(path)}: {what}")

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise ConfigError(f"{self._line(event)}: a key must be a word")
        return str(event.value)

    def _sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        for event in self._until(yaml.SequenceEndEvent):
            here = (*path, len(found))
            self.places[here] = self._line(event)
            found.append(self._value(event, here, True))
        return found


def _syntax_error(error: yaml.YAMLError, text: str, name: str) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        line = mark.line + 1
        what = getattr(error, "problem", None) or "cannot be read as YAML"
    else:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        what = getattr(error, "reason", None) or "cannot be read as YAML"
    return ConfigError(f"{name}:{line}: no valid YAML: {what}")
