"""The fields as lines and as JSON."""

from __future__ import annotations

import pytest

from scopetrace.model.fields import SOURCES
from scopetrace.output.fields import field_bodies, field_lines, groups, matching, plain
from scopetrace.output.width import display_width


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("fs.open", ["fs.open"]),
        ("dns", ["dns.req", "dns.resp", "dns.error"]),
        ("http.", ["http.req", "http.resp"]),
        ("proc.e", ["proc.exit", "proc.error"]),
        ("console", ["console"]),
        ("flows", ["flows"]),
        ("metrics", ["metrics", "metrics"]),
        ("bogus", []),
    ],
)
def test_a_source_a_type_a_prefix_or_a_command_is_chosen(name: str, found: list[str]) -> None:
    assert [group.name for group in matching(name)] == found


def test_without_a_name_there_are_all() -> None:
    assert matching("") == groups()
    assert {source.name for source in SOURCES} < {group.name for group in groups()}


def test_units_of_durations_are_told_apart() -> None:
    units = {
        (body["source"], body["unit"])
        for body in field_bodies(groups())
        if body["field"] == "duration"
    }

    assert {("fs.close", "µs"), ("net.close", "ms"), ("flows", "ns")} <= units


def test_each_metric_is_described() -> None:
    bodies = {body["field"]: body for body in field_bodies(matching("metrics"))}

    assert bodies["fs.read"] == {
        "source": "metrics",
        "sourcetype": "",
        "field": "fs.read",
        "type": "counter",
        "unit": "byte",
        "meaning": "tags: op file fd numops",
    }
    assert bodies["proc.mem"]["meaning"] == "no tags of its own"


@pytest.mark.parametrize("width", [80, 120, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    lines = list(field_lines(groups(), width))

    assert max(map(display_width, lines)) <= width
    assert not any("](" in line or "`" in line for line in lines)


def test_a_pipe_gets_each_field_on_one_line() -> None:
    lines = list(field_lines(matching("fs.attr"), None))

    assert lines[0].startswith("fs.attr (fs): Permissions, owner or size were set")
    assert len(lines) == 8
    assert lines[-1].split() == ["file_size", "integer", "bytes", "new", "size"]


def test_a_meaning_loses_its_links() -> None:
    assert plain("text ([how](internals.md#how)) of [ends](#ends), `x`") == "text of ends, x"
