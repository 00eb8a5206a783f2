from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.config.find import Found
from scopetrace.config.load import build_config
from scopetrace.config.merge import apply_custom, merged, sections_data


@pytest.mark.parametrize(
    ("base", "said", "result"),
    [
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [1, 2]}, {"a": None}, {"a": []}),
        ({"a": 1}, {"a": None}, {"a": 1}),
        ({}, {"a": None}, {"a": None}),
    ],
)
def test_what_is_said_later_wins_key_by_key(base, said, result):
    before = repr(base)
    assert merged(base, said) == result
    assert repr(base) == before, "the base is left as it is"


CUSTOM = """
custom:
  quiet:
    filter: {procname: cron}
    config: {payload: {enable: true}}
"""


def test_a_custom_entry_changes_only_what_it_says():
    config = build_config(Found(Path("scope.yml"), CUSTOM), {})

    changed = apply_custom(config, config.custom)

    assert changed.payload.enable and not config.payload.enable
    assert (changed.custom, changed.warnings) == (config.custom, config.warnings)
    assert {**sections_data(changed), "payload": None} == {**sections_data(config), "payload": None}
