"""The configuration as YAML: what `load_config` would read as the same configuration."""

from __future__ import annotations

from typing import Any

import yaml
from msgspec import to_builtins

from scopetrace.config.join import sections_data
from scopetrace.config.meaning import means_something
from scopetrace.config.schema import Config, Custom, WatchRule

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def dump_config(config: Config) -> str:
    """Write the effective configuration as YAML, after a comment that says where it came from."""
    data = _shortened(sections_data(config))
    data["custom"] = {entry.name: _entry(entry) for entry in config.custom}
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    origin = str(config.path or "the stock configuration")
    return f"# {''.join(sign if sign.isprintable() else '?' for sign in origin)}\n{text}"


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
