"""Names of flags and values, and that they are those of the headers at hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scopetrace.syscalls.names import name_set

TABLES = Path(__file__).parents[2] / "tables"
sys.path.insert(0, str(TABLES.parent))
from tables.generate import NameSet, entries, name_sets, unsigned  # noqa: E402


def test_flags_are_joined_and_the_rest_is_hex() -> None:
    prot = name_set("prot")
    assert prot.of_flags(0) == "PROT_NONE"
    assert prot.of_flags(3) == "PROT_READ|PROT_WRITE"
    assert prot.of_flags(0x101) == "PROT_READ|0x100"
    assert prot.of_flags(0x100) == "0x100 /* PROT_??? */"


def test_a_value_without_a_name_has_the_label() -> None:
    assert name_set("whence").value(2) == "SEEK_END"
    assert name_set("whence").value(9) == "0x9 /* SEEK_??? */"


@pytest.mark.parametrize("wanted", list(name_sets()), ids=lambda wanted: wanted.name)
def test_the_names_are_those_of_the_headers(wanted: NameSet) -> None:
    """Names that the headers at hand lack keep their value; the tool lists them."""
    known = dict(name_set(wanted.name).flags)
    here = {name: unsigned(value) for name, value in entries(wanted) if value is not None}
    assert here.items() <= known.items()
