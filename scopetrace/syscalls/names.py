"""Names of flags and values: the sets of names.txt, made from the headers of the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.quote import hexed
from scopetrace.syscalls.rows import Row, by_name


class NameSet(NamedTuple):
    """Names and what they stand for."""

    label: str
    """What is printed for a value that has no name, as O_???."""
    flags: tuple[tuple[str, int], ...]
    """Names and values in the order of printing."""
    by_value: dict[int, str]
    """The first name of each value."""

    def value(self, number: int) -> str:
        """Return the name of a value, or the number with the label."""
        name = self.by_value.get(number)
        return name or f"{hexed(number)} /* {self.label} */"

    def parts(self, number: int) -> tuple[list[str], int]:
        """Return the names of the flags that are set, and the bits that have no name."""
        found = []
        for name, flag in self.flags:
            if flag and number & flag == flag:
                found.append(name)
                number &= ~flag
        return found, number

    def of_flags(self, number: int) -> str:
        """Return flags joined by |, as strace does."""
        if not number:
            return self.by_value.get(0, "0")
        found, rest = self.parts(number)
        if rest and not found:
            return f"{rest:#x} /* {self.label} */"
        return "|".join([*found, hexed(rest)] if rest else found)


def _without_name(argument: str, kind: Kind, value: int) -> str:
    """Say which flag of an argument, or that its value, has no name; empty: all have one."""
    known, number = name_set(kind.params[0]), value & 0xFFFFFFFF
    if kind.name == "enum":
        text = f"{argument} is {number - (number >> 31 << 32)}, which has no name"
        return "" if number in known.by_value or value in known.by_value else text
    rest = known.parts(number)[1]
    return f"{rest:#x} in {argument} is no known flag" if rest else ""


UNCHECKED = ("timer", "msg")
"""Sets of flags of which calls take those that they do not know."""


def unnamed_value(row: Row, values: Sequence[int]) -> str:
    """Say which flag or value of a call's arguments has no name; empty: all have one."""
    for (name, kind), value in zip(row.arguments, values, strict=False):
        is_checked = kind.name in ("flags", "enum") and kind.params[0] not in UNCHECKED
        if is_checked and (text := _without_name(name, kind, value)):
            return text
    return ""


@cache
def _texts() -> dict[str, str]:
    return by_name("names.txt")


@cache
def name_set(name: str) -> NameSet:
    """Return a set of names.

    Raises:
        KeyError: names.txt has no such set.
    """
    label, *entries = _texts()[name].split()
    pairs = (entry.partition("=") for entry in entries)
    flags = tuple((name, int(value, 0)) for name, _, value in pairs)
    return NameSet(label, flags, {value: name for name, value in reversed(flags)})
