"""The layout and the constants of raw records: record.h and model/raw.py must say the same."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

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
    "raw_stat": (raw.STAT, "dev ino size rdev mode uid gid links born_ns"),
    "raw_socket": (raw.SOCKET, "domain type protocol listening inode peer_inode"),
    "raw_calls": (raw.CALLS, "syscall outgoing calls bytes ns"),
    "raw_step": (raw.STEP, "mode uid gid path attributes"),
    "raw_limit": (raw.LIMIT, "resource soft hard"),
    "raw_space": (raw.SPACE, "files free_files"),
    "raw_excess": (raw.EXCESS, "place number size limit"),
    "raw_ids": (raw.IDS, "ppid pgid uid gid"),
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


@pytest.mark.parametrize("name", STRUCTS)
def test_offsets_agree(name: str) -> None:
    form, fields = STRUCTS[name]
    there = {field: LAYOUT[f"{name}.{field}"] for field in fields.split()}
    assert there == dict(zip(fields.split(), offsets(form), strict=True))


RECORD_H = Path(__file__).parents[1] / "ext/record/record.h"
CONSTANT = re.compile(
    r"\b((?:RAW|PART|SEEN|NOTE)_[A-Z0-9_]+)\s*=|^#define (RAW_RESULT_\w+)", re.MULTILINE
)


def members(prefix: str, enumeration: type[IntEnum]) -> dict[str, int]:
    return {f"{prefix}_{member.name}": member.value for member in enumeration}


def test_constants_agree(needs: Callable[[str], str], tmp_path: Path) -> None:
    """All of record.h, by a program that the compiler makes of its names."""
    names = [first or second for first, second in CONSTANT.findall(RECORD_H.read_text())]
    assert len(names) > 40
    lines = [f'printf("%lld\\n", (long long){name});' for name in names]
    source = f'#include <stdio.h>\n#include "{RECORD_H}"\nint main(void) {{{"".join(lines)}}}'
    program = tmp_path / "constants"
    compile = [needs("gcc"), f"-I{RECORD_H.parents[1]}", "-xc", "-", "-o", program]
    subprocess.run(compile, input=source, text=True, check=True)
    values = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    assert dict(zip(names, map(int, values), strict=True)) == {
        **members("RAW", raw.RawKind),
        **members("PART", raw.Part),
        **members("SEEN", raw.Seen),
        **members("NOTE", raw.Note),
        "PART_CUT": raw.PART_CUT,
        "PART_UNREADABLE": raw.PART_UNREADABLE,
        "PART_REMOVED": raw.PART_REMOVED,
        "RAW_RESULT_UNKNOWN": raw.RESULT_UNKNOWN,
        "RAW_RESULT_REFUSED": raw.RESULT_REFUSED,
    }
