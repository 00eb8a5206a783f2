"""The layout of raw records stands in record.h and in model/raw.py; both must say the same."""

from __future__ import annotations

import struct

import pytest

from scopetrace import _engine
from scopetrace.model import raw

LAYOUT = _engine.layout()

STRUCTS = {
    "raw_record": (
        raw.HEADER,
        "size kind syscall pid tid entered_ns elapsed_ns result args fd_serial copied transferred",
    ),
    "raw_part": (raw.PART, "size kind flags"),
    "raw_stat": (raw.STAT, "dev ino size rdev mode uid gid links"),
    "raw_calls": (raw.CALLS, "syscall outgoing calls bytes ns"),
    "raw_tally": (raw.TALLY, "reads read_bytes read_ns writes write_bytes write_ns"),
}


def offsets(form: struct.Struct) -> list[int]:
    """Return where each item of a format begins: 6Q is one item, an array."""
    found, text = [], ""
    for code in struct_codes(form.format):
        found.append(struct.calcsize("=" + text))
        text += code
    return found


def struct_codes(form: str) -> list[str]:
    codes, number = [], ""
    for letter in form.lstrip("="):
        if letter.isdigit():
            number += letter
        else:
            codes.append(number + letter)
            number = ""
    return codes


@pytest.mark.parametrize("name", STRUCTS)
def test_sizes_agree(name: str) -> None:
    assert LAYOUT[f"sizeof {name}"] == STRUCTS[name][0].size


@pytest.mark.parametrize("name", ["raw_record", "raw_part", "raw_stat"])
def test_offsets_agree(name: str) -> None:
    form, fields = STRUCTS[name]
    there = {field: LAYOUT[f"{name}.{field}"] for field in fields.split()}
    assert there == dict(zip(fields.split(), offsets(form), strict=True))


def test_a_tally_is_six_numbers_in_order() -> None:
    fields = STRUCTS["raw_tally"][1].split()
    assert [LAYOUT[f"raw_tally.{field}"] for field in fields] == [8 * at for at in range(6)]
