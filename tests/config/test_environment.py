from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.config.environment import expander
from scopetrace.config.find import Found
from scopetrace.config.ignored_keys import IGNORED
from scopetrace.config.load import build_config, check_config, load_config
from scopetrace.config.schema import Config
from scopetrace.errors import ConfigError


def load(text: str = "", /, **environ: str) -> Config:
    return build_config(Found(Path("f.yml"), text), environ)


@pytest.mark.parametrize("value", ["true", "TRUE"])
def test_a_variable_beats_the_file(value):
    text = "scopetrace:\n  environment: false\n  snaplen: 5\n"

    config = load(text, SCOPE_RECORD_ENVIRONMENT=value)

    assert (config.scopetrace.environment, config.scopetrace.snaplen) == (True, 5)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SCOPE_EVENT_ENABLE", "maybe", "event.enable: expected true or false, got 'maybe'"),
        ("SCOPE_EVENT_ENABLE", "", "event.enable: expected true or false, got ''"),
        ("SCOPE_SNAPLEN", "x", "scopetrace.snaplen: expected a whole number from 0 to 1048576, "
         "got 'x'"),
        ("SCOPE_METRIC_VERBOSITY", "10", "metric.format.verbosity: expected a whole number from 0 "
         "to 9, got '10'"),
        ("SCOPE_EVENT_FORMAT", "xml", "event.format.type: expected one of ndjson, got 'xml'"),
        ("SCOPE_EVENT_FS", "1", "expected true or false, got '1'"),
        ("SCOPE_METRIC_PROC", "on", "expected true or false, got 'on'"),
        ("SCOPE_EVENT_FS_NAME", "(", "event.watch[2].name: no valid regular expression: missing ), "
         "unterminated subpattern at position 0"),
        ("SCOPE_EVENT_PROCESS_FIELD", "*", "event.watch[3].field: no valid regular expression: "
         "nothing to repeat at position 0"),
        ("SCOPE_ALLOW_BINARY_CONSOLE", "x", "event.watch[1].allowbinary: expected true or false, "
         "got 'x'"),
        ("SCOPE_TAG_a", "\udcff", "its value is no UTF-8 text"),
        ("SCOPE_EVENT_FS_NAME", "\udcff", "its value is no UTF-8 text"),
    ],
)  # fmt: skip
def test_a_bad_value_is_an_error_that_names_the_variable(name, value, message):
    with pytest.raises(ConfigError) as raised:
        load("", **{name: value})

    assert str(raised.value) == f"{name}: {message}"


def test_a_bad_header_names_its_variable():
    with pytest.raises(ConfigError, match=r"^SCOPE_EVENT_HTTP_HEADER: event.watch\[5\].headers"):
        load("", SCOPE_EVENT_HTTP="true", SCOPE_EVENT_HTTP_HEADER="[")


def test_the_file_must_be_right_before_it_is_overridden():
    with pytest.raises(ConfigError, match=r"^f.yml:1: event: expected keys"):
        load("event: 5", SCOPE_EVENT_ENABLE="true")
    with pytest.raises(ConfigError, match=r"^f.yml:1: event.enable: expected"):
        load("event: {enable: 5}", SCOPE_EVENT_ENABLE="true")


def test_a_switch_takes_all_rules_of_its_type_away():
    text = "event:\n  watch: [{type: fs}, {type: file, name: a}, {type: fs}]"

    config = load(text, SCOPE_EVENT_FS="false")

    assert [(rule.type, rule.name) for rule in config.event.watch] == [("file", "a")]


def test_a_switch_leaves_rules_that_are_there_alone():
    text = "event:\n  watch: [{type: file, name: a}]"

    assert load(text, SCOPE_EVENT_LOGFILE="true").event == load(text).event


def test_a_type_switched_on_has_the_stock_rules():
    config = load("event: {watch: []}", SCOPE_EVENT_LOGFILE="true", SCOPE_EVENT_CONSOLE="true")

    assert config.event.watch == load().event.watch[:2]


def test_a_type_switched_on_without_stock_rules_wants_everything():
    config = load("event: {watch: []}", SCOPE_EVENT_NET="true")

    assert [(rule.type, rule.name, rule.value) for rule in config.event.watch] == [
        ("net", ".*", ".*")
    ]


def test_a_key_of_a_type_goes_into_each_of_its_rules():
    text = "event:\n  watch: [{type: fs, name: a}, {type: file}, {type: fs, value: b}]"

    watch = load(text, SCOPE_EVENT_FS_NAME="open").event.watch

    assert [(rule.name, rule.value) for rule in watch] == [
        ("open", ".*"),
        (".*", ".*"),
        ("open", "b"),
    ]


def test_a_key_of_a_type_that_is_off_is_a_warning():
    assert load("", SCOPE_EVENT_METRIC_NAME="x").warnings == (
        "SCOPE_EVENT_METRIC_NAME: ignored: event.watch has no rule of type metric",
    )


def test_lines_stay_right_when_a_switch_moves_rules():
    text = "event:\n  watch:\n  - type: fs\n  - type: file\n    allowbinary: true\n  - type: sec\n"
    text += "metric: {enable: false}\n"

    config = load(text, SCOPE_EVENT_FS="false", SCOPE_EVENT_METRIC="true")

    assert config.warnings == (
        "f.yml:6: event.watch[1]: this version records no events of type sec",
        "SCOPE_EVENT_METRIC: event.watch[2]: there are no such events while metric.enable is false",
    )


def test_tags_come_from_variables_too():
    config = load(
        "tags: {a: file, b: file}", SCOPE_TAG_b="variable", SCOPE_TAG_C="$HOME", HOME="/h"
    )

    assert config.tags == {"a": "file", "b": "variable", "C": "$HOME"}


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("SCOPE_EVENT_FSS", "there is no such setting"),
        ("SCOPE_EVENT_LOGFILE_FIELD", "there is no such setting"),
        ("SCOPE_TAG_", "there is no such setting"),
        ("SCOPE_SNAPLENGTH", "there is no such setting"),
        ("SCOPE_EVENT_DESTINATION", "there is no such setting"),
        ("SCOPE_CRIBL_ENABLE", "scopetrace sends nothing to Cribl"),
        ("SCOPE_EVENT_SYSLOG_NAME", "this version records no events of type syslog"),
        ("SCOPE_EVNT_FS", "there is no such setting"),
        ("SCOPE_VERBOSITY", "there is no such setting"),
        ("SCOPE_CONFPATH", "there is no such setting"),
        ("SCOPE_HOME", "to name a configuration file, use SCOPE_CONF_PATH"),
        (
            "SCOPE_RULES",
            "there is no rules file: `scopetrace run` records the command that it starts",
        ),
        ("SCOPE_EXECVE", "every program that is executed is followed"),
        ("SCOPE_PAYLOAD_HEADER", IGNORED["payload", "dir"]),
    ],
)
def test_a_variable_that_changes_nothing_is_a_warning(name, warning):
    assert load("", **{name: "x"}).warnings == (f"{name}: ignored: {warning}",)


@pytest.mark.parametrize(
    "name",
    [
        "SCOPE_PID",
        "SCOPE_ALLOW_CONSTRUCT_DBG",
        "SCOPE_X",
        "SCOPETRACE_HOME",
    ],
)
def test_variables_that_are_not_for_us_are_nobodys_business(name):
    assert load("", **{name: "\udcff"}) == load("")


def test_names_in_values_are_replaced_if_they_are_set():
    config = load(
        "tags:\n  a: $USER-${STAGE}\n  b: $UNSET ${UNSET} $ $$ 5$\n  watch: $USER\n"
        "metric: {format: {statsdprefix: $HOME/p}}\n"
        "custom: {x: {filter: {username: $USER}}}\n",
        USER="me",
        STAGE="test",
        HOME="/h",
    )

    assert config.tags == {"a": "me-test", "b": "$UNSET ${UNSET} $ $$ 5$", "watch": "me"}
    assert config.metric.format.statsdprefix == "/h/p"
    assert config.custom[0].filter.username == "me"


def test_names_in_regular_expressions_are_not():
    config = load(
        "event: {watch: [{type: fs, name: 'a$USER'}]}\n"
        "protocol: [{name: $USER, regex: '^$USER'}]\n"
        "custom: {x: {config: {event: {watch: [{type: fs, value: $USER}]}}}}\n",
        USER="me",
    )

    assert config.event.watch[0].name == "a$USER"
    assert config.protocol[0].regex == "^$USER"
    assert config.custom[0].config["event"]["watch"][0]["value"] == "$USER"


def test_a_replaced_value_is_not_looked_at_again():
    assert expander({"A": "$B", "B": "x"})("$A") == "$B"


def test_a_replacement_that_is_no_text_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"^f.yml:2: tags.a: a variable in it is no UTF-8 text"):
        load("tags:\n  a: $X\n", X="\udcff")


def test_a_check_uses_no_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SCOPE_SNAPLEN", "5")
    path = tmp_path / "f.yml"
    path.write_text("")

    assert check_config(path).scopetrace.snaplen == 65536
    assert load_config(path).scopetrace.snaplen == 5
