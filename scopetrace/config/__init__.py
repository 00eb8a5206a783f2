"""scope.yml: found, read, overridden from the environment, complained about by line and key."""

from __future__ import annotations

from scopetrace.config.dump import dump_config
from scopetrace.config.load import check_config, customised, load_config, stock_text
from scopetrace.config.meaning import means_something
from scopetrace.config.patterns import compile_pattern, matches_everything
from scopetrace.config.schema import Config, Custom, Filter, WatchRule

__all__ = [
    "Config",
    "Custom",
    "Filter",
    "WatchRule",
    "check_config",
    "compile_pattern",
    "customised",
    "dump_config",
    "load_config",
    "matches_everything",
    "means_something",
    "stock_text",
]
