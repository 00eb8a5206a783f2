"""The line of a call, in the form that strace gives it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from scopetrace.syscalls import (
    files,
    ioctls,
    memory,
    numbers,
    processes,
    signals,
    sockets,
    text,
    waiting,
)
from scopetrace.syscalls.call import Abi, Call, Phase
from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.layout import layout
from scopetrace.syscalls.multiplexed import Inner, inner_call
from scopetrace.syscalls.quote import hexed
from scopetrace.syscalls.results import Result, returned
from scopetrace.syscalls.rows import Row, row
from scopetrace.syscalls.structures import shown_structure
from scopetrace.syscalls.view import DECODERS, MAKERS, Place, Shown, View

KINDS = (files, ioctls, memory, numbers, processes, signals, sockets, text, waiting)
"""The modules whose import registers kinds."""
NO_RETURN = "none"
LATE = ("iovec", "msghdr")
"""Kinds of which only the address is known at entry, if the kernel fills them."""


class Form(NamedTuple):
    """How the calls of one row are shown in one ABI."""

    name: str
    arguments: tuple[Shown, ...]
    known_at_entry: int
    """How many arguments in front can be shown of a call that has not returned."""
    is_filled: bool
    """Whether the kernel fills an argument in."""
    result: Result
    returns: bool


def _shown(found: Row, position: int, abi: Abi) -> Shown:
    kind = found.arguments[position].kind
    place = Place(found, kind, abi, position)
    if kind.name in MAKERS:
        return MAKERS[kind.name](place)
    if kind.phases and (kind.name in DECODERS or layout(kind.name, abi)):
        return shown_structure(place)
    return numbers_in_hex


def _is_filled(kind: Kind) -> bool:
    """Return whether an argument can be shown only when the call has returned."""
    return kind.phases == (Phase.EXIT,) or (kind.name in LATE and Phase.EXIT in kind.phases)


def numbers_in_hex(view: View, value: int) -> str:
    """Show a value whose kind is not known."""
    return hexed(value)


@cache
def _inner_form(inner: Inner) -> Form | None:
    """Return how a call is shown that socketcall(2) or ipc(2) asks for."""
    if inner.row is None:
        return None
    found = _form(inner.row, Abi.I386)
    return found._replace(name=inner.name, arguments=found.arguments[: len(inner.order)])


def _form_of(call: Call) -> tuple[Call, Row | None, Form | None]:
    """Return the call that is shown, which may be one inside another, its row, and how."""
    if call.abi == Abi.I386 and (found := inner_call(call)):
        made, inner = found
        return made, inner.row, _inner_form(inner)
    return call, row(call.abi, call.number), form(call.abi, call.number)


@cache
def form(abi: int, number: int) -> Form | None:
    """Return how a call is shown, or None if the table lacks it."""
    found = row(abi, number)
    return None if found is None else _form(found, Abi(abi))


def _form(found: Row, abi: Abi) -> Form:
    places = range(len(found.arguments))
    shown = tuple(_shown(found, position, abi) for position in places)
    filled = (n for n in places if _is_filled(found.arguments[n].kind))
    kind = found.result.name
    is_filled = any(Phase.EXIT in argument.kind.phases for argument in found.arguments)
    return Form(
        found.name, shown, next(filled, len(shown)), is_filled, returned(kind), kind != NO_RETURN
    )


def _unknown(view: View, call: Call) -> str:
    args = ", ".join(map(hexed, call.args))
    result = "?" if call.result is None else returned("int")(view, call.result)
    return f"syscall_{call.number:#x}({args}) = {result}"


def _unfinished(view: View, found: Form) -> str:
    pairs = zip(found.arguments[: found.known_at_entry], view.args, strict=False)
    parts = [text for shown, value in pairs if (text := shown(view, value)) is not None]
    if not (found.returns and found.is_filled):
        return f"{found.name}({', '.join(parts)}) = ?"
    more = ", " if parts and found.known_at_entry < len(found.arguments) else ""
    return f"{found.name}({', '.join(parts)}{more} <unfinished ...>) = ?"


class Spelled(NamedTuple):
    """A call whose arguments are text, each by itself."""

    name: str
    call: Call
    """The call that is shown, which may be one inside another."""
    row: Row | None
    """None: the table lacks the call."""
    arguments: dict[str, str]
    """Name of an argument → its text; without those that the call has not in this case."""


def spell(
    call: Call,
    *,
    strings: int = 32,
    verbose: bool = False,
    fd_names: Mapping[int, str] | None = None,
) -> Spelled:
    """Return the arguments of a call one by one, as `render` shows them, by its parameters.

    Of a call that has not returned, what the kernel would fill in is shown as its address.
    """
    call, inner, found = _form_of(call)
    if found is None or inner is None:
        texts = {f"arg{at}": hexed(value) for at, value in enumerate(call.args, 1)}
        return Spelled(f"syscall_{call.number:#x}", call, None, texts)
    view = View(call, strings, verbose, fd_names)
    arguments = zip(inner.arguments, found.arguments, call.args, strict=False)
    spelled = {each.name: shown(view, value) for each, shown, value in arguments}
    texts = {name: text for name, text in spelled.items() if text is not None}
    return Spelled(found.name, call, inner, texts)


def render(
    call: Call,
    *,
    strings: int = 32,
    verbose: bool = False,
    fd_names: Mapping[int, str] | None = None,
) -> str:
    """Return a call as strace prints it: `close(3) = 0`.

    Args:
        call: What was recorded.
        strings: Bytes of a string or buffer that are shown.
        verbose: Show all fields of structures, as strace -v does.
        fd_names: What fds are, to show behind them: `3</etc/passwd>`.
    """
    call, _, found = _form_of(call)
    view = View(call, strings, verbose, fd_names)
    if found is None:
        return _unknown(view, call)
    if call.result is None:
        return _unfinished(view, found)
    parts = [
        text
        for shown, value in zip(found.arguments, call.args, strict=False)
        if (text := shown(view, value)) is not None
    ]
    return f"{found.name}({', '.join(parts)}) = {found.result(view, call.result)}"
