"""Convert plain data to the typed tree; errors name the key and its allowed values.

The allowed values are read from the types in `schema`; they are not repeated in messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from scopetrace.config.destination import why_unusable
from scopetrace.config.document import Document, Path
from scopetrace.config.patterns import compile_pattern
from scopetrace.config.schema import Entry, Filter, Protocol, Sections, WatchRule
from scopetrace.config.stock import stock_path_rules
from scopetrace.errors import ConfigError

Kind = TypeVar("Kind", bound=msgspec.Struct)

MOST_QUOTED = 60
"""Characters of a value in a message."""
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_LOCATION = re.compile(r" - at `\$((?:\.\w+|\[\d+\])*)`$")
"""The end of a message of msgspec; a message about the top of the tree has no such end."""
_MISSING = re.compile(r"missing required field `(\w+)`")


def to_sections(document: Document) -> Sections:
    """Convert and check a whole tree, `custom` not included.

    Raises:
        ConfigError: Names the place and the key.
    """
    document = _without_empty_keys(document)
    _check_tags(document)
    sections = _convert(document, Sections)
    _check_spelling(document, document.data, msgspec.to_builtins(sections), ())
    _check_patterns(document, sections)
    _check_transports(document, sections)
    _check_call_set(document, sections)
    return sections


def to_filter(document: Document) -> Filter:
    """Convert the `filter` of an entry of `custom`.

    Raises:
        ConfigError: Names the place and the key.
    """
    return _convert(document, Filter)


def check_entry(document: Document) -> None:
    """Check that an entry of `custom` has the right keys, each a mapping.

    Raises:
        ConfigError: Names the place and the key.
    """
    _convert(document, Entry)


def _convert(document: Document, kind: type[Kind]) -> Kind:
    try:
        return msgspec.convert(document.data, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _translated(document, kind, str(error)) from None


def _translated(document: Document, kind: type[msgspec.Struct], message: str) -> ConfigError:
    """Return the error for a `message` of msgspec: place, key, and what was expected."""
    found = _LOCATION.search(message)
    steps = _STEP.findall(found[1]) if found else []
    path: Path = tuple(int(index) if index else key for key, index in steps)
    data: Any = document.data
    for step in path:
        data = data[step]
    expected = _type_at(kind, path)
    if "unknown field" in message:
        known = [field.encode_name for field in expected.fields]
        unknown = next(key for key in data if key not in known)
        return document.error((*path, unknown), _unknown_key(unknown, known))
    if missing := _MISSING.search(message):
        return document.error(path, f"lacks the key {missing[1]!r}")
    return document.error(path, f"expected {_described(expected)}, got {_quoted(data)}")


def _unknown_key(key: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1)
    return f"unknown key; did you mean {near[0]!r}?" if near else "unknown key"


def _type_at(kind: type[msgspec.Struct], path: Path) -> Any:
    from msgspec import inspect

    found: Any = inspect.type_info(kind)
    for step in path:
        if isinstance(step, int):
            found = found.item_type
        else:
            found = next(field.type for field in found.fields if field.encode_name == step)
    return found


def _described(kind: Any) -> str:
    from msgspec import inspect

    if isinstance(kind, inspect.LiteralType):
        return "one of " + ", ".join(map(str, kind.values))
    if isinstance(kind, inspect.IntType):
        return f"a whole number from {kind.ge} to {kind.le}"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.VarTupleType):
        return "a list"
    if isinstance(kind, inspect.StructType | inspect.DictType):
        return "keys and values"
    return "text that is not empty" if getattr(kind, "min_length", None) else "text"


def _quoted(data: Any) -> str:
    if data is None:
        return "nothing"
    if isinstance(data, dict):
        return "keys and values"
    if isinstance(data, list | tuple):
        return "a list"
    text = repr(str(data))
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 3]}…{text[-1]}"


def _without_empty_keys(document: Document) -> Document:
    """Leave out the keys of rules that have no value: elsewhere, too, they change nothing."""
    data = document.data
    event = data["event"]
    if isinstance(event, dict):
        data = {**data, "event": {**event, "watch": _items(event["watch"], WatchRule)}}
    return document._replace(data={**data, "protocol": _items(data["protocol"], Protocol)})


def _items(items: Any, kind: type[msgspec.Struct]) -> Any:
    if not isinstance(items, list | tuple):
        return items
    return [_with_values(item, kind) if isinstance(item, dict) else item for item in items]


def _with_values(item: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    known = kind.__struct_fields__
    return {key: item[key] for key in item if item[key] is not None or key not in known}


def _check_tags(document: Document) -> None:
    """Check names and values of tags; msgspec would not say which tag is wrong."""
    tags = document.data.get("tags")
    for name, value in tags.items() if isinstance(tags, dict) else ():
        if not name:
            raise document.error(("tags", name), "a tag needs a name")
        if not isinstance(value, str):
            raise document.error(("tags", name), f"expected text, got {_quoted(value)}")


def _check_spelling(document: Document, data: Any, typed: Any, path: Path) -> None:
    """Reject 1 for true and 1e3 for 1000, which msgspec's conversion from text accepts."""
    if isinstance(typed, dict):
        for key in data:
            _check_spelling(document, data[key], typed[key], (*path, key))
    elif isinstance(typed, list | tuple):
        for index, (item, typed_item) in enumerate(zip(data, typed, strict=True)):
            _check_spelling(document, item, typed_item, (*path, index))
    elif isinstance(data, str) and not _spelled(data, typed):
        expected = _described(_type_at(Sections, path))
        raise document.error(path, f"expected {expected}, got {_quoted(data)}")


def _spelled(text: str, value: Any) -> bool:
    if isinstance(value, bool):
        return text.lower() in ("true", "false")
    return not isinstance(value, int) or text.isdecimal()


def _check_patterns(document: Document, sections: Sections) -> None:
    for path, pattern in _patterns(sections):
        try:
            compile_pattern(pattern)
        except ValueError as error:
            raise document.error(path, f"no valid regular expression: {error}") from None


def _check_transports(document: Document, sections: Sections) -> None:
    transports = {"event": sections.event.transport, "metric": sections.metric.transport}
    for section, transport in transports.items():
        if found := why_unusable(transport):
            key, why = found
            raise document.error((section, "transport", key), why)


def _check_call_set(document: Document, sections: Sections) -> None:
    """Check the set of system calls; their table is read only if there is one."""
    if not sections.scopetrace.syscalls:
        return
    from scopetrace.syscalls.call_set import UnknownCall, parse_call_set

    try:
        parse_call_set(sections.scopetrace.syscalls)
    except UnknownCall as error:
        raise document.error(("scopetrace", "syscalls"), str(error)) from None


def _patterns(sections: Sections) -> Iterator[tuple[Path, str]]:
    """Yield path and text of each regular expression in the tree."""
    for index, rule in enumerate(sections.event.watch):
        base: Path = ("event", "watch", index)
        yield (*base, "name"), rule.name
        yield (*base, "field"), rule.field
        yield (*base, "value"), rule.value
        for place, header in enumerate(rule.headers):
            yield (*base, "headers", place), header
    for index, protocol in enumerate(sections.protocol):
        yield ("protocol", index, "regex"), protocol.regex
    for name, rules in msgspec.to_builtins(sections.scopetrace.pathclasses).items():
        for index, rule in enumerate(rules):
            # The stock rules are right, and compiling them would take 3 ms of each start.
            if rule not in stock_path_rules():
                yield ("scopetrace", "pathclasses", name, index), rule
