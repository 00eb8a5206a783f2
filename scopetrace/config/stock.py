"""The stock file: all keys of scope.yml with their defaults, as the package installs it.

To import PyYAML takes a fifth of the CPU time of `scopetrace run`. So the build parses the stock
file, and the package has it as JSON, too.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from scopetrace.config.document import Document
from scopetrace.config.find import STOCK, read_text

BUILT = STOCK.with_suffix(".json")
"""The stock file, parsed; a checkout has none."""


def stock_text() -> str:
    """Return the text of the stock file: the defaults, with comments."""
    return read_text(STOCK)


@cache
def stock() -> Document:
    """Return the stock file, parsed."""
    try:
        data, places = json.loads(BUILT.read_bytes())
    except FileNotFoundError:
        return _parsed()
    return Document(data, {tuple(path): place for path, place in places})


def write_built(path: Path) -> None:
    """Write what `stock` reads."""
    document = _parsed()
    path.write_text(json.dumps([document.data, list(document.places.items())]))


def _parsed() -> Document:
    from scopetrace.config.parse import parse_document

    return parse_document(stock_text(), STOCK.name)


@cache
def stock_path_rules() -> frozenset[str]:
    """Return the regular expressions of its section `pathclasses`."""
    return frozenset(
        rule for rules in stock().data["scopetrace"]["pathclasses"].values() for rule in rules
    )
