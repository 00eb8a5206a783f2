"""The stock file: all keys of scope.yml with their defaults, as the package installs it."""

from __future__ import annotations

from functools import cache

from scopetrace.config.document import Document, parse_document
from scopetrace.config.find import STOCK, read_text


def stock_text() -> str:
    """Return the text of the stock file: the defaults, with comments."""
    return read_text(STOCK)


@cache
def stock() -> Document:
    """Return the stock file, parsed once."""
    return parse_document(stock_text(), STOCK.name)


@cache
def stock_path_rules() -> frozenset[str]:
    """Return the regular expressions of its section `pathclasses`."""
    return frozenset(
        rule for rules in stock().data["scopetrace"]["pathclasses"].values() for rule in rules
    )
