"""The stock file explains every key, and what its comments say is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scopetrace.config.find import Found
from scopetrace.config.load import build_config
from scopetrace.config.parse import parse_document
from scopetrace.config.stock import BUILT, stock, stock_text
from scopetrace.config.variables import DESTINATIONS, KEYS, RULE_KEYS, SWITCHES

Place = tuple[str | int, ...]

LINES = stock_text().splitlines()
DATA = yaml.safe_load(stock_text())
EXPLAINED = re.compile(
    r"^\w.+?\. (?:.*\. )?Type: (?P<type>[\w ]+)\. Values: (?P<values>.+?)\. "
    r"Default: (?P<default>\S+)\. Override: (?P<override>\S+)\."
)
OVERRIDES = re.compile(r"^\w.+?\. (?:.*\. )?Override: (?P<names>[A-Z_, ]+)\.$")


def comment_above(line: int) -> str:
    start = line
    while LINES[start - 1].lstrip().startswith("#"):
        start -= 1
    return " ".join(text.strip(" #") for text in LINES[start:line])


def leaves(node: yaml.Node, path: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield each key and list item that holds no further keys, and the comment above it."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, key.value)
            if isinstance(value, yaml.ScalarNode) or not value.value:
                yield here, comment_above(key.start_mark.line)
            yield from leaves(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), comment_above(item.start_mark.line)


def value_at(path: Place) -> object:
    data = DATA
    for key in path:
        data = data[key]
    return data


ALL = list(leaves(yaml.compose(stock_text(), yaml.SafeLoader)))
RULES = [row for row in ALL if row[0][:2] == ("event", "watch")]
METRICS = [row for row in ALL if row[0][:2] == ("metric", "watch")]
PATH_RULES = [row for row in ALL if row[0][:2] == ("scopetrace", "pathclasses")]
SETTINGS = [row for row in ALL if row not in RULES + METRICS + PATH_RULES]
NOT_BY_ONE_VARIABLE = {
    "tags": "SCOPE_TAG_<name>",
    "protocol": "none",
    "custom": "none",
    "buffering": "none",
}


@pytest.mark.parametrize(("path", "comment"), SETTINGS, ids=str)
def test_every_setting_is_explained(path, comment):
    found = EXPLAINED.search(comment)
    assert found, comment

    assert yaml.safe_load(found["default"]) == value_at(path)
    if path[-1] in NOT_BY_ONE_VARIABLE:
        assert found["override"] == NOT_BY_ONE_VARIABLE[path[-1]]
    elif found["override"] in DESTINATIONS:
        assert (DESTINATIONS[found["override"]], "transport") == path[:-1]
    else:
        assert KEYS[found["override"]] == path


@pytest.mark.parametrize(("path", "comment"), METRICS, ids=str)
def test_every_type_of_metric_is_explained(path, comment):
    found = EXPLAINED.search(comment)
    assert found, comment

    assert found["default"] == "on"
    assert SWITCHES[found["override"]] == ("metric", value_at(path)["type"])


@pytest.mark.parametrize(("path", "comment"), RULES, ids=str)
def test_every_rule_is_explained(path, comment):
    found = OVERRIDES.search(comment)
    assert found, comment

    kind = value_at(path)["type"]
    switches = {name for name, row in SWITCHES.items() if row == ("event", kind)}
    assert set(found["names"].split(", ")) == switches | {
        name for name, row in RULE_KEYS.items() if row[0] == kind
    }


def test_every_class_of_paths_is_explained():
    rules = {path[2] for path, _ in PATH_RULES}
    lines = [line.strip() for line in LINES]
    assert rules == {"caches", "packages", "interpreter", "locale", "loader", "system"}
    for name in rules:
        assert lines[lines.index(f"{name}:") - 1].startswith("# ")


def test_the_stock_log_rule_stands_beside_the_one_with_its_end_left_open():
    rule = DATA["event"]["watch"][0]
    assert rule == {"type": "file", "name": r"(^|[\s\/\\\.])logs?([\/\\\.\d]|$)", "value": ".*"}

    commented = [line.strip(" #") for line in LINES if line.lstrip().startswith("# - type: file")]
    assert commented == ["- type: file"]
    at = next(at for at, line in enumerate(LINES) if "# - type: file" in line)
    assert LINES[at + 1].strip(" #") == r"name: '[\s\/\\\.]log[s]?[\/\\\.]?'"


def test_each_rule_in_a_comment_can_be_taken_out_of_it():
    """The stock file with the examples in it is still a valid file."""
    text = re.sub(r"^    # (- type|  \w+:)", r"    \1", stock_text(), flags=re.MULTILINE)

    kinds = [rule["type"] for rule in yaml.safe_load(text)["event"]["watch"]]

    assert kinds == ["file", "file", "console", "fs", "process", "net", "http", "dns", "metric"]


def test_the_examples_of_whole_sections_are_valid():
    for section in ("tags", "protocol", "custom"):
        start = LINES.index(f"# {section}:")
        end = LINES.index(f"{section}: " + ("[]" if section == "protocol" else "{}"))
        text = "\n".join(line.removeprefix("# ") for line in LINES[start:end])
        config = build_config(Found(Path("f.yml"), text), {})
        assert getattr(config, section)


def test_the_build_has_parsed_it():
    assert BUILT.exists()
    assert stock() == parse_document(stock_text(), "scope.yml")
