"""The rules that apply to one process: what is wanted before, what is admitted after.

`wants`, `content` and `admits` are asked for every operation and every event. The first two answer
from bounded dictionaries; the last gives an event back at once unless a rule of its type looks at
fields or values. Rules of one type are alternatives: what any of them wants is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from scopetrace.config.ignored_keys import has_effect
from scopetrace.config.patterns import Pattern, compile_pattern, matches_everything
from scopetrace.config.schema import Config, WatchRule
from scopetrace.model.event import Event
from scopetrace.model.form import fields_of

MAX_CACHED = 4096
"""Answers remembered of each kind; when there are more, all are forgotten."""

ALWAYS = "notice"
"""The type of event that no configuration can switch off."""
CONTENT = ("file", "console")
"""Types of events whose rules are asked for each line that is written (`Content`)."""


WHOSE_PAYLOAD = WatchRule(type="net", name=r"^net\.(open|close)$")
"""A rule of each configuration that keeps payloads: the events name both ends of the flow."""


class _Rule(NamedTuple):
    """One rule of `event.watch`, compiled; None is found in everything."""

    name: Pattern | None
    field: Pattern | None
    value: Pattern | None
    allow_binary: bool

    def is_named(self, source: str) -> bool:
        return self.name is None or self.name.search(source)

    def finds_value(self, data: dict[str, Any]) -> bool:
        return self.value is None or any(map(self.value.search, _texts(data)))

    def keeps(self, field: str) -> bool:
        return self.field is None or self.field.search(field)


class Content:
    """What the rules want of what is written to one file or console."""

    __slots__ = ("allow_binary", "values")

    def __init__(self, rules: Iterable[_Rule]) -> None:
        rules = tuple(rules)
        self.allow_binary = any(rule.allow_binary for rule in rules)
        """Whether it may be no text."""
        values = [rule.value for rule in rules]
        self.values = None if None in values else [value for value in values if value is not None]
        """What one of is to be found in a line; None: all lines are wanted."""

    def fitting(self, text: str) -> str:
        """Return the lines of a text that are wanted; each is searched without its line end."""
        if self.values is None:
            return text
        lines = text.split("\n")
        last = lines.pop()  # what follows the last line end, if anything does
        kept = [f"{line}\n" for line in lines if self._fits(line)]
        if last and self._fits(last):
            kept.append(last)
        return "".join(kept)

    def _fits(self, line: str) -> bool:
        return any(value.search(line) for value in self.values or ())


class Rules:
    """What one configuration wants. Shared by all processes that it applies to."""

    def __init__(self, config: Config) -> None:
        self.config = config
        """The effective configuration, entries of `custom` applied."""
        self.environment = config.scopetrace.environment
        """Whether proc.start has the environment."""
        self.flow_memory = config.scopetrace.flowmemory
        """Bytes that may be held of a flow."""
        self.flow_snaplen = config.scopetrace.flowsnaplen
        """Bytes that are recorded of one call that carries bytes of a flow."""
        self.http_headers = tuple(
            header for rule in config.event.watch if rule.type == "http" for header in rule.headers
        )
        """Expressions for the headers that http events have."""
        self.protocols = config.protocol
        """Protocols that are recognised besides those with a signature, or instead."""
        self.tags = config.tags
        """The tags of all events and metrics."""
        self.verbosity = config.metric.format.verbosity
        """How many tags metrics have, 0 to 9."""
        self.enhancefs = config.event.format.enhancefs
        """Whether events of files say whose file it is."""
        self.most_per_second = config.event.format.maxeventpersec
        """Events that a process may make in a second; 0: any number."""
        self.measures = frozenset(rule.type for rule in config.metric.watch if config.metric.enable)
        """Types of metrics that are recorded."""
        self.payloads = config.payload.enable
        """Whether the bytes of every flow are kept."""
        self.may_keep = self.payloads or any(entry.payload for entry in config.protocol)
        """Whether the bytes of some flow may be kept."""
        watched = config.event.watch if config.event.enable else ()
        if self.may_keep:
            watched = (*watched, WHOSE_PAYLOAD)
        self._rules: dict[str, list[_Rule]] = {}
        for rule in watched:
            self._rules.setdefault(rule.type, []).append(_compiled(rule))
        self.choosy = {
            kind
            for kind, rules in self._rules.items()
            if kind not in CONTENT and any(rule.field or rule.value for rule in rules)
        }
        """Types of events that `admits` may change or refuse."""
        self._wanted: dict[str, dict[str, bool]] = {}
        self._contents: dict[tuple[str, ...], Content | None] = {}

    def wants(self, sourcetype: str, source: str) -> bool:
        """Return whether an event of this name is wanted, whatever it will hold."""
        wanted = self._wanted.get(sourcetype)
        if wanted is None:
            wanted = self._wanted[sourcetype] = {}
        found = wanted.get(source)
        if found is None:
            found = sourcetype == ALWAYS or self._is_named(sourcetype, source)
            if len(wanted) >= MAX_CACHED:
                wanted.clear()
            wanted[source] = found
        return found

    def content(self, sourcetype: str, *names: str) -> Content | None:
        """Return what is wanted of what is written to a file or console; None: nothing.

        `names` are all that it is called; a rule that any of them fits is about it.
        """
        asked = (sourcetype, *names)
        if asked in self._contents:
            return self._contents[asked]
        rules = self._rules.get(sourcetype, ())
        about = [rule for rule in rules if any(map(rule.is_named, names))]
        if len(self._contents) >= MAX_CACHED:
            self._contents.clear()
        found = self._contents[asked] = Content(about) if about else None
        return found

    def console(self, stream: str) -> bool:
        """Return whether what is written to 'stdout' or 'stderr' is wanted."""
        return self.wants("console", stream)

    def watches(self, sourcetype: str) -> bool:
        """Return whether there is any rule for this type of event."""
        return sourcetype == ALWAYS or sourcetype in self._rules

    def admits(self, event: Event) -> Event | None:
        """Return the event as it is to be recorded, without unwanted fields; None: not at all."""
        if event.sourcetype not in self.choosy:
            return event
        data = fields_of(event.data)
        rules = [
            rule
            for rule in self._rules[event.sourcetype]
            if rule.is_named(event.source) and rule.finds_value(data)
        ]
        if not rules:
            return None
        kept = {
            field: value
            for field, value in data.items()
            if any(rule.keeps(field) for rule in rules)
        }
        return event if len(kept) == len(data) else event._replace(data=kept)

    def _is_named(self, sourcetype: str, source: str) -> bool:
        return any(rule.is_named(source) for rule in self._rules.get(sourcetype, ()))


def _compiled(rule: WatchRule) -> _Rule:
    field = rule.field if has_effect("field", rule.type) else ".*"
    return _Rule(
        _pattern(rule.type, "name", rule.name),
        _pattern(rule.type, "field", field),
        _pattern(rule.type, "value", rule.value),
        rule.allowbinary,
    )


def _pattern(kind: str, key: str, text: str) -> Pattern | None:
    return None if matches_everything(text) else compile_pattern(text, f"{key} of type {kind}")


def _texts(data: Any) -> list[str]:
    """Return the values in `data` as text, those in lists and mappings one by one."""
    if isinstance(data, str):
        return [data]
    if isinstance(data, dict):
        return [text for value in data.values() for text in _texts(value)]
    if isinstance(data, list | tuple):
        return [text for value in data for text in _texts(value)]
    if isinstance(data, bool):
        return ["true" if data else "false"]
    return [] if data is None else [str(data)]
