from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml

from scopetrace.config.find import Found
from scopetrace.config.load import build_config, load_config, sections_data
from scopetrace.config.schema import Config
from scopetrace.config.serialize import (
    dump_config,
    dump_for_session,
    pack_config,
    unpack_config,
)
from scopetrace.config.stock import stock_text

FULL = r"""
event:
  format: {maxeventpersec: 7}
  watch:
    - {type: file, name: '(^|[\s\/\\\.])logs?([\/\\\.\d]|$)', allowbinary: true}
    - {type: http, headers: [a, 'b: c']}
tags: {ä: "é\n", "true": "5", "~": "null"}
protocol: [{name: Redis, regex: '^[*]\d+', len: 10}]
custom:
  web server:
    filter: {env: "A=1", arg: "- x"}
    config: {event: {watch: [{type: fs, field: file}]}, tags: {x: "y"}}
"""
CUSTOM = """
tags: {team: blue}
custom:
  quiet:
    filter: {procname: nginx, env: A=b}
    config: {event: {enable: false}}
"""


def load(text: str, path: Path | None = Path("/x/f.yml")) -> Config:
    return build_config(Found(path, text), {})


@pytest.mark.parametrize("dump", [dump_config, dump_for_session])
@pytest.mark.parametrize("text", ["", FULL, stock_text()])
def test_what_is_written_reads_as_the_same_configuration(text, dump):
    config = load(text)
    again = load(dump(config))

    assert sections_data(again) == sections_data(config)
    assert again.custom == config.custom


def test_all_that_can_be_set_is_written():
    assert yaml.safe_load(dump_config(load(""))).keys() == yaml.safe_load(stock_text()).keys()


def test_rules_have_only_keys_that_mean_something_for_their_type():
    watch = yaml.safe_load(dump_config(load("")))["event"]["watch"]

    assert [list(rule) for rule in watch[:3]] == [
        ["type", "name", "value", "allowbinary"],
        ["type", "name", "value", "allowbinary"],
        ["type", "name", "field", "value"],
    ]


def test_the_first_line_says_where_it_came_from():
    assert dump_config(load("")).startswith("# /x/f.yml\n")
    assert dump_config(load("", None)).startswith("# the stock configuration\n")
    assert dump_config(load("", Path("/x\nevent: 5/f.yml"))).startswith("# /x?event: 5/f.yml\n")


def test_a_configuration_arrives_as_it_was_sent(tmp_path):
    path = tmp_path / "scope.yml"
    path.write_text(CUSTOM)
    config = load_config(path, {})

    assert unpack_config(pack_config(config)) == msgspec.structs.replace(
        config, path=None, warnings=()
    )
