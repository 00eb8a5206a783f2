from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.config.find import Found
from scopetrace.config.ignored_keys import IGNORED, KEYS_OF_SOME_TYPES, has_effect
from scopetrace.config.load import build_config
from scopetrace.config.schema import Config, WatchRule

APPSCOPE = """---
metric:
  enable: true
  format:
    type: statsd
    #statsdprefix: 'cribl.scope'
    statsdmaxlen: 512
    verbosity: 4
  watch:
    - type: statsd
    - type: fs
    - type: net
    - type: http
    - type: dns
    - type: process
  transport:
    type: udp
    host: 127.0.0.1
    port: 8125
    tls:
      enable: false
      validateserver: true
      cacertpath: ''
event:
  enable: true
  format:
    type: ndjson
    maxeventpersec: 10000
    enhancefs: true
  watch:
    - type: file
      name: (\\/logs?\\/)|(\\.log$)|(\\.log[.\\d])
      value: .*
    - type: console
      name: (stdout|stderr)
      value: .*
      allowbinary: false
    - type: http
      name: .*
      field: .*
      value: .*
      headers:
    - type: net
      name: .*
      field: .*
      value: .*
    - type: fs
      name: .*
      field: .*
      value: .*
    - type: dns
      name: .*
      field: .*
      value: .*
    #- type: metric
  transport:
    type: tcp
    host: 127.0.0.1
    port: 9109
payload:
  enable: false
  dir: '/tmp'
libscope:
  configevent: true
  summaryperiod: 10
  commanddir: '/tmp'
  snapshot:
    coredump: false
    backtrace: false
  log:
    level: warning
    transport:
      type: file
      path: '/tmp/scope.log'
      buffer: line
cribl:
  enable: true
  transport:
    type: edge
  authtoken:
tags:
  #user: $USER
protocol:
  #- name: Redis
custom:
  #example:
...
"""


def load(text: str) -> Config:
    return build_config(Found(Path("f.yml"), text), {})


def test_a_whole_file_of_appscope_loads_with_one_warning_for_each_key_without_meaning():
    config = load(APPSCOPE)

    assert [rule.type for rule in config.event.watch] == [
        "file",
        "console",
        "http",
        "net",
        "fs",
        "dns",
    ]
    assert [warning.split(": ")[1] for warning in config.warnings] == [
        "cribl",
        "payload.dir",
        "libscope.commanddir",
        "libscope.snapshot",
        "libscope.log",
    ]


@pytest.mark.parametrize("path", list(IGNORED))
def test_a_key_without_meaning_may_hold_anything(path):
    text = "".join("  " * depth + f"{key}:\n" for depth, key in enumerate(path))
    text += "  " * len(path) + "a: [1, {b: c}]\n"

    (warning,) = load(text).warnings

    assert warning == f"f.yml:{len(path)}: {'.'.join(path)}: ignored: {IGNORED[path]}"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            "event: {watch: [{type: fs}, {type: sec}]}",
            "event.watch[1]: this version records no events of type sec",
        ),
        (
            "event: {watch: [{type: file, field: x}]}",
            "event.watch[0].field: ignored: it has no effect for type file",
        ),
        (
            "event: {watch: [{type: process, allowbinary: true}]}",
            "event.watch[0].allowbinary: ignored: it has no effect for type process",
        ),
        (
            "event: {watch: [{type: fs, headers: [a]}]}",
            "event.watch[0].headers: ignored: it has no effect for type fs",
        ),
        (
            "custom: {x: {config: {scopetrace: {snaplen: 5}}}}",
            "custom.x.config.scopetrace: ignored: it is the same for all processes of a session",
        ),
        (
            "custom: {x: {config: {custom: {}}}}",
            "custom.x.config.custom: ignored: an entry of `custom` cannot hold others",
        ),
        (
            "custom: {x: {config: {event: {transport: {}}}}}",
            "custom.x.config.event.transport: ignored: it is the same for all processes of a"
            " session",
        ),
        (
            "custom: {x: {config: {metric: {format: {verbosity: 5, type: statsd}}}}}",
            "custom.x.config.metric.format.type: ignored: it is the same for all processes of a"
            " session",
        ),
        (
            "event: {transport: {type: tls, host: h, port: 1, tls: {validateserver: false}}}",
            "event.transport.tls.validateserver: the server's certificate is not checked:"
            " any server can read what is sent",
        ),
        (
            "metric: {transport: {type: udp, host: h, port: 1, tls: {enable: true}}}",
            "metric.transport.tls.enable: ignored: it has no effect for type udp",
        ),
        (
            "event: {enable: false, transport: {type: udp, host: h, port: 1}}",
            "event.transport.type: nothing is sent there while event.enable is false",
        ),
        (
            "custom: {x: {config: {libscope: {summaryperiod: 5}}}}",
            "custom.x.config.libscope: ignored: it is the same for all processes of a session",
        ),
        (
            "custom: {x: {config: {event: {watch: [{type: syslog}]}}}}",
            "custom.x.config.event.watch[0]: this version records no events of type syslog",
        ),
        (
            "{metric: {enable: false}, event: {watch: [{type: metric}]}}",
            "event.watch[0]: there are no such events while metric.enable is false",
        ),
    ],
)
def test_a_key_that_does_nothing_is_never_silent(text, warning):
    assert load(text).warnings == (f"f.yml:1: {warning}",)


@pytest.mark.parametrize(
    "text",
    [
        "metric: {enable: false, format: {type: statsd}}",
        "payload: {enable: true}",
        "event: {transport: {type: tcp, host: h, port: 1, tls: {validateserver: false}}}",
        "metric: {transport: {type: none, tls: {enable: true}}}",
        "tags: {}",
        "protocol: []",
        "event: {watch: [{type: file, field: .*, headers: []}]}",
        "custom: {x: {filter: {env: A}, config: {event: {enable: false}}}}",
    ],
)
def test_what_asks_for_nothing_that_is_missing_is_no_warning(text):
    assert load(text).warnings == ()


def test_a_custom_entry_repeats_no_warning_about_the_rest():
    assert len(load("cribl: {a: b}\ncustom: {x: {config: {event: {enable: false}}}}").warnings) == 1


def test_keys_of_some_types_are_keys_of_rules():
    assert set(WatchRule.__struct_fields__) >= KEYS_OF_SOME_TYPES.keys()
    assert has_effect("name", "file")
    assert not has_effect("field", "file")
