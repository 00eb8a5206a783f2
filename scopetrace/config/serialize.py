"""A configuration written down: as plain data, YAML, JSON, and as bytes for the recorder.

All of these read as the same configuration again, as JSON is YAML. To import PyYAML takes a fifth
of the CPU time of `scopetrace run`, so only what prints a configuration for a reader does it.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from scopetrace.config.ignored_keys import has_effect
from scopetrace.config.merge import sections_data
from scopetrace.config.schema import Config, Custom, WatchRule


def config_data(config: Config) -> dict[str, Any]:
    """Return the whole effective tree as plain data."""
    data = _without_ignored(sections_data(config))
    data["custom"] = {entry.name: _custom_data(entry) for entry in config.custom}
    return data


def dump_config(config: Config) -> str:
    """Return the effective configuration as YAML, after a comment that names its file.

    Characters that cannot be printed are escaped, together with all that is not ASCII: YAML allows
    a text to change the direction of writing, for instance.
    """
    data = config_data(config)
    text = _yaml(data, allow_unicode=True)
    if not text.replace("\n", "").isprintable():
        text = _yaml(data, allow_unicode=False)
    return _origin(config) + text


def dump_for_session(config: Config) -> str:
    """Return the effective configuration as JSON, after a comment that names its file."""
    return _origin(config) + json.dumps(config_data(config), indent=1)


def _origin(config: Config) -> str:
    origin = str(config.path or "the stock configuration")
    return f"# {''.join(sign if sign.isprintable() else '?' for sign in origin)}\n"


def pack_config(config: Config) -> bytes:
    """Return the bytes that `unpack_config` takes; path and warnings are left out."""
    return msgspec.msgpack.encode(msgspec.structs.replace(config, path=None, warnings=()))


def unpack_config(packed: bytes) -> Config:
    """Return the configuration that `pack_config` packed."""
    return msgspec.msgpack.decode(packed, type=Config)


def _custom_data(entry: Custom) -> dict[str, Any]:
    conditions = msgspec.to_builtins(entry.filter)
    given = {key: value for key, value in conditions.items() if value is not None}
    return {"filter": given, "config": _without_ignored(entry.config)}


def _without_ignored(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out the keys of event rules that are not set and are ignored for the rule's type."""
    event = data.get("event", {})
    if "watch" not in event:
        return data
    rules = [
        {key: rule[key] for key in rule if has_effect(key, rule["type"]) or _is_set(rule, key)}
        for rule in event["watch"]
    ]
    return {**data, "event": {**event, "watch": rules}}


def _is_set(rule: dict[str, Any], key: str) -> bool:
    return bool(rule[key] != getattr(WatchRule(type=rule["type"]), key))


def _yaml(data: dict[str, Any], allow_unicode: bool) -> str:
    import yaml

    text: str = yaml.dump(
        data,
        Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),
        sort_keys=False,
        allow_unicode=allow_unicode,
        default_flow_style=False,
    )
    return text
