"""Why a call failed, where several reasons are possible: by rows of reasons.txt.

The rule: a condition holds only where what it asks for is known, so a row says nothing rather than
something that may be false.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from scopetrace.explain.texts import lines_of
from scopetrace.syscalls.call import Call
from scopetrace.syscalls.descriptors import Files, text_at
from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.quote import signed
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import Row, row

CONDITION = re.compile(r"(\w+)(!=|<=|>=|!&|!~|=|<|>|&|~|%)(.+)")
FIELD = re.compile(r"\{(\w+)\}")
WIDE = ("size", "long", "ulong", "ptr", "hexlong", "hex", "offset", "prctl", "ptraceaddr")
"""Kinds of 64 bits; others have 32."""
NAMED = ("flags", "enum")
DESCRIPTORS = ("fd", "dirfd")
NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&": lambda one, bits: bool(one & bits),
    "!&": lambda one, bits: not one & bits,
    "%": lambda one, of: one % of == 0,
}


class Condition(NamedTuple):
    """What has to hold for an argument."""

    argument: str
    operation: str
    value: str


class Reason(NamedTuple):
    """A row."""

    conditions: tuple[Condition, ...]
    text: str
    arguments: frozenset[str]
    """Those that it names."""


@cache
def reasons() -> dict[tuple[str, str], tuple[Reason, ...]]:
    """Return the rows, by call and error."""
    found: dict[tuple[str, str], tuple[Reason, ...]] = {}
    for line in lines_of("reasons.txt"):
        head, text = (part.strip() for part in line.split(" | ", 1))
        calls, error, *words = head.split()
        conditions = tuple(_condition(word) for word in words)
        named = [*(each.argument for each in conditions), *FIELD.findall(text)]
        for name in calls.split(","):
            key = name, error
            found[key] = (*found.get(key, ()), Reason(conditions, text, frozenset(named)))
    return found


def _condition(word: str) -> Condition:
    found = CONDITION.fullmatch(word)
    if found is None:
        raise ValueError(f"{word} is no condition")
    return Condition(*found.groups())


def reason_by_arguments(made: Recorded, files: Files) -> str:
    """Return the reason that the arguments of a failed call leave; empty: it is not known."""
    rows = reasons().get((made.name, made.error), ())
    found = row(made.abi, made.number) if rows else None
    if found is None:
        return ""
    call, names = made.call, {argument.name for argument in found.arguments}
    for conditions, text, arguments in rows:
        if arguments <= names and all(holds(each, found, call, files) for each in conditions):
            return FIELD.sub(lambda field: str(_number(field[1], found, call)), text)
    return ""


def holds(condition: Condition, found: Row, call: Call, files: Files) -> bool:
    """Whether a condition is known to hold for a call."""
    name, operation, value = condition
    position = found.position(name)
    kind = found.arguments[position].kind
    if operation not in NUMBERS:
        text = _text(kind, position, call, files)
        return text is not None and bool(re.search(value, text)) != (operation == "!~")
    return NUMBERS[operation](_number(name, found, call), number_of(value, kind))


def number_of(value: str, kind: Kind) -> int:
    """Return the number that a condition names.

    Raises:
        KeyError: the argument has no flag or value of this name.
    """
    if value.lstrip("-")[:1].isdigit():
        return int(value, 0)
    names = dict(name_set(kind.params[0]).flags) if kind.name in NAMED else {}
    return names[value]


def _number(name: str, found: Row, call: Call) -> int:
    position = found.position(name)
    is_wide = found.arguments[position].kind.name in WIDE
    return signed(call.args[position], 64 if is_wide else 32)


def _text(kind: Kind, position: int, call: Call, files: Files) -> str | None:
    """Return the text of an argument, or what a descriptor is; None: it is not known."""
    if kind.name in DESCRIPTORS:
        return files.names.get(signed(call.args[position], 32))
    known = any(piece.argument == position for piece in call.memory)
    return text_at(call, position) if known else None
