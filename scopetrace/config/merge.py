"""Merge configurations: a later value overrides an earlier one, key by key.

YAML is not needed here: the recorder merges `custom` entries while it records.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import to_builtins

from scopetrace.config.schema import Config, Custom, Sections


def apply_custom(config: Config, entries: Iterable[Custom]) -> Config:
    """Return the configuration for a process whose entries of `config.custom` are `entries`."""
    data = sections_data(config)
    for entry in entries:
        data = merged(data, entry.config)
    sections = msgspec.convert(data, Sections)
    return config_of(sections, config.custom, config.path, config.warnings)


def sections_data(sections: Sections) -> dict[str, Any]:
    """Return the tree without `custom` as plain data."""
    return {name: to_builtins(getattr(sections, name)) for name in Sections.__struct_fields__}


def config_of(
    sections: Sections, custom: tuple[Custom, ...], path: Path | None, warnings: tuple[str, ...]
) -> Config:
    """Return a configuration with these sections."""
    given = {name: getattr(sections, name) for name in Sections.__struct_fields__}
    return Config(**given, custom=custom, path=path, warnings=warnings)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `changes` in place of its own."""
    result = dict(base)
    for key, value in changes.items():
        before = base.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            result[key] = merged(before, value)
        elif value is not None or before is None:
            result[key] = value
        elif isinstance(before, list | tuple):
            result[key] = []
    return result
