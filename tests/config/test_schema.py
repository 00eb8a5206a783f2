from __future__ import annotations

from typing import Any

import pytest
import yaml
from msgspec import Struct, inspect

from scopetrace.config.schema import Entry, Filter, MetricWatch, Protocol, Sections, WatchRule
from scopetrace.config.stock import stock_text

ITEMS = {WatchRule, MetricWatch, Protocol, Filter, Entry}
"""What stands in lists, or under names of the user's choice."""


def structs(kind: type[Struct] = Sections) -> list[type[Struct]]:
    found = [kind]
    for field in inspect.type_info(kind).fields:
        inner = getattr(field.type, "item_type", field.type)
        if isinstance(inner, inspect.StructType):
            found += structs(inner.cls)
    return found


@pytest.mark.parametrize("kind", [kind for kind in structs() if kind not in ITEMS])
def test_defaults_stand_in_the_stock_file_alone(kind):
    assert all(field.required for field in inspect.type_info(kind).fields)


def test_the_stock_file_holds_every_key_of_the_tree():
    def compare(kind: Any, data: Any) -> None:
        if isinstance(kind, inspect.StructType):
            assert set(data) == {field.encode_name for field in kind.fields}
            for field in kind.fields:
                compare(field.type, data[field.encode_name])

    data = yaml.safe_load(stock_text())
    assert data.pop("custom") == {}
    compare(inspect.type_info(Sections), data)
