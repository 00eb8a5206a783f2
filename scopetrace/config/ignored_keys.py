"""Keys of AppScope that are ignored here, each with a warning that says why.

Keys of `IGNORED` are dropped: scopetrace does the same in another way, or cannot do it. Rules for
types of event that no source makes (`TYPES_NOT_RECORDED`) are checked and kept, with a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from scopetrace.config.schema import Sections, WatchRule

if TYPE_CHECKING:
    from scopetrace.config.document import Document, Path

IGNORED: dict[Path, str] = {
    ("cribl",): "scopetrace sends nothing to Cribl",
    ("metric", "format", "tags"): "tags are at the top level, under `tags`",
    ("payload", "dir"): "payloads are kept in the session file; `scopetrace export` writes files",
    ("libscope", "transport"): "what is recorded goes into the session file",
    ("libscope", "commanddir"): "a recording takes no commands while it runs",
    ("libscope", "snapshot"): "no library is loaded into the program that could take one",
    ("libscope", "log"): "no library is loaded into the program that could log",
    ("output",): "metrics and their destination are under `metric`",
    ("logging",): "no library is loaded into the program that could log",
}
"""Keys of AppScope's tree that are dropped, and why."""

SAME_FOR_ALL = "it is the same for all processes of a session"

IGNORED_IN_CUSTOM: dict[Path, str] = {
    **IGNORED,
    ("metric", "transport"): SAME_FOR_ALL,
    ("metric", "format", "type"): SAME_FOR_ALL,
    ("metric", "format", "statsdprefix"): SAME_FOR_ALL,
    ("metric", "format", "statsdmaxlen"): SAME_FOR_ALL,
    ("event", "transport"): SAME_FOR_ALL,
    ("custom",): "an entry of `custom` cannot hold others",
    ("libscope",): SAME_FOR_ALL,
    ("scopetrace",): SAME_FOR_ALL,
}
"""Keys that are dropped from the `config` of an entry of `custom`, and why."""

TYPES_NOT_RECORDED = frozenset({"syslog", "sec"})
"""Types of event that no source makes."""

KEYS_OF_SOME_TYPES: dict[str, frozenset[str]] = {
    "field": frozenset({"fs", "process", "net", "http", "dns", "metric"}),
    "headers": frozenset({"http"}),
    "allowbinary": frozenset({"file", "console"}),
}
"""Keys of a rule that have an effect for these types only."""


def has_effect(key: str, kind: str) -> bool:
    """Return whether `key` of a rule has an effect for events of type `kind`."""
    return key not in KEYS_OF_SOME_TYPES or kind in KEYS_OF_SOME_TYPES[key]


def without_ignored(document: Document) -> tuple[Document, list[str]]:
    """Return the tree without the keys that are ignored, and a warning for each of them."""
    table = IGNORED_IN_CUSTOM if document.prefix else IGNORED
    data, said = document.data, []
    for path, why in table.items():
        if _holds(data, path):
            said.append(document.sentence(path, f"ignored: {why}"))
            data = _without(data, path)
    return document._replace(data=data), said


def not_recorded(document: Document, sections: Sections) -> list[str]:
    """Return a warning for each event rule without effect, and for each such key of a rule.

    Args:
        document: The tree as it was written.
        sections: The same tree, converted and checked.
    """
    warnings: list[str] = []
    if _holds(document.data, ("event", "watch")):
        for index, rule in enumerate(sections.event.watch):
            base: Path = ("event", "watch", index)
            found = _without_effect(rule, sections.metric.enable)
            warnings += (document.sentence((*base, *key), why) for key, why in found)
    return warnings


def _without_effect(rule: WatchRule, metrics_enabled: bool) -> Iterator[tuple[Path, str]]:
    """Yield the keys of a rule that have no effect, and why; the empty path is the rule itself."""
    if rule.type in TYPES_NOT_RECORDED:
        yield (), f"this version records no events of type {rule.type}"
        return
    if rule.type == "metric" and not metrics_enabled:
        yield (), "there are no such events while metric.enable is false"
    unset = WatchRule(type=rule.type)
    for key in KEYS_OF_SOME_TYPES:
        if not has_effect(key, rule.type) and getattr(rule, key) != getattr(unset, key):
            yield (key,), f"ignored: it has no effect for type {rule.type}"


def transport_warnings(document: Document, sections: Sections) -> list[str]:
    """Return a warning for each key of a destination that makes it unsafe or has no effect."""
    said = []
    for name, section in (("event", sections.event), ("metric", sections.metric)):
        transport, base = section.transport, (name, "transport", "tls")
        if transport.type != "none" and not section.enable:
            why = f"nothing is sent there while {name}.enable is false"
            said.append(document.sentence((name, "transport", "type"), why))
        if transport.encrypted and not transport.tls.validateserver:
            why = "the server's certificate is not checked: any server can read what is sent"
            said.append(document.sentence((*base, "validateserver"), why))
        if transport.tls.enable and transport.type in ("file", "unix", "udp"):
            why = f"ignored: it has no effect for type {transport.type}"
            said.append(document.sentence((*base, "enable"), why))
    return said


def _holds(data: Any, path: Path) -> bool:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


def _without(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a copy of `data` without the key at `path`, which is there."""
    key, *rest = path
    if rest:
        return {**data, str(key): _without(data[str(key)], tuple(rest))}
    return {name: value for name, value in data.items() if name != key}
