"""The configuration as plain data: the tree that `load_config` would read as the same one.

Nothing here knows YAML, since the recorder tells others of it.
"""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from scopetrace.config.join import sections_data
from scopetrace.config.meaning import means_something
from scopetrace.config.schema import Config, Custom, WatchRule


def config_data(config: Config) -> dict[str, Any]:
    """Return the whole effective tree."""
    data = _shortened(sections_data(config))
    data["custom"] = {entry.name: _entry(entry) for entry in config.custom}
    return data


def _entry(entry: Custom) -> dict[str, Any]:
    given = {key: value for key, value in to_builtins(entry.filter).items() if value is not None}
    return {"filter": given, "config": _shortened(entry.config)}


def _shortened(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out the keys of event rules that nobody set and that mean nothing for their type."""
    event = data.get("event", {})
    if "watch" not in event:
        return data
    rules = [
        {key: rule[key] for key in rule if means_something(key, rule["type"]) or _is_set(rule, key)}
        for rule in event["watch"]
    ]
    return {**data, "event": {**event, "watch": rules}}


def _is_set(rule: dict[str, Any], key: str) -> bool:
    return bool(rule[key] != getattr(WatchRule(type=rule["type"]), key))
