from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.config.find import STOCK, Found
from scopetrace.config.load import build_config, load_config, sections_data
from scopetrace.config.merge import apply_custom
from scopetrace.config.schema import Config
from scopetrace.config.serialize import dump_config
from scopetrace.config.stock import stock_text
from scopetrace.errors import ConfigError


def load(text: str) -> Config:
    return build_config(Found(Path("/f.yml"), text), {})


STOCK_CONFIG = build_config(Found(None, ""), {})


@pytest.mark.parametrize("text", ["", "---\n...\n", "event:\nmetric:\ntags:\n", stock_text()])
def test_the_stock_file_is_the_defaults(text):
    assert sections_data(load(text)) == sections_data(STOCK_CONFIG)
    assert load(text).custom == ()


def test_the_stock_file_has_nothing_to_warn_of():
    assert load(stock_text()).warnings == ()


def test_the_stock_file_in_the_package_is_the_one_at_the_top():
    assert STOCK.read_text() == (Path(__file__).parents[2] / "scope.yml").read_text()


def test_the_stock_configuration_comes_from_no_path():
    assert STOCK_CONFIG.path is None
    assert load("").path == Path("/f.yml")


def test_a_path_is_absolute_whatever_the_folder_is_later(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("f.yml").write_text("")

    assert load_config(Path("f.yml"), {}).path == tmp_path / "f.yml"


def test_mappings_are_joined_and_lists_replaced():
    config = load("event:\n  format: {maxeventpersec: 5}\n  watch: [{type: process}]\n")

    assert config.event.format.maxeventpersec == 5
    assert config.event.format.enhancefs is STOCK_CONFIG.event.format.enhancefs
    assert [rule.type for rule in config.event.watch] == ["process"]
    assert config.metric == STOCK_CONFIG.metric


@pytest.mark.parametrize("empty", ["", " []", " ~"])
def test_a_list_without_entries_is_empty(empty):
    config = load(f"event:\n  watch:{empty}\nmetric:\n  watch:{empty}\nprotocol:{empty}\n")

    assert config.event.watch == ()
    assert config.metric.watch == ()
    assert config.protocol == ()


def test_a_key_without_a_value_changes_nothing():
    text = "event:\n  watch: [{type: fs}, {type: process, name: , value: ~, headers: }]\n"
    rules = load(text).event.watch
    assert rules[1].name == rules[1].value == ".*"

    text = "event:\n  enable:\n  format:\nlibscope:\n  summaryperiod: ~\ncustom:\n"

    assert sections_data(load(text)) == sections_data(STOCK_CONFIG)


def test_a_custom_entry_holds_what_it_says_and_no_more():
    config = load(
        "event: {enable: false}\n"
        "custom:\n"
        "  b: {filter: {procname: nginx, arg: -g}, config: {event: {format: {enhancefs: false}}}}\n"
        "  a: {}\n"
        "  c: {filter: , config: {event: , metric: {watch: }}}\n"
    )

    assert [entry.name for entry in config.custom] == ["b", "a", "c"]
    assert config.custom[0].filter.procname == "nginx"
    assert config.custom[0].filter.username is None
    assert config.custom[0].config == {"event": {"format": {"enhancefs": False}}}
    assert config.custom[1].config == {}
    assert config.custom[2].config == {"metric": {"watch": ()}}


def test_custom_entries_apply_in_order_over_the_rest():
    config = load(
        "event: {format: {maxeventpersec: 1, enhancefs: false}}\n"
        "custom:\n"
        "  a: {config: {event: {format: {maxeventpersec: 2}, watch: [{type: fs, name: x}]}}}\n"
        "  b: {config: {event: {format: {maxeventpersec: 3}}}}\n"
    )
    a, b = config.custom

    assert apply_custom(config, []) == config
    assert apply_custom(config, [a, b]).event.format.maxeventpersec == 3
    assert apply_custom(config, [b, a]).event.format.maxeventpersec == 2
    assert apply_custom(config, [a]).event.watch[0].name == "x"
    assert apply_custom(config, [b]).event.watch == config.event.watch
    assert apply_custom(config, [a]).event.format.enhancefs is False
    assert apply_custom(config, [a]).custom == config.custom


def test_a_configuration_cannot_be_changed():
    with pytest.raises(AttributeError):
        STOCK_CONFIG.event.enable = False


# fmt: off
WORDS = st.sampled_from([
    "event", "metric", "watch", "format", "type", "name", "field", "value", "headers", "enable",
    "allowbinary", "custom", "filter", "config", "procname", "env", "tags", "protocol", "regex",
    "libscope", "transport", "scopetrace", "snaplen", "cribl",
])
# fmt: on
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.sampled_from(["fs", "(", ".*", "$HOME", ""])
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(WORDS, TREES, max_size=4), st.booleans())
def test_any_tree_gives_a_configuration_or_the_one_error(tree, overridden):
    environ = {"SCOPE_EVENT_FS": "false", "SCOPE_TAG_a": "b"} if overridden else {}
    try:
        config = build_config(Found(Path("f.yml"), yaml.safe_dump(tree)), environ)
    except ConfigError as error:
        assert str(error).startswith("f.yml:")
    else:
        again = load(dump_config(config))
        assert sections_data(again) == sections_data(config)
        assert again.custom == config.custom
        apply_custom(config, config.custom)
