"""scope.yml: found, read, overridden from the environment, complained about by line and key.

What is offered here is imported when it is asked for: a recorder is handed its configuration and
never reads YAML.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scopetrace.config.destination import parse_destination, spell_destination
    from scopetrace.config.dump import dump_config
    from scopetrace.config.join import customised
    from scopetrace.config.load import check_config, load_config, stock_text
    from scopetrace.config.meaning import means_something
    from scopetrace.config.parcel import pack_config, unpack_config
    from scopetrace.config.patterns import (
        Pattern,
        compile_pattern,
        limit_searches,
        matches_everything,
        note_time,
        take_given_up,
    )
    from scopetrace.config.plain import config_data
    from scopetrace.config.schema import Config, Custom, Filter, MetricFormat, Transport, WatchRule

_PLACES = {
    "Config": "schema",
    "Custom": "schema",
    "Filter": "schema",
    "MetricFormat": "schema",
    "Pattern": "patterns",
    "Transport": "schema",
    "WatchRule": "schema",
    "check_config": "load",
    "compile_pattern": "patterns",
    "config_data": "plain",
    "customised": "join",
    "dump_config": "dump",
    "limit_searches": "patterns",
    "load_config": "load",
    "matches_everything": "patterns",
    "means_something": "meaning",
    "note_time": "patterns",
    "pack_config": "parcel",
    "parse_destination": "destination",
    "spell_destination": "destination",
    "stock_text": "load",
    "take_given_up": "patterns",
    "unpack_config": "parcel",
}
"""Public name → the module that has it."""

__all__ = [
    "Config",
    "Custom",
    "Filter",
    "MetricFormat",
    "Pattern",
    "Transport",
    "WatchRule",
    "check_config",
    "compile_pattern",
    "config_data",
    "customised",
    "dump_config",
    "limit_searches",
    "load_config",
    "matches_everything",
    "means_something",
    "note_time",
    "pack_config",
    "parse_destination",
    "spell_destination",
    "stock_text",
    "take_given_up",
    "unpack_config",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'scopetrace.config' has no attribute {name!r}")
    return getattr(import_module(f"scopetrace.config.{_PLACES[name]}"), name)
