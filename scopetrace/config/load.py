"""Load the configuration: find it, read it, apply the environment, check it.

Later sources override earlier ones: the stock file, the file that was found, SCOPE_* variables.
Mappings are merged key by key; a list replaces the earlier list, so a type that `watch` does not
list is off. A key without a value changes nothing, but a list without a value is empty.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scopetrace.config.appscope import adapt_appscope
from scopetrace.config.convert import check_entry, to_filter, to_sections
from scopetrace.config.document import Document
from scopetrace.config.environment import apply_environment, expander
from scopetrace.config.find import Found, find_config, read_text
from scopetrace.config.ignored_keys import not_recorded, transport_warnings, without_ignored
from scopetrace.config.merge import config_of, merged, sections_data
from scopetrace.config.schema import Config, Custom, Sections
from scopetrace.config.stock import stock


def load_config(userconfig: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Find, read and check the configuration.

    Args:
        userconfig: A file that comes before all others, as `run -u` names it.

    Raises:
        ConfigError: Names file, line and key, or the variable that is wrong.
    """
    return build_config(find_config(userconfig, environ), environ)


def check_config(path: Path) -> Config:
    """Read and check one file by itself: no search, no variables. See `Config.warnings`.

    Raises:
        ConfigError: Names file, line and key.
    """
    return build_config(Found(path, read_text(path)), {})


def build_config(found: Found, environ: Mapping[str, str]) -> Config:
    """Return the configuration for a file that was found.

    Raises:
        ConfigError: Names file, line and key, or the variable that is wrong.
    """
    said, warnings = _without_appscope(_parsed(found, environ))
    custom = said.data.get("custom")
    whole = _over_stock(said)
    sections = to_sections(whole)  # Before anything is overridden: first the file must be right.
    final, unused = apply_environment(whole, environ, stock().data)
    if final is not whole:
        sections = to_sections(final)
    warnings = [*found.warnings, *said.warnings, *warnings, *unused, *not_recorded(final, sections)]
    warnings += transport_warnings(final, sections)
    entries, custom_warnings = _customs(said._replace(data={"custom": custom}), sections)
    path = found.path.absolute() if found.path else None
    return config_of(sections, entries, path, (*warnings, *custom_warnings))


def _without_appscope(said: Document) -> tuple[Document, list[str]]:
    """Return the tree without AppScope's values that do nothing here, and a warning for each."""
    said, ignored = without_ignored(said)
    said, adapted = adapt_appscope(said)
    return said, ignored + adapted


def _parsed(found: Found, environ: Mapping[str, str]) -> Document:
    name = "scope.yml" if found.path is None else str(found.path)
    if not found.text:
        return Document({}, {(): name})
    from scopetrace.config.parse import parse_document

    return parse_document(found.text, name, expander(environ))


def _over_stock(said: Document) -> Document:
    data = merged(stock().data, said.data)
    del data["custom"]
    return Document(data, stock().places | said.places)


def _customs(said: Document, sections: Sections) -> tuple[tuple[Custom, ...], list[str]]:
    """Convert the entries of `custom`; each is checked as if it were the only one."""
    entries = said.data["custom"] or {}
    if not isinstance(entries, dict):
        raise said.error(("custom",), "expected keys and values")
    data = {name: _entry(said, name, entry) for name, entry in entries.items()}
    said = said._replace(data={"custom": data})
    found, warnings = [], []
    for name in data:
        custom, found_warnings = _custom(name, said.under("custom", name), sections)
        found.append(custom)
        warnings += found_warnings
    return tuple(found), warnings


def _entry(said: Document, name: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise said.error(("custom", name), "expected the keys filter and config")
    return merged({"filter": {}, "config": {}}, entry)


def _custom(name: str, said: Document, sections: Sections) -> tuple[Custom, list[str]]:
    check_entry(said)
    config, warnings = _without_appscope(said.under("config"))
    result = to_sections(config._replace(data=merged(sections_data(sections), config.data)))
    warnings += not_recorded(config, result)
    effective = _restricted(sections_data(result), config.data)
    return Custom(name=name, filter=to_filter(said.under("filter")), config=effective), warnings


def _restricted(typed: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of `typed` that are in `said`."""
    found = {}
    for key, value in said.items():
        if isinstance(value, dict):
            found[key] = _restricted(typed[key], value)
        elif value is not None or isinstance(typed[key], list | tuple):
            found[key] = typed[key]
    return found
