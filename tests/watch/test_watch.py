from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from scopetrace.config.find import Found
from scopetrace.config.load import build_config
from scopetrace.config.merge import apply_custom
from scopetrace.model.event import Event
from scopetrace.watch import ProcessFacts, Rules, Watch


def watch(text: str) -> Watch:
    return Watch(build_config(Found(Path("f.yml"), text), {}))


def facts(procname: str, *ancestors: str) -> ProcessFacts:
    return ProcessFacts(procname, procname, "host", "me", ("A=1",), ancestors)


CUSTOM = """
event:
  watch: [{type: fs}]
custom:
  all: {config: {event: {format: {maxeventpersec: 1}}}}
  nginx:
    filter: {procname: nginx}
    config: {event: {format: {maxeventpersec: 2}, watch: [{type: file, name: access}]}}
  below make:
    filter: {ancestor: make}
    config: {event: {format: {maxeventpersec: 3}}}
"""


def test_without_custom_entries_all_processes_share_their_rules():
    watched = watch("")

    assert watched.for_process(facts("a")) is watched.for_process(facts("b", "make"))


def test_rules_are_shared_by_processes_that_the_same_entries_apply_to():
    watched = watch(CUSTOM)

    assert watched.for_process(facts("a")) is watched.for_process(facts("b", "sh"))
    assert watched.for_process(facts("nginx")) is watched.for_process(facts("nginx", "sh"))
    assert watched.for_process(facts("nginx")) is not watched.for_process(facts("nginx", "make"))


def test_entries_that_match_apply_in_file_order():
    watched = watch(CUSTOM)

    def limit(rules: Rules) -> int:
        return rules.config.event.format.maxeventpersec

    assert limit(watched.for_process(facts("a"))) == 1
    assert limit(watched.for_process(facts("nginx"))) == 2
    assert limit(watched.for_process(facts("nginx", "make"))) == 3


def test_the_rules_of_an_entry_replace_the_others():
    watched = watch(CUSTOM)
    plain, nginx = watched.for_process(facts("a")), watched.for_process(facts("nginx"))

    assert plain.wants("fs", "fs.open")
    assert not plain.wants("file", "/access.log")
    assert not nginx.wants("fs", "fs.open")
    assert nginx.wants("file", "/access.log")
    assert watched.for_process(facts("nginx", "make")).wants("file", "/access.log")


def test_what_no_process_can_want_is_known_before():
    watched = watch(CUSTOM)

    assert watched.could_want("fs", "fs.open")
    assert watched.could_want("file")
    assert watched.could_want("file", "/x/access.log")
    assert not watched.could_want("file", "/x/other")
    assert not watched.could_want("console")
    assert not watched.could_want("console", "stdout")
    assert not watched.could_want("process", "proc.start")
    assert watched.could_want("notice")
    assert watched.could_want("notice", "notice")


def test_with_events_off_for_all_nothing_but_notices_could_be_wanted():
    watched = watch("event: {enable: false}\ncustom: {a: {config: {event: {watch: [{type: fs}]}}}}")

    assert not watched.could_want("fs")
    assert not watched.could_want("fs", "fs.open")
    assert watched.could_want("notice")


PIECES = {
    "on": "{event: {enable: true}}",
    "off": "{event: {enable: false}}",
    "net": "{event: {watch: [{type: net}]}}",
    "file": "{event: {enable: true, watch: [{type: file, name: x}]}}",
}


@pytest.mark.parametrize("base", ["true", "false"])
@pytest.mark.parametrize("names", [c for n in range(4) for c in combinations(PIECES, n)], ids=str)
def test_what_any_combination_wants_could_be_wanted(base, names):
    """The one question is asked of every combination that could ever apply, one by one."""
    entries = "".join(f"\n  {name}: {{config: {PIECES[name]}}}" for name in names)
    watched = watch(f"event: {{enable: {base}, watch: [{{type: fs}}]}}\ncustom:{entries or ' {}'}")
    custom = watched.config.custom
    possible = [
        Rules(apply_custom(watched.config, chosen))
        for count in range(len(custom) + 1)
        for chosen in combinations(custom, count)
    ]

    for sourcetype, source in [("fs", "fs.open"), ("net", "net.open"), ("file", "/x")]:
        if any(rules.wants(sourcetype, source) for rules in possible):
            assert watched.could_want(sourcetype, source)
            assert watched.could_want(sourcetype)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("", False),
        ("scopetrace: {environment: true}", True),
        ("custom: {a: {filter: {env: A}}}", True),
        ("custom: {a: {filter: {procname: A}}}", False),
    ],
)
def test_the_environment_is_read_only_for_a_reason(text, needed):
    assert watch(text).needs_environment is needed


KEEPING = "custom: {x: {filter: {procname: x}, config: {payload: {enable: true}}}}\n"
PROTOCOL = "protocol: [{name: Mine, regex: ^MINE, payload: true}]\n"
QUIET = "event: {enable: false}\nmetric: {enable: false}\n"


@pytest.mark.parametrize(
    ("text", "could"),
    [
        ("payload: {enable: true}\n", True),
        (KEEPING, True),
        (PROTOCOL, True),
        (PROTOCOL.replace("true", "false"), False),
        ("", False),
    ],
)
def test_payloads_that_any_process_may_have_kept_are_known_before(text, could):
    watched = watch(text + QUIET)

    assert watched.could_keep is could
    assert watched.could_want("net", "net.open") is could
    assert watched.could_want("net", "net.close") is could
    assert not watched.could_want("net", "net.app")


def test_between_whom_payload_went_is_admitted_beside_other_rules():
    text = "event: {watch: [{type: net, name: error, value: REFUSED}]}\npayload: {enable: true}\n"
    rules = watch(text).for_process(facts("a"))
    opened = Event(0, 1, 1, "net", "net.open", 5, {"net_peer_port": 80})

    assert rules.admits(opened) == opened
    assert rules.admits(opened._replace(source="net.error")) is None


def test_metrics_that_entries_want_only_together_are_known_before():
    watched = watch(
        "event: {enable: false}\n"
        "metric: {enable: false, watch: []}\n"
        "custom:\n"
        "  a: {filter: {procname: a}, config: {metric: {enable: true}}}\n"
        "  b: {filter: {arg: b}, config: {metric: {watch: [{type: fs}], format: {verbosity: 9}}}}\n"
    )

    assert watched.could_measure("fs", 9)
    assert not watched.could_measure("net")
