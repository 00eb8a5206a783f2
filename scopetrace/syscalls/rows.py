"""The table of system calls, table.txt, as rows. It is read when the first row is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
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


def lines(file: str) -> Iterator[list[str]]:
    """Yield the words of each line of a table beside this module, without its comments.

    A line that begins with a space continues the one before.
    """
    text = files("scopetrace.syscalls").joinpath(file).read_text()
    for line in text.replace("\n ", " ").splitlines():
        if line and not line.startswith("#"):
            yield line.split()


def _argument(text: str) -> Argument:
    name, _, kind = text.partition(":")
    return Argument(name, parse_kind(kind))


def _row(words: list[str]) -> Row:
    name, *numbers = words[:4]
    return Row(
        name,
        tuple(int(number) if number != "-" else None for number in numbers),
        parse_kind(words[4]),
        tuple(map(_argument, words[5:])),
    )


@cache
def _words_by_number() -> tuple[dict[int, list[str]], ...]:
    found: tuple[dict[int, list[str]], ...] = ({}, {}, {})
    for words in lines("table.txt"):
        for abi in Abi:
            if words[1 + abi] != "-":
                found[abi][int(words[1 + abi])] = words
    return found


@cache
def row(abi: int, number: int) -> Row | None:
    """Return the call that has this number in an ABI, or None if the table lacks it."""
    words = _words_by_number()[abi].get(number)
    return _row(words) if words else None


def rows() -> Iterator[Row]:
    """Yield all rows in the order of the table."""
    yield from map(_row, lines("table.txt"))


def named(name: str) -> list[Row]:
    """Return the rows of the calls that have this name: none, one, or one for each form."""
    return [_row(words) for words in lines("table.txt") if words[0] == name]
