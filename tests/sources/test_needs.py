from __future__ import annotations

import re
from pathlib import Path

import pytest

from scopetrace.config.load import load_config
from scopetrace.source import Mode
from scopetrace.sources.needs import ALWAYS, GROUPS, needed_calls, source_classes
from scopetrace.watch import Watch

ROOT = Path(__file__).parents[2]


class Wanted:
    """Interests in these events, and in no metrics and payloads unless given."""

    def __init__(
        self,
        *names: str,
        measured: tuple[str, ...] = (),
        kept: bool = False,
        verbosity: int = 4,
        failures: str = "none",
    ) -> None:
        self.failures = failures
        self.names = names
        self.verbosity = verbosity
        self.measured = measured
        self.could_keep = kept

    def could_want(self, sourcetype: str, source: str | None) -> bool:
        return (source or sourcetype) in self.names

    def could_measure(self, kind: str, verbosity: int = 0) -> bool:
        return kind in self.measured and verbosity <= self.verbosity


class Everything(Wanted):
    """Interests in every event."""

    def could_want(self, sourcetype: str, source: str | None) -> bool:
        return True


def needed(*wanted: str) -> dict[str, Mode]:
    """Return the groups that are watched for these events, but for those that always are."""
    modes = needed_calls(Wanted(*wanted))
    return {g: m for g, m in modes.items() if m is not Mode.OFF and g not in ALWAYS}


def test_a_module_or_package_that_names_its_source_is_one():
    folder = ROOT / "scopetrace/sources"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "needs"}
    packages = {path.parent.name for path in folder.glob("*/source.py")}

    assert {source.sourcetype for source in source_classes()} == modules | packages
    assert len(source_classes()) == len(modules | packages)


def test_the_groups_are_those_of_the_engine():
    text = (ROOT / "ext/table/syscalls.c").read_text()

    assert set(re.findall(r'\[GROUP_\w+\] = "(\w+)"', text)) == set(GROUPS)


def test_every_group_that_is_needed_exists():
    for source in source_classes():
        for groups in source.needs.values():
            assert set(groups) <= set(GROUPS)


def test_with_no_event_wanted_only_programs_and_guards_are_watched():
    assert needed() == {}
    assert needed_calls(Wanted())["exec"] is Mode.ALL
    assert needed_calls(Wanted())["birth"] is Mode.FAILURES


@pytest.mark.parametrize("event", ["proc.start", "proc.fork", "proc.exit", "proc.signal", "notice"])
def test_processes_need_no_call_about_files(event):
    assert needed(event) == {}


def test_questions_about_files_are_watched_for_their_failures_only():
    assert needed("fs.error")["stat"] is Mode.FAILURES
    assert "stat" not in needed("fs.open", "fs.close", "fs.delete", "file", "stdout")


def test_an_event_that_needs_all_calls_wins_over_one_that_needs_failures():
    assert needed("fs.error")["delete"] is Mode.FAILURES
    assert needed("fs.error", "fs.delete")["delete"] is Mode.ALL
    assert needed("fs.delete") == {"cwd": Mode.ALL, "delete": Mode.ALL}


@pytest.mark.parametrize(
    ("failures", "proc", "fs", "net"),
    [
        ("none", set(), set(), set()),
        ("rare", {"permit", "make", "room"}, {"lock", "touch"}, set()),
        ("all", {"permit", "make", "room", "heap"}, {"lock", "touch"}, {"tune"}),
    ],
)
def test_what_is_watched_for_failures_alone_depends_on_what_is_asked_for(failures, proc, fs, net):
    alone = {"permit", "room", "heap", "lock", "touch", "tune", "make"}

    for event, groups in (("proc.error", proc), ("fs.error", fs), ("net.error", net)):
        modes = needed_calls(Wanted(event, failures=failures))
        assert {g for g in alone if modes[g] is Mode.FAILURES} == groups
    assert not any(needed_calls(Wanted("fs.open", failures=failures))[g] for g in alone - {"make"})


def test_who_follows_fds_sees_all_that_are_made():
    assert needed("fs.open")["make"] is needed("stdout")["make"] is Mode.ALL
    assert needed_calls(Wanted(kept=True))["make"] is Mode.ALL


def test_log_files_and_console_need_writes_but_not_reads():
    assert needed("file")["write"] is Mode.ALL
    assert needed("stdout")["write"] is Mode.ALL
    assert "read" not in needed("file", "stdout")


def test_positions_are_watched_only_where_that_is_asked_for():
    assert needed_calls(Everything(measured=("fs",)))["seek"] is Mode.OFF
    assert needed_calls(Wanted(measured=("fs",), verbosity=8))["seek"] is Mode.FAILURES


def test_the_stock_configuration_watches_files_and_their_bytes(tmp_path):
    stock = {"SCOPE_CONF_PATH": str(ROOT / "scopetrace/config/scope.yml")}

    modes = needed_calls(Watch(load_config(None, stock)))

    assert modes["open"] is modes["read"] is modes["write"] is Mode.ALL


def test_metrics_need_what_the_events_they_sum_up_need():
    modes = needed_calls(Wanted(measured=("net",)))

    assert modes["net"] is modes["receive"] is modes["read"] is Mode.ALL
    assert modes["open"] is Mode.OFF


def test_payloads_need_all_that_goes_through_sockets():
    modes = needed_calls(Wanted(kept=True))

    assert modes["net"] is modes["send"] is modes["receive"] is modes["write"] is Mode.ALL
