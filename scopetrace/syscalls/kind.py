"""The kind of an argument or a field, as the rows of the tables name it: `<bytes(result)`."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from scopetrace.syscalls.call import Phase

DIRECTIONS = {
    ">": (Phase.ENTRY,),
    "<": (Phase.EXIT,),
    "": (),
}


class Kind(NamedTuple):
    """What a value is."""

    name: str
    """What it is, as `fd`, `flags` or the name of a structure."""
    params: tuple[str, ...] = ()
    """The set of names, or the arguments that say how many elements there are."""
    phases: tuple[Phase, ...] = ()
    """When the memory at this address holds it; empty for a value in a register."""


@cache
def parse_kind(text: str) -> Kind:
    """Return the kind that a row writes as `[<][>]NAME[(PARAMETER,…)]`.

    `>` marks an address of what the program gives, `<` of what the kernel gives, `<>` of both.
    """
    name, _, params = text.lstrip("<>").partition("(")
    marks = text[: len(text) - len(text.lstrip("<>"))]
    phases = tuple(phase for mark in sorted(marks, reverse=True) for phase in DIRECTIONS[mark])
    return Kind(name, tuple(params.rstrip(")").split(",")) if params else (), phases)
