"""The variables against the stock file: each is named there, and each that is named works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from scopetrace.config.find import Found
from scopetrace.config.load import build_config, sections_data
from scopetrace.config.stock import stock_text
from scopetrace.config.variables import (
    DESTINATIONS,
    IGNORED_PREFIXES,
    KEYS,
    OUR_PREFIXES,
    RULE_KEYS,
    SWITCHES,
    why_unused,
)

CHOICES = ("SCOPE_METRIC_FORMAT", "SCOPE_EVENT_FORMAT", "SCOPE_SYSCALLS")
"""Variables whose keys take certain words only."""


def load(**environ: str) -> Any:
    """Return the tree that results with all types of events on, as plain data."""
    kinds = [kind for section, kind in SWITCHES.values() if section == "event"]
    text = "event:\n  watch:\n" + "".join(f"    - type: {kind}\n" for kind in kinds)
    return sections_data(build_config(Found(Path("f.yml"), text), environ))


def value_at(data: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


def other(value: Any) -> str:
    """Return a value that a key may hold too."""
    if isinstance(value, bool):
        return str(not value).lower()
    if isinstance(value, int):
        return str(value + 1)
    return {"ndjson": "statsd", "rare": "all", "auto": "off"}.get(value, "other")


def test_the_stock_file_names_all_variables_and_no_others():
    named = set(re.findall(r"SCOPE_[A-Z_]+[A-Z]\b", stock_text()))

    assert (
        named - {"SCOPE_CONF_PATH", "SCOPE_EVENT"}
        == KEYS.keys() | DESTINATIONS.keys() | SWITCHES.keys() | RULE_KEYS.keys()
    )


@pytest.mark.parametrize(("name", "path"), [row for row in KEYS.items() if row[0] not in CHOICES])
def test_a_variable_sets_its_key_and_no_other(name, path):
    before = load()
    wanted = other(value_at(before, path))

    after = load(**{name: wanted})

    assert str(value_at(after, path)).lower() == wanted
    value_at(before, path[:-1])[path[-1]] = value_at(after, path)
    assert after == before


def test_system_calls_can_be_chosen():
    assert load(SCOPE_SYSCALLS="%file,!open")["scopetrace"]["syscalls"] == "%file,!open"


def test_formats_can_be_chosen():
    data = load(SCOPE_METRIC_FORMAT="statsd", SCOPE_EVENT_FORMAT="ndjson")

    assert data["metric"]["format"]["type"] == "statsd"
    assert data["event"]["format"]["type"] == "ndjson"


@pytest.mark.parametrize(("name", "section"), DESTINATIONS.items())
def test_a_destination_is_set_in_one_word_and_nothing_else_is(name, section):
    before = load()

    after = load(**{name: "udp://[::1]:8125"})

    assert after[section]["transport"] == {
        **before[section]["transport"],
        "type": "udp",
        "host": "::1",
        "port": 8125,
    }
    after[section]["transport"] = before[section]["transport"]
    assert after == before


@pytest.mark.parametrize(("name", "row"), SWITCHES.items())
def test_a_switch_switches_its_type_and_no_other(name, row):
    section, kind = row
    before = load()[section]["watch"]

    assert load(**{name: "true"})[section]["watch"] == before
    after = load(**{name: "false"})[section]["watch"]
    assert after == tuple(rule for rule in before if rule["type"] != kind) != before


@pytest.mark.parametrize(("name", "row"), RULE_KEYS.items())
def test_a_variable_sets_its_key_in_rules_of_its_type(name, row):
    kind, key = row
    before = load()["event"]["watch"]
    value = "true" if key == "allowbinary" else "^x"
    typed: Any = {"allowbinary": True, "headers": ("^x",)}.get(key, "^x")

    after = load(**{name: value})["event"]["watch"]

    assert list(after) == [
        {**rule, key: typed} if rule["type"] == kind else rule for rule in before
    ]


def test_variables_of_ours_begin_as_such():
    for name in (*KEYS, *DESTINATIONS, *SWITCHES, *RULE_KEYS):
        assert name.startswith(OUR_PREFIXES)
        assert not name.startswith(tuple(IGNORED_PREFIXES))
        assert why_unused(name) is None
