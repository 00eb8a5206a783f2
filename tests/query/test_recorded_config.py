"""Reading parts of the configuration that a session was recorded with."""

from __future__ import annotations

import pytest

from scopetrace.query.recorded_config import config_section

JSON = '# /etc/scopetrace/scope.yml\n{"a": {"b": {"c": 1}}}'


@pytest.mark.parametrize("config", [JSON, "a: {b: {c: 1}}"])
def test_a_section_is_found_by_its_keys(config: str) -> None:
    assert config_section(config, "a", "b") == {"c": 1}


@pytest.mark.parametrize("config", ["", "a:", "a: 1", "a: {b: [1]}", "- a", "[" * 100_000])
def test_a_section_that_is_missing_or_no_mapping_is_empty(config: str) -> None:
    assert config_section(config, "a", "b") == {}
