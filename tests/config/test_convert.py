from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.config.load import check_config
from scopetrace.errors import ConfigError

BAD_FILES = [
    (
        "scopetrace:\n  syscalls: read,opnat",
        "2: scopetrace.syscalls: there is no system call opnat;"
        " did you mean openat or openat2 or open?",
    ),
    ("evnt: {}", "1: evnt: unknown key; did you mean 'event'?"),
    ("a:", "1: a: unknown key"),
    ("a.b: 1", "1: a.b: unknown key"),
    ("'x - at `$.event`': 1", "1: x - at `$.event`: unknown key"),
    ("event:\n  levl: 1", "2: event.levl: unknown key"),
    (
        "event:\n  format:\n    maxeventspersec: 1",
        "3: event.format.maxeventspersec: unknown key; did you mean 'maxeventpersec'?",
    ),
    ("event: 5", "1: event: expected keys and values, got '5'"),
    ("event: [a]", "1: event: expected keys and values, got a list"),
    ("event:\n  enable: yes please", "2: event.enable: expected true or false, got 'yes please'"),
    ("event:\n  enable: 1", "2: event.enable: expected true or false, got '1'"),
    ("event:\n  enable: [true]", "2: event.enable: expected true or false, got a list"),
    (
        "metric:\n  format:\n    verbosity: 10",
        "3: metric.format.verbosity: expected a whole number from 0 to 9, got '10'",
    ),
    (
        "metric:\n  format:\n    verbosity: 1e0",
        "3: metric.format.verbosity: expected a whole number from 0 to 9, got '1e0'",
    ),
    (
        "event:\n  format:\n    maxeventpersec: -1",
        "3: event.format.maxeventpersec: expected a whole number from 0 to 9007199254740992, "
        "got '-1'",
    ),
    (
        "libscope:\n  summaryperiod: 99999999999999999999999999",
        "2: libscope.summaryperiod: expected a whole number from 1 to 86400, "
        "got '99999999999999999999999999'",
    ),
    (
        "scopetrace:\n  snaplen: 64k",
        "2: scopetrace.snaplen: expected a whole number from 0 to 1048576, got '64k'",
    ),
    ("tags:\n  dir: {}", "2: tags.dir: expected text, got keys and values"),
    ("event:\n  watch: fs", "2: event.watch: expected a list, got 'fs'"),
    ("event:\n  watch:\n    - fs", "3: event.watch[0]: expected keys and values, got 'fs'"),
    ("event:\n  watch:\n    -", "3: event.watch[0]: expected keys and values, got nothing"),
    ("event:\n  watch:\n    - name: x", "3: event.watch[0]: lacks the key 'type'"),
    ("metric:\n  format:\n    type: []", "3: metric.format.type: expected one of ndjson, statsd, "
     "got a list"),
    ("event:\n  watch:\n    - type: fs\n    - type:", "4: event.watch[1]: lacks the key 'type'"),
    (
        "event:\n  watch:\n    - type: fs\n      nam: x",
        "4: event.watch[0].nam: unknown key; did you mean 'name'?",
    ),
    (
        "event:\n  watch:\n    - type: fs\n    - type: file\n      name: '['",
        "5: event.watch[1].name: no valid regular expression: "
        "unterminated character set at position 0",
    ),
    (
        "event:\n  watch:\n    - type: fs\n      field: (",
        "4: event.watch[0].field: no valid regular expression: "
        "missing ), unterminated subpattern at position 0",
    ),
    (
        "event:\n  watch:\n    - type: fs\n      value: '*'",
        "4: event.watch[0].value: no valid regular expression: nothing to repeat at position 0",
    ),
    (
        "event:\n  watch:\n    - type: http\n      headers:\n        - a\n        - +",
        "6: event.watch[0].headers[1]: no valid regular expression: "
        "nothing to repeat at position 0",
    ),
    ("event:\n  watch:\n    - type: fs\n      nam:", "4: event.watch[0].nam: unknown key; did you "
     "mean 'name'?"),
    ("protocol:\n  - name: x\n    regex: '('", "3: protocol[0].regex: no valid regular expression: "
     "missing ), unterminated subpattern at position 0"),
    ("protocol:\n  - name: ''\n    regex: a", "2: protocol[0].name: expected text that is not "
     "empty, got ''"),
    ("protocol:\n  - name: x\n    regex: ''", "3: protocol[0].regex: expected text that is not "
     "empty, got ''"),
    ("event:\n  watch:\n    - type: http\n      headers: [a, '']", "4: event.watch[0].headers[1]: "
     "expected text that is not empty, got ''"),
    ("tags:\n  a: b\n  '': c", "3: tags.: a tag needs a name"),
    ("protocol:\n  - name: x", "2: protocol[0]: lacks the key 'regex'"),
    ("tags: [a]", "1: tags: expected keys and values, got a list"),
    ("tags:\n  a: b\n  c: [d]", "3: tags.c: expected text, got a list"),
    ("tags:\n  a:", "2: tags.a: expected text, got nothing"),
    ("custom: 5", "1: custom: expected keys and values"),
    ("custom:\n  a: 5", "2: custom.a: expected the keys filter and config"),
    ("custom:\n  a:", "2: custom.a: expected the keys filter and config"),
    ("custom:\n  a:\n    filters: {}", "3: custom.a.filters: unknown key; did you mean 'filter'?"),
    (
        "custom:\n  a:\n    filter:\n      proc: x",
        "4: custom.a.filter.proc: unknown key; did you mean 'procname'?",
    ),
    ("custom:\n  a:\n    filter:\n      arg: [x]", "4: custom.a.filter.arg: expected text, "
     "got a list"),
    ("custom:\n  a:\n    filter: x", "3: custom.a.filter: expected keys and values, got 'x'"),
    ("custom:\n  a:\n    config: []", "3: custom.a.config: expected keys and values, got a list"),
    ("custom:\n  a:\n    config:\n      evnt: {}", "4: custom.a.config.evnt: unknown key; "
     "did you mean 'event'?"),
    (
        "custom:\n  a b:\n    config:\n      event:\n        watch:\n          - type: fs\n"
        "            name: '['",
        "7: custom.a b.config.event.watch[0].name: no valid regular expression: "
        "unterminated character set at position 0",
    ),
    ("custom:\n  a:\n    config:\n      tags:\n        b: []", "5: custom.a.config.tags.b: "
     "expected text, got a list"),
    ("event:\n  enable: " + "x" * 99, "2: event.enable: expected true or false, got "
     "'" + "x" * 56 + "…'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_a_bad_file_is_one_sentence_with_line_and_key(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    Path("scope.yml").write_text(text)

    with pytest.raises(ConfigError) as raised:
        check_config(Path("scope.yml"))

    assert str(raised.value) == f"scope.yml:{message}"


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "'true'"])
def test_quotes_and_case_make_no_difference_to_a_switch(tmp_path, text):
    path = tmp_path / "scope.yml"
    path.write_text(f"scopetrace:\n  environment: {text}\n  snaplen: '12'\n")

    assert check_config(path).scopetrace.environment is True
    assert check_config(path).scopetrace.snaplen == 12


def test_numbers_do_as_text(tmp_path):
    path = tmp_path / "scope.yml"
    path.write_text(
        "event:\n  watch:\n    - type: fs\n      value: 404\n"
        "custom:\n  a:\n    filter:\n      arg: 8080\n"
    )

    config = check_config(path)

    assert config.event.watch[0].value == "404"
    assert config.custom[0].filter.arg == "8080"
