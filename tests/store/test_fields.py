from __future__ import annotations

import re
from pathlib import Path

import pytest

from scopetrace.store.fields import FIELDS, NUMBERS, SOURCES

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"


def documented() -> dict[str, str]:
    """Return what ARCHITECTURE.md says of the data of each source, by its view."""
    table = (
        ARCHITECTURE.read_text().partition("| source | sourcetype | data |")[2].partition("\n\n")[0]
    )
    rows = [row.replace("\\|", "").strip("| ").split(" | ") for row in table.splitlines()[2:]]
    names = {
        "stdout, stderr": "console",
        "path of the file": "file",
        "name of the metric": "metric_event",
    }
    return {names.get(row[0], row[0]).replace(".", "_"): row[2] for row in rows}


def test_every_documented_source_has_a_row():
    assert {source.view for source in SOURCES} == documented().keys()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.view)
def test_every_field_is_documented_where_its_source_is(source):
    told = documented()[source.view]
    if "enhancefs as above" in told:
        told += documented()["fs_open"]
    if "ends as in net.open" in told:
        told += documented()["net_open"]

    assert set(source.fields) <= set(re.findall(r"[\w-]+", told))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.view)
def test_every_documented_name_with_an_underscore_is_a_field(source):
    names = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", documented()[source.view]))
    classes = {"open_close", "read_write", "rx_tx"}

    assert names - classes <= set(source.fields)


def test_numbers_are_fields():
    assert set(FIELDS) >= NUMBERS
