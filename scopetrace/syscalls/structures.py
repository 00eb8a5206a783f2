"""Structures field by field, arrays, and what an address points to."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from scopetrace.syscalls.call import Abi, Phase
from scopetrace.syscalls.kind import Kind, parse_kind
from scopetrace.syscalls.layout import SCALARS, Field, Layout, code_of, layout, size_of
from scopetrace.syscalls.quote import pointer, quoted
from scopetrace.syscalls.view import DECODERS, MAKERS, Decoded, Place, Shown, View, makes


class Decoder(NamedTuple):
    """How a type is read from memory."""

    size: int
    text: Decoded


def shown_value(kind: Kind, abi: Abi) -> Shown:
    """Return the function that shows a value that stands in a field."""
    return MAKERS[kind.name](Place(None, kind, abi))


def _scalar(code: str, kind: Kind, abi: Abi) -> Decoded:
    unpack, shown = struct.Struct("<" + code).unpack, shown_value(kind, abi)
    return lambda view, data: shown(view, unpack(data)[0]) or ""


def _characters(view: View, data: bytes) -> str:
    return quoted(data.partition(b"\0")[0])


def _element(field: Field, abi: Abi) -> Decoder:
    """Return how one element of a field is read."""
    if field.code == "s":
        return Decoder(field.size, _characters)
    if field.code:
        return Decoder(struct.calcsize(field.code), _scalar(field.code, field.kind, abi))
    return decoder(field.type, abi)


def _field(field: Field, abi: Abi) -> Decoded:
    one = _element(field, abi)
    if field.elements is None or field.code == "s":
        return one.text
    return lambda view, data: listed(view, data, one)


def listed(view: View, data: bytes, one: Decoder) -> str:
    """Return the elements of an array in brackets."""
    starts = range(0, len(data) - one.size + 1, one.size)
    return f"[{', '.join(one.text(view, data[at : at + one.size]) for at in starts)}]"


def _structure(found: Layout, abi: Abi) -> Decoded:
    fields = [
        (field.name, field.offset, field.offset + field.size, field.detail, _field(field, abi))
        for field in found.fields
        if field.name != "_"
    ]
    abbreviates = any(detail for *_, detail, _ in fields)

    def text(view: View, data: bytes) -> str:
        parts = [
            f"{name}={shown(view, data[start:end])}"
            for name, start, end, detail, shown in fields
            if view.verbose or not detail
        ]
        if abbreviates and not view.verbose:
            parts.append("...")
        return f"{{{', '.join(parts)}}}"

    return text


@cache
def decoder(name: str, abi: Abi) -> Decoder:
    """Return how a scalar or a structure is read from memory.

    Raises:
        KeyError: there is no such type.
    """
    code = code_of(name, abi)
    if code:
        kind = parse_kind(name if name in MAKERS else SCALARS.get(name, name))
        return Decoder(struct.calcsize(code), _scalar(code, kind, abi))
    if name in DECODERS:
        return Decoder(size_of(name, abi), DECODERS[name])
    found = layout(name, abi)
    if found is None:
        raise KeyError(f"no type {name}")
    return Decoder(found.size, _structure(found, abi))


@cache
def _reader(name: str, abi: Abi) -> tuple[Callable[[bytes], tuple[int, ...]], tuple[str, ...]]:
    found = layout(name, abi)
    assert found is not None, name
    fields = [
        field
        for field in found.fields
        if field.code and field.elements is None and field.name != "_"
    ]
    text, end = "<", 0
    for field in fields:
        text += f"{field.offset - end}x{field.code}"
        end = field.offset + field.size
    reader = struct.Struct(text)
    return reader.unpack_from, tuple(field.name for field in fields)


def values(view: View, name: str, data: bytes) -> dict[str, int]:
    """Return the scalar fields of a structure by name."""
    read, names = _reader(name, view.abi)
    return dict(zip(names, read(data), strict=True))


def at(view: View, address: int, name: str, phase: Phase) -> str:
    """Return what an address points to, or the address if that was not copied."""
    one = decoder(name, view.abi)
    data = view.read(address, one.size, phase) if address else None
    return pointer(address) if data is None else one.text(view, data)


def shown_structure(place: Place) -> Shown:
    """Make the function that shows the structure that an argument points to."""
    one, phase = decoder(place.kind.name, place.abi), place.phase

    def shown(view: View, address: int) -> str:
        data = view.read(address, one.size, phase) if address else None
        return pointer(address) if data is None else one.text(view, data)

    return shown


@makes("one")
def _one(place: Place) -> Shown:
    """A pointer to one value, which is shown in brackets."""
    one, phase = decoder(place.kind.params[0], place.abi), place.phase

    def shown(view: View, address: int) -> str:
        data = view.read(address, one.size, phase) if address else None
        return pointer(address) if data is None else f"[{one.text(view, data)}]"

    return shown


@makes("entry")
def _entry(place: Place) -> Shown:
    """A structure that the kernel changes too; what it was before is shown."""
    return lambda view, address: at(view, address, place.kind.params[0], Phase.ENTRY)


@makes("changing")
def _changing(place: Place) -> Shown:
    """A number that the kernel may change: `[0] => [18]`."""
    name = place.kind.params[0]

    def shown(view: View, address: int) -> str:
        before = at(view, address, name, Phase.ENTRY)
        after = at(view, address, name, Phase.EXIT)
        if before.startswith("0x") or before == "NULL":
            return before
        return f"[{before}]" if after.startswith("0x") else f"[{before}] => [{after}]"

    return shown


def counted(view: View, place: Place, by: str) -> int:
    """Return how many elements an array has."""
    if by == "result":
        return view.result or 0
    if by.isdigit():
        return int(by)
    assert place.row is not None
    return view.args[place.row.position(by)]


@makes("array")
def _array(place: Place) -> Shown:
    """An array of structures or numbers, of which at most `strings` are shown in short."""
    name, by = place.kind.params
    one, phase = decoder(name, place.abi), place.phase

    def shown(view: View, address: int) -> str:
        count = counted(view, place, by)
        if not address or (phase is Phase.EXIT and view.failed):
            return pointer(address)
        if not count:
            return "[]"
        return array(view, address, count, one, phase)

    return shown


def array(view: View, address: int, count: int, one: Decoder, phase: Phase) -> str:
    """Return the elements of an array, with dots where strace has them."""
    limit = count if view.verbose else min(count, view.strings)
    data, fault = view.peek(address, phase)
    there = len(data) // one.size
    if not there:
        return pointer(address)
    parts = [
        one.text(view, data[start : start + one.size])
        for start in range(0, min(there, limit) * one.size, one.size)
    ]
    if there < limit:
        parts.append(f"... /* {address + there * one.size:#x} */" if fault else "...")
    elif limit < count:
        parts.append("...")
    return f"[{', '.join(parts)}]"
