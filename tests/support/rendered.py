"""Shows what stands between the brackets of a call."""

from __future__ import annotations

from collections.abc import Iterable

from scopetrace.syscalls.call import Abi, Call, Piece
from scopetrace.syscalls.render import render
from scopetrace.syscalls.rows import named


def shown(
    name: str,
    *args: int,
    result: int = 0,
    memory: Iterable[Piece] = (),
    verbose: bool = False,
) -> str:
    """Return the line of a call of x86-64 without its name, and without its result if that is 0."""
    number = next(number for row in named(name) if (number := row.numbers[0]) is not None)
    six = tuple(arg & 2**64 - 1 for arg in (*args, 0, 0, 0, 0, 0, 0)[:6])
    made = Call(Abi.X86_64, number, six, result, (*memory,))  # type: ignore[arg-type]
    return render(made, verbose=verbose).removeprefix(f"{name}(").removesuffix(") = 0")
