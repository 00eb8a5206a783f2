"""Environment variables: SCOPE_* override single keys, and $NAME in a value is replaced.

A variable with a wrong value is an error that names it; one that has no effect is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from scopetrace.config.destination import parse_destination
from scopetrace.config.document import Document, Path
from scopetrace.config.variables import (
    DESTINATIONS,
    KEYS,
    RULE_KEYS,
    SWITCHES,
    TAG,
    is_tag,
    why_unused,
)
from scopetrace.errors import ConfigError

Row = TypeVar("Row")
Rules = list[dict[str, Any]]

_NAME = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)


def expander(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function that replaces $NAME and ${NAME}; unset variables are left as they are."""

    def expand(text: str) -> str:
        if "$" not in text:
            return text
        return _NAME.sub(lambda found: environ.get(found[1] or found[2], found[0]), text)

    return expand


def apply_environment(
    document: Document, environ: Mapping[str, str], stock: dict[str, Any]
) -> tuple[Document, list[str]]:
    """Apply the SCOPE_* variables to a whole, valid tree.

    Args:
        stock: The tree of the stock file, with the rules for a type that is switched on.

    Returns:
        The new tree, and a warning for each variable that has no effect.

    Raises:
        ConfigError: The value of a variable is wrong.
    """
    variables = {name: environ[name] for name in sorted(environ) if name.startswith("SCOPE_")}
    return _Overrides(document, variables, stock).apply() if variables else (document, [])


class _Overrides:
    """One application of the variables to one tree, which it does not change in place."""

    def __init__(
        self, document: Document, variables: dict[str, str], stock: dict[str, Any]
    ) -> None:
        self._document = document
        self._variables = variables
        self._stock = stock
        self._warnings: list[str] = []

    def apply(self) -> tuple[Document, list[str]]:
        """Apply all variables; switches first, since later ones set keys of the rules they add."""
        for name, path in self._given(KEYS):
            self._set(path, self._text(name), name)
        for name, section in self._given(DESTINATIONS):
            self._set_destination(name, section)
        for name, (section, kind) in self._given(SWITCHES):
            self._switch(name, section, kind)
        for name, (kind, key) in self._given(RULE_KEYS):
            self._set_in_rules(name, kind, key)
        for name in filter(is_tag, self._variables):
            self._set(("tags", name.removeprefix(TAG)), self._text(name), name)
        for name in self._variables:
            if why := why_unused(name):
                self._warnings.append(f"{name}: ignored: {why}")
        return self._document, self._warnings

    def _given(self, table: dict[str, Row]) -> Iterator[tuple[str, Row]]:
        return ((name, row) for name, row in table.items() if name in self._variables)

    def _text(self, name: str) -> str:
        text = self._variables[name]
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ConfigError(f"{name}: its value is no UTF-8 text") from None
        return text

    def _boolean(self, name: str) -> bool:
        text = self._text(name)
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"{name}: expected true or false, got {text!r}")
        return text.lower() == "true"

    def _set(self, path: Path, value: Any, name: str) -> None:
        document = self._document.with_value(path, value)
        self._document = document._replace(places={**document.places, path: name})

    def _set_destination(self, name: str, section: str) -> None:
        """Set the keys of a `transport` from one word such as tcp://host:9109."""
        try:
            keys = parse_destination(self._text(name))
        except ValueError as error:
            raise ConfigError(f"{name}: {error}") from None
        for key, value in keys.items():
            self._set((section, "transport", key), value, name)

    def _rules(self, section: str) -> Rules:
        rules: Rules = self._document.data[section]["watch"]
        return rules

    def _switch(self, name: str, section: str, kind: str) -> None:
        """Remove the rules of one type, or add the stock rules if there are none."""
        wanted = self._boolean(name)
        rules = self._rules(section)
        others = [index for index, rule in enumerate(rules) if rule["type"] != kind]
        if wanted and len(others) == len(rules):
            stock: Rules = self._stock[section]["watch"]
            added = [rule for rule in stock if rule["type"] == kind]
            for rule in added or [{"type": kind}]:
                self._add_rule(section, rule, name)
        elif not wanted and len(others) < len(rules):
            self._document = self._document.keeping((section, "watch"), others)

    def _add_rule(self, section: str, rule: dict[str, Any], name: str) -> None:
        path, rules = (section, "watch"), self._rules(section)
        document = self._document.with_value(path, [*rules, rule])
        places = {**document.places, (*path, len(rules)): name}
        self._document = document._replace(places=places)

    def _set_in_rules(self, name: str, kind: str, key: str) -> None:
        text = self._text(name)
        rules = self._rules("event")
        indices = [index for index, rule in enumerate(rules) if rule["type"] == kind]
        if not indices:
            self._warnings.append(f"{name}: ignored: event.watch has no rule of type {kind}")
        for index in indices:
            value = [text] if key == "headers" else text
            self._set(("event", "watch", index, key), value, name)
