"""The table of system calls, table.txt, as rows. It is read when the first row is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.kind import Kind, parse_kind


class Argument(NamedTuple):
    """One argument of a call."""

    name: str
    kind: Kind


class Row(NamedTuple):
    """One system call, or its form in some ABIs if the arguments differ."""

    name: str
    numbers: tuple[int | None, ...]
    """By `Abi`; without the mark of x32. None: that ABI lacks it, or another row has it."""
    result: Kind
    arguments: tuple[Argument, ...]

    def position(self, argument: str) -> int:
        """Return which argument has this name, counted from 0.

        Raises:
            KeyError: none has.
        """
        for position, (name, _) in enumerate(self.arguments):
            if name == argument:
                return position
        raise KeyError(f"{self.name} has no argument {argument}")


def lines(file: str) -> Iterator[str]:
    """Yield each line of a table beside this module, without its comments.

    A line that begins with a space continues the one before.
    """
    text = Path(__file__).with_name(file).read_text()
    for line in text.replace("\n ", " ").splitlines():
        if line and not line.startswith("#"):
            yield line


def by_name(file: str) -> dict[str, str]:
    """Return the first word of each line of a table, and the rest of that line."""
    return {name: rest for name, _, rest in (line.partition(" ") for line in lines(file))}


def _argument(text: str) -> Argument:
    name, _, kind = text.partition(":")
    return Argument(name, parse_kind(kind))


def _row(line: str) -> Row:
    name, x86_64, i386, x32, result, *arguments = line.split()
    return Row(
        name,
        tuple(int(number) if number != "-" else None for number in (x86_64, i386, x32)),
        parse_kind(result),
        tuple(map(_argument, arguments)),
    )


@cache
def _lines_by_number() -> tuple[dict[str, str], ...]:
    found: tuple[dict[str, str], ...] = tuple({} for _ in Abi)
    for line in lines("table.txt"):
        for numbered, number in zip(found, line.split(None, 4)[1:4], strict=True):
            numbered[number] = line
    return found


@cache
def row(abi: int, number: int) -> Row | None:
    """Return the call that has this number in an ABI, or None if the table lacks it."""
    line = _lines_by_number()[abi].get(str(number))
    return _row(line) if line else None


def rows() -> Iterator[Row]:
    """Yield all rows in the order of the table."""
    yield from map(_row, lines("table.txt"))


def named(name: str) -> list[Row]:
    """Return the rows of the calls that have this name: none, one, or one for each form."""
    return [_row(line) for line in lines("table.txt") if line.startswith(f"{name} ")]
