"""What files of AppScope say loads here, with a warning that names file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.config.find import Found
from scopetrace.config.load import build_config
from scopetrace.config.merge import apply_custom
from scopetrace.config.schema import Config
from scopetrace.config.serialize import config_data

TYPES = "console, dns, file, fs, http, metric, net, process, sec, syslog"


def load(text: str) -> Config:
    return build_config(Found(Path("f.yml"), text), {})


STOCK = load("")


def test_one_header_needs_no_list():
    config = load("event:\n  watch:\n  - type: http\n    headers: .*\n  - type: fs\n")

    assert config.event.watch[0].headers == (".*",)
    assert config.warnings == (
        "f.yml:4: event.watch[0].headers: taken as a list of one expression",
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [("metricstatsd", "statsd"), ("expandedstatsd", "statsd"), ("metricjson", "ndjson")],
)
def test_a_format_may_have_its_former_name(said, meant):
    config = load(f"metric:\n  format:\n    type: {said}\n    verbosity: 7\n")

    assert (config.metric.format.type, config.metric.format.verbosity) == (meant, 7)
    assert config.warnings == (f"f.yml:3: metric.format.type: taken as {meant}, its present name",)


@pytest.mark.parametrize(
    ("section", "kind", "known"),
    [
        ("metric", "xml", "ndjson, statsd"),
        ("event", "xml", "ndjson"),
        ("event", "statsd", "ndjson"),
        ("event", "metricstatsd", "ndjson"),
    ],
)
def test_an_unknown_format_is_left_to_the_defaults(section, kind, known):
    config = load(f"{section}:\n  format:\n    type: {kind}\n")

    assert getattr(config, section) == getattr(STOCK, section)
    sentence = f"ignored: expected one of {known}, got '{kind}'"
    assert config.warnings == (f"f.yml:3: {section}.format.type: {sentence}",)


def test_a_rule_of_an_unknown_type_is_left_out_and_the_lines_of_the_others_stay_right():
    text = "event:\n  watch:\n  - type: files\n    name: x\n  - type: sec\n  - type: fs\n"
    text += "    value: y\n"
    text += "metric:\n  watch: [{type: disk}, {type: fs}]\n"

    config = load(text)

    assert [(rule.type, rule.value) for rule in config.event.watch] == [("sec", ".*"), ("fs", "y")]
    assert [rule.type for rule in config.metric.watch] == ["fs"]
    assert config.warnings == (
        "f.yml:9: metric.watch[0].type: ignored: expected one of"
        " dns, fs, http, net, process, statsd, got 'disk'",
        f"f.yml:3: event.watch[0].type: ignored: expected one of {TYPES}, got 'files'",
        "f.yml:5: event.watch[0]: this version records no events of type sec",
    )


@pytest.mark.parametrize("kind", ["edge", "syslog", "shm", "\x1b[2J"])
def test_to_a_destination_of_an_unknown_type_nothing_is_sent(kind):
    config = load(f'event:\n  transport:\n    type: "{kind!r}"\n    host: h\n    port: 1\n')

    assert config.event.transport == STOCK.event.transport
    (warning,) = config.warnings
    assert warning.startswith("f.yml:3: event.transport.type: nothing is sent: ignored: expected")


@pytest.mark.parametrize(
    ("said", "buffering"),
    [("buffer: full", "full"), ("buffer: full\n    buffering: line", "line")],
)
def test_buffer_is_the_former_name_of_buffering(said, buffering):
    config = load(f"event:\n  transport:\n    type: file\n    path: /a\n    {said}\n")

    assert config.event.transport.buffering == buffering
    assert config.warnings == (
        "f.yml:5: event.transport.buffer: taken as buffering, its present name",
    )


def test_what_stood_elsewhere_before_is_ignored():
    config = load("output:\n  format: {type: metricjson}\nlogging:\n  level: debug\n")

    assert config_data(config) == config_data(STOCK)
    assert [warning.split(": ignored")[0] for warning in config.warnings] == [
        "f.yml:1: output",
        "f.yml:3: logging",
    ]


@pytest.mark.parametrize(
    ("text", "enabled", "line"),
    [
        ("event:\n  enable: true\n  enable: false\n", (False, True), "3: event.enable"),
        ("event:\n  enable: false\n  enable: true\n", (True, True), "3: event.enable"),
        (
            "event:\n  enable: false\nevent:\n  format: {enhancefs: false}\n",
            (False, False),
            "3: event",
        ),
        ("event: 5\nevent:\n  enable: false\n", (False, True), "2: event"),
    ],
)
def test_of_a_key_that_stands_twice_the_last_one_holds_key_by_key(text, enabled, line):
    config = load(text)

    assert (config.event.enable, config.event.format.enhancefs) == enabled
    (warning,) = config.warnings
    assert warning.startswith(f"f.yml:{line}: occurs twice, first in line ")
    assert warning.endswith(": the last value is used")


def test_a_list_that_stands_twice_is_the_last_one():
    config = load("event:\n  watch: [{type: fs}]\n  watch: [{type: net}, {type: dns}]\n")

    assert [rule.type for rule in config.event.watch] == ["net", "dns"]


def test_in_a_rule_and_in_quotes_a_key_stands_twice_too():
    config = load("event:\n  watch:\n  - type: fs\n    'name': a\n    name: b\n")

    assert config.event.watch[0].name == "b"
    assert config.warnings == (
        "f.yml:5: event.watch[0].name: occurs twice, first in line 4: the last value is used",
    )


def test_in_custom_entries_it_is_the_same():
    config = load(
        "custom:\n  a:\n    filter: {procname: x}\n    config:\n      event:\n        watch:\n"
        "        - type: odd\n        - type: http\n          headers: a\n"
    )

    rules = apply_custom(config, config.custom).event.watch
    assert [(rule.type, rule.headers) for rule in rules] == [("http", ("a",))]
    assert [warning.partition(": ")[0] for warning in config.warnings] == ["f.yml:7", "f.yml:9"]


def test_a_rule_of_an_unknown_type_is_not_brought_back_by_a_variable():
    found = Found(Path("f.yml"), "event: {watch: [{type: odd}, {type: fs, name: a}]}\n")
    config = build_config(found, {"SCOPE_EVENT_FS_NAME": "b", "SCOPE_EVENT_NET": "true"})

    assert [(rule.type, rule.name) for rule in config.event.watch] == [("fs", "b"), ("net", ".*")]
