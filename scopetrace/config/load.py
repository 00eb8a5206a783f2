"""The configuration, found, read, checked and overridden.

Later words win: the stock file, the file found, SCOPE_* variables. Mappings are joined key by key;
a list replaces the list before it, so a type that `watch` does not name is off. A key without a
value changes nothing, except that a list without a value is empty.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from scopetrace.config.appscope import adapted
from scopetrace.config.convert import check_entry, to_filter, to_sections
from scopetrace.config.document import Document, parse_document
from scopetrace.config.environment import expander, overridden
from scopetrace.config.find import STOCK, Found, find_config, read_text
from scopetrace.config.ignored_keys import doubtful_transports, not_recorded, without_meaningless
from scopetrace.config.merge import config_of, joined, sections_data
from scopetrace.config.schema import Config, Custom, Sections


def load_config(userconfig: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Find, read and check the configuration.

    Args:
        userconfig: A file that comes before all others, as `run -u` names it.

    Raises:
        ConfigError: Names file, line and key, or the variable that is wrong.
    """
    return built(find_config(userconfig, environ), environ)


def check_config(path: Path) -> Config:
    """Read and check one file by itself: no search, no variables. See `Config.warnings`.

    Raises:
        ConfigError: Names file, line and key.
    """
    return built(Found(path, read_text(path)), {})


def stock_text() -> str:
    """Return the stock file: the defaults, every key explained."""
    return read_text(STOCK)


def built(found: Found, environ: Mapping[str, str]) -> Config:
    """Return the configuration that a file which was found comes to.

    Raises:
        ConfigError: Names file, line and key, or the variable that is wrong.
    """
    said, warnings = _understood(_parsed(found, environ))
    custom = said.data.get("custom")
    whole = _over_stock(said)
    sections = to_sections(whole)  # Before anything is overridden: first the file must be right.
    final, unused = overridden(whole, environ, _stock().data)
    if final is not whole:
        sections = to_sections(final)
    warnings = [*found.warnings, *said.doubts, *warnings, *unused, *not_recorded(final, sections)]
    warnings += doubtful_transports(final, sections)
    entries, doubts = _customs(said._replace(data={"custom": custom}), sections)
    path = found.path.absolute() if found.path else None
    return config_of(sections, entries, path, (*warnings, *doubts))


def _understood(said: Document) -> tuple[Document, list[str]]:
    """Return what was said without what means nothing here, and a warning for each of that."""
    said, ignored = without_meaningless(said)
    said, foreign = adapted(said)
    return said, ignored + foreign


def _parsed(found: Found, environ: Mapping[str, str]) -> Document:
    name = "scope.yml" if found.path is None else str(found.path)
    return parse_document(found.text, name, expander(environ))


@cache
def _stock() -> Document:
    return parse_document(stock_text(), "scope.yml")


def _over_stock(said: Document) -> Document:
    data = joined(_stock().data, said.data)
    del data["custom"]
    return Document(data, _stock().places | said.places)


def _customs(said: Document, sections: Sections) -> tuple[tuple[Custom, ...], list[str]]:
    """Convert the entries of `custom`, each checked as if it were the only one."""
    entries = said.data["custom"] or {}
    if not isinstance(entries, dict):
        raise said.complaint(("custom",), "expected keys and values")
    data = {name: _entry(said, name, entry) for name, entry in entries.items()}
    said = said._replace(data={"custom": data})
    found, warnings = [], []
    for name in data:
        custom, doubts = _custom(name, said.under("custom", name), sections)
        found.append(custom)
        warnings += doubts
    return tuple(found), warnings


def _entry(said: Document, name: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise said.complaint(("custom", name), "expected the keys filter and config")
    return joined({"filter": {}, "config": {}}, entry)


def _custom(name: str, said: Document, sections: Sections) -> tuple[Custom, list[str]]:
    check_entry(said)
    config, warnings = _understood(said.under("config"))
    result = to_sections(config._replace(data=joined(sections_data(sections), config.data)))
    warnings += not_recorded(config, result)
    effective = _restricted(sections_data(result), config.data)
    return Custom(name=name, filter=to_filter(said.under("filter")), config=effective), warnings


def _restricted(typed: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Return those keys of `typed` that were said."""
    found = {}
    for key, value in said.items():
        if isinstance(value, dict):
            found[key] = _restricted(typed[key], value)
        elif value is not None or isinstance(typed[key], list | tuple):
            found[key] = typed[key]
    return found
