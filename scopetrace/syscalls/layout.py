"""How structures lie in memory, in each ABI: structs.txt, laid out as a C compiler does.

The rule: offsets and sizes are computed, never written down. Tests compare them with a compiler.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.kind import Kind, parse_kind
from scopetrace.syscalls.rows import by_name

WORD = {Abi.X86_64: "Q", Abi.I386: "I", Abi.X32: "I"}
KERNEL_WORD = {Abi.X86_64: "Q", Abi.I386: "I", Abi.X32: "Q"}
"""`__kernel_ulong_t`, which x32 has 64 bits wide."""
CODES = {
    "i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q",
    "char": "s",
}  # fmt: skip
"""Of types of one width: the letter of `struct`."""
SCALARS = {
    "int": "i32", "uint": "u32", "fd": "i32", "pid": "i32", "uid": "u32", "gid": "u32",
    "size": "ulong", "ptr": "ulong", "hexlong": "ulong", "offset": "long", "hex32": "u32",
    "wstatus": "i32", "off64": "i64", "uid16": "u16", "gid16": "u16", "hex64": "u64",
    "time": "klong", "clock": "klong", "signal": "i32", "mpol": "u32",
    "pagestatus": "i32", "oldmask": "u32",
}  # fmt: skip
"""The type of a kind that a row uses without one."""


class Field(NamedTuple):
    """One field of a structure."""

    name: str
    offset: int
    type: str
    kind: Kind
    elements: int | None
    """Elements of an array, or None."""
    code: str
    """The letter of `struct` that reads one element; empty for a structure."""
    size: int
    """Bytes of all elements."""
    detail: bool
    """Whether only the verbose form shows it."""


class Layout(NamedTuple):
    """A structure in one ABI."""

    name: str
    size: int
    align: int
    fields: tuple[Field, ...]


@cache
def code_of(type_name: str, abi: Abi) -> str:
    """Return the letter of `struct` for a scalar type, or nothing for a structure."""
    base = SCALARS.get(type_name, type_name)
    if base in CODES:
        return CODES[base]
    word = {"ulong": WORD, "long": WORD, "kulong": KERNEL_WORD, "klong": KERNEL_WORD}.get(base)
    if word is None:
        return ""
    return word[abi] if base in ("ulong", "kulong") else word[abi].lower()


def _shape(type_name: str, abi: Abi) -> tuple[int, int]:
    """Return size and alignment of a type, in bytes."""
    code = code_of(type_name, abi)
    if not code:
        found = layout(type_name, abi)
        return (found.size, found.align) if found else (0, 1)
    size = struct.calcsize(code)
    return size, min(size, 4) if abi is Abi.I386 else size


@cache
def _texts() -> dict[str, str]:
    return by_name("structs.txt")


def _up(offset: int, align: int) -> int:
    return -(-offset // align) * align


def _field(text: str, offset: int, abi: Abi, packed: bool) -> tuple[Field, int]:
    """Return a field that comes after `offset`, and the alignment of its type."""
    name, type_text, *kind = text.lstrip("+").split(":")
    type_name, _, count_text = type_text.rstrip("]").partition("[")
    count = int(count_text) if count_text else None
    size, align = _shape(type_name, abi)
    align = 1 if packed else align
    return Field(
        name,
        _up(offset, align),
        type_name,
        parse_kind(kind[0] if kind else type_name),
        count,
        code_of(type_name, abi),
        size * (1 if count is None else count),
        text.startswith("+"),
    ), align


def _laid_out(name: str, texts: Iterable[str], abi: Abi, packed: bool) -> Layout:
    fields, offset, align = [], 0, 1
    for text in texts:
        field, field_align = _field(text, offset, abi, packed)
        fields.append(field)
        offset, align = field.offset + field.size, max(align, field_align)
    return Layout(name, _up(offset, align), align, tuple(fields))


@cache
def layout(name: str, abi: Abi) -> Layout | None:
    """Return how a structure lies in memory, or None if structs.txt lacks it."""
    text = _texts().get(f"{name}@{abi.name.lower()}") or _texts().get(name)
    if text is None:
        return None
    fields = text.split()
    packed = fields[0] == "packed"
    return _laid_out(name, fields[packed:], abi, packed)


@cache
def size_of(name: str, abi: Abi) -> int:
    """Return the bytes of a scalar or a structure, or 0 for what has no size of its own."""
    return _shape(name, abi)[0]
