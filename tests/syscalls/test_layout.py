"""How structures lie in memory: as a C compiler has them, in each ABI."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.layout import Field, layout, size_of
from scopetrace.syscalls.rows import by_name

LAYOUTS = Path(__file__).with_name("layouts.txt")
FLAGS = {Abi.X86_64: "-m64", Abi.I386: "-m32", Abi.X32: "-mx32"}
LETTERS = dict(zip("nix", Abi, strict=True))
FOUND = re.compile(r"@(\S+) \$?(\d+) \$?(\d+)")
"""A field, its offset and its size, as the compiler wrote them into its assembly."""
BEGINNING = "..."
WITHOUT_HEADER = {
    "timevals",  # two timevals, two timespecs: arrays in C
    "utimens",
    "utimens64",
    "ustat",  # in no header any more
    "old_sigaction",  # in the kernel's own headers
    "sigmaskpair",
    "old_mmap",
    "old_select",
    "cachestat_range",  # since Linux 6.5
    "cachestat",
    "mnt_id_req",  # since Linux 6.8
}
"""Structures that headers for programs do not have."""


class InC(NamedTuple):
    """A structure as C has it."""

    name: str
    abis: list[Abi]
    header: str
    type: str
    fields: dict[str, str]
    """Ours → theirs; an empty text: C has no such field."""
    is_whole: bool


def structures() -> Iterator[InC]:
    for line in LAYOUTS.read_text().splitlines():
        if line and line[0] != "#":
            name, abis, header, type_name, *fields = line.split()
            renamed = dict(field.split("=") for field in fields if field != BEGINNING)
            kind = type_name.replace("struct_", "struct ", 1)
            abis_of = [LETTERS[letter] for letter in abis]
            yield InC(name, abis_of, header, kind, renamed, BEGINNING not in fields)


def compared(found: InC, abi: Abi) -> dict[str, Field]:
    """Return the fields that are compared, by their names in C."""
    ours = layout(found.name, abi)
    assert ours is not None
    fields = {found.fields.get(each.name, each.name): each for each in ours.fields}
    return {name: field for name, field in fields.items() if name not in ("", "_")}


def compiled(found: InC, abi: Abi, names: list[str]) -> dict[str, tuple[int, int]]:
    """Return offset and size of each field, and those of the whole as `=`."""
    kind = found.type
    rows = [("=", f"0 * sizeof({kind})", f"sizeof({kind})")]
    rows += [(n, f"__builtin_offsetof({kind}, {n})", f"sizeof((({kind} *)0)->{n})") for n in names]
    lines = "\n".join(f'asm("# @{n} %0 %1" : : "i"({at}), "i"({size}));' for n, at, size in rows)
    source = f"#define _GNU_SOURCE\n#include <linux/types.h>\n#include <{found.header}>\n"
    command = ("gcc", FLAGS[abi], "-S", "-x", "c", "-o", "-", "-")
    ended = subprocess.run(
        command, input=f"{source}void f(void) {{ {lines} }}", text=True, capture_output=True
    )
    assert not ended.returncode, ended.stderr
    return {name: (int(at), int(size)) for name, at, size in FOUND.findall(ended.stdout)}


@pytest.mark.parametrize("found", [*structures()], ids=lambda found: found.name)
def test_a_structure_lies_where_the_compiler_puts_it(found: InC) -> None:
    for abi in found.abis:
        fields = compared(found, abi)
        theirs = compiled(found, abi, [*fields])

        size, (_, size_in_c) = size_of(found.name, abi), theirs.pop("=")
        assert size == size_in_c if found.is_whole else size <= size_in_c, abi
        assert theirs == {name: (field.offset, field.size) for name, field in fields.items()}, abi


def test_each_structure_is_compared() -> None:
    known = {name.partition("@")[0] for name in by_name("structs.txt")}
    assert known - {found.name for found in structures()} == WITHOUT_HEADER


def test_a_long_of_the_kernel_is_64_bits_wide_in_x32() -> None:
    assert [size_of("timespec", abi) for abi in Abi] == [16, 8, 16]
    assert [size_of("ulong", abi) for abi in Abi] == [8, 4, 4]


def test_what_is_no_structure_has_no_size() -> None:
    assert size_of("path", Abi.X86_64) == 0
