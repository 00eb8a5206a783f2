"""Configurations joined: what is said later wins, key by key.

Nothing here reads YAML: the recorder joins `custom` entries long after the files were read.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import to_builtins

from scopetrace.config.schema import Config, Custom, Sections


def customised(config: Config, entries: Iterable[Custom]) -> Config:
    """Return what applies to a process that `entries` of `config.custom` are about."""
    data = sections_data(config)
    for entry in entries:
        data = joined(data, entry.config)
    sections = msgspec.convert(data, Sections)
    return config_of(sections, config.custom, config.path, config.warnings)


def sections_data(sections: Sections) -> dict[str, Any]:
    """Return the tree but for `custom` as plain data."""
    return {name: to_builtins(getattr(sections, name)) for name in Sections.__struct_fields__}


def config_of(
    sections: Sections, custom: tuple[Custom, ...], path: Path | None, warnings: tuple[str, ...]
) -> Config:
    """Return a configuration with these sections."""
    given = {name: getattr(sections, name) for name in Sections.__struct_fields__}
    return Config(**given, custom=custom, path=path, warnings=warnings)


def joined(base: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with what `said` says instead."""
    result = dict(base)
    for key, value in said.items():
        before = base.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            result[key] = joined(before, value)
        elif value is not None or before is None:
            result[key] = value
        elif isinstance(before, list | tuple):
            result[key] = []
    return result
