from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scopetrace.config.find import Found
from scopetrace.config.load import build_config
from scopetrace.config.schema import WatchRule
from scopetrace.model.event import Event
from scopetrace.watch import rules as rules_module
from scopetrace.watch.rules import Rules

STOCK = Rules(build_config(Found(None, ""), {}))
TUTORIAL = r"[\s\/\\\.]log[s]?[\/\\\.]?"


def watching(rules: str, enable: str = "true") -> Rules:
    text = f"event:\n  enable: {enable}\n  watch: {rules}\n"
    return Rules(build_config(Found(Path("f.yml"), text), {}))


def event(sourcetype: str, source: str, **data: Any) -> Event:
    return Event(1, 1, 1, sourcetype, source, 0, data)


@pytest.mark.parametrize(
    "path",
    [
        "/x/willsee.log",
        "/var/log/x",
        "/a/logs/b",
        "app.log.1",
        "app.log3",
        "/var/log",
        "/srv/my.logs",
        "/srv/a b/nginx log/x",
        "/x/\udcff.log",
        "/x/line\nlog",
    ],
)
def test_the_stock_rule_finds_log_files(path):
    assert STOCK.wants("file", path)
    assert STOCK.wants("file", path)


@pytest.mark.parametrize(
    "path",
    [
        "/login/x",
        "/x/logger.yaml",
        "/work/wontsee.txt",
        "/x/catalog.txt",
        "/x/catalog",
        "/x/blog/y",
        "/x/a.logo",
        "/usr/lib/liblog-1.so",
        "/x/log-archive/y",
        "",
    ],
)
def test_the_stock_rule_finds_nothing_else(path):
    assert not STOCK.wants("file", path)
    assert not STOCK.wants("file", path)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/x/willsee.log", True),
        ("/var/log/x", True),
        ("/login/x", True),
        ("/x/logger.yaml", True),
        ("/x/wontsee.txt", False),
        ("/x/catalog.txt", False),
    ],
)
def test_the_rule_with_its_end_left_open_works_too(path, found):
    assert watching(f"[{{type: file, name: '{TUTORIAL}'}}]").wants("file", path) is found


def test_the_stock_rules_want_console_files_processes_and_connections():
    assert STOCK.console("stdout")
    assert STOCK.console("stderr")
    assert not STOCK.console("stdin")
    for source in ("fs.open", "fs.close", "fs.delete", "fs.error"):
        assert STOCK.wants("fs", source)
    for source in ("proc.start", "proc.exit"):
        assert STOCK.wants("process", source)
    assert STOCK.wants("net", "net.open")
    assert not STOCK.wants("metric", "fs.open")
    assert not STOCK.content("console", "stdout").allow_binary
    assert not STOCK.content("file", "/x.log").allow_binary


def test_a_type_that_is_not_listed_is_off():
    rules = watching("[{type: fs}]")

    assert rules.watches("fs")
    assert rules.wants("fs", "fs.open")
    assert not rules.watches("console")
    assert not rules.console("stdout")
    assert rules.content("file", "/x.log") is None


@pytest.mark.parametrize("rules", ["[]", "[{type: fs}]"])
def test_notices_are_wanted_whatever_the_configuration_says(rules):
    for watched in (watching(rules), watching(rules, enable="false")):
        assert watched.wants("notice", "notice")
        assert watched.watches("notice")
        notice = event("notice", "notice", message="x", reason="y", count=1)
        assert watched.admits(notice) is notice


def test_events_switched_off_are_not_wanted():
    rules = watching("[{type: fs}, {type: file}, {type: console}]", enable="false")

    assert not rules.wants("fs", "fs.open")
    assert not rules.wants("file", "/x.log")
    assert not rules.console("stdout")


def test_names_are_searched_for_unanchored():
    rules = watching("[{type: fs, name: open}, {type: console, name: err}]")

    assert rules.wants("fs", "fs.open")
    assert not rules.wants("fs", "fs.close")
    assert rules.console("stderr")
    assert not rules.console("stdout")


def test_rules_of_one_type_are_alternatives():
    rules = watching("[{type: file, name: a$}, {type: fs}, {type: file, name: b$}]")

    assert rules.wants("file", "/a")
    assert rules.wants("file", "/b")
    assert not rules.wants("file", "/c")


def test_binary_content_is_allowed_by_any_rule_about_it():
    rules = watching("[{type: file}, {type: console}, {type: file, name: b$, allowbinary: true}]")

    assert not rules.content("file", "/a").allow_binary
    assert rules.content("file", "/b").allow_binary
    assert not rules.content("console", "stdout").allow_binary


def test_content_is_wanted_by_any_of_its_names():
    rules = watching("[{type: file, name: a$, value: x}, {type: file, name: b$, value: y}]")

    assert rules.content("file", "/c", "/d") is None
    assert rules.content("file", "/c", "/a").fitting("x\ny\n") == "x\n"
    assert rules.content("file", "/b", "/a").fitting("x\ny\nz\n") == "x\ny\n"


def test_an_event_that_no_rule_looks_into_is_given_back_as_it_is():
    closed = event("fs", "fs.close", file="/x", file_read_bytes=5)

    assert STOCK.admits(closed) is closed


def test_fields_that_no_rule_names_are_left_out():
    closed = event("fs", "fs.close", file="/x", op="close", file_read_bytes=5)

    admitted = watching("[{type: fs, field: ^file}]").admits(closed)

    assert admitted.data == {"file": "/x", "file_read_bytes": 5}
    assert admitted[:6] == closed[:6]
    assert closed.data == {"file": "/x", "op": "close", "file_read_bytes": 5}


@pytest.mark.parametrize(
    ("value", "data", "admitted"),
    [
        (r"\.conf$", {"file": "/etc/a.conf", "op": "open"}, True),
        (r"\.conf$", {"file": "/etc/a.txt", "op": "open"}, False),
        ("^13$", {"fd": 13}, True),
        ("^13$", {"fd": 131}, False),
        ("^-v$", {"args": ["ls", "-v"]}, True),
        ("^-v$", {"args": ["ls", "-vx"]}, False),
        ("^true$", {"core_dumped": True}, True),
        ("x", {"headers": {"a": "x"}}, True),
        ("None", {"signal": None}, False),
        ("x", {}, False),
        ("\udcff", {"message": "a\udcff"}, True),
    ],
)
def test_an_event_needs_a_value_that_matches(value, data, admitted):
    config = build_config(Found(None, ""), {})
    watch = (WatchRule(type="fs", value=value),)
    rules = Rules(replace(config, event=replace(config.event, watch=watch)))

    assert (rules.admits(event("fs", "fs.open", **data)) is not None) is admitted


@pytest.mark.parametrize(
    ("value", "text", "fitting"),
    [
        ("error", "fine\nan error\nfine", "an error\n"),
        ("^a$", "a\nab\na", "a\na"),
        ("^$", "a\n\nb\n", "\n"),
        (r"\s$", "a\nb \n", "b \n"),
        ("b", "a\rb\nc\x0bb\n", "a\rb\nc\x0bb\n"),
        ("x", "", ""),
        (".*", "a\n\n", "a\n\n"),
    ],
)
def test_the_value_of_content_is_asked_for_each_line(value, text, fitting):
    rules = watching(f"[{{type: file, value: '{value}'}}]")

    assert rules.content("file", "/x").fitting(text) == fitting


def test_a_value_may_stand_in_a_field_that_is_left_out():
    admitted = watching("[{type: fs, field: ^file$, value: ^open$}]").admits(
        event("fs", "fs.open", file="/x", op="open")
    )

    assert admitted.data == {"file": "/x"}


def test_only_rules_that_the_event_is_named_by_are_asked():
    rules = watching("[{type: fs, name: open, field: file}, {type: fs, name: close, value: /etc}]")

    assert rules.admits(event("fs", "fs.open", file="/x", op="open")).data == {"file": "/x"}
    assert rules.admits(event("fs", "fs.close", file="/x", op="close")) is None
    close = event("fs", "fs.close", file="/etc/x", op="close")
    assert rules.admits(close) is close
    assert rules.admits(event("fs", "fs.error", file="/etc/x")) is None


def test_a_field_is_kept_if_any_rule_that_admits_the_event_keeps_it():
    rules = watching("[{type: fs, field: file, value: /etc}, {type: fs, field: op}]")

    assert rules.admits(event("fs", "fs.open", file="/etc/x", op="a", fd=1)).data == {
        "file": "/etc/x",
        "op": "a",
    }
    assert rules.admits(event("fs", "fs.open", file="/x", op="a", fd=1)).data == {"op": "a"}


def test_the_field_of_a_rule_for_content_is_ignored():
    written = event("file", "/x.log", message="a")

    assert watching("[{type: file, field: nothing}]").admits(written) is written


def test_answers_are_remembered_within_bounds(monkeypatch):
    monkeypatch.setattr(rules_module, "MAX_CACHED", 10)
    rules = watching("[{type: file, name: '5$'}]")

    for number in range(100):
        wanted = rules.content("file", f"/{number}") is not None
        assert wanted is rules.wants("file", f"/{number}") is (number % 10 == 5)
        assert len(rules._contents) <= 10
        assert len(rules._wanted["file"]) <= 10


@given(st.text())
def test_a_path_is_found_the_second_time_as_the_first(path):
    rules = watching("[{type: file, name: '[a-m]'}]")

    found = rules.content("file", path)

    assert found is rules.content("file", path)
    assert (found is not None) is any("a" <= letter <= "m" for letter in path)
