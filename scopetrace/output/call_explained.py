"""One system call of a session, explained: what it did, each argument, why it failed, what belongs.

First the sentence about this very call, then its parts, then where to look further. The text and
the JSON come from one `CallExplained`.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from scopetrace.explain.acts import counted
from scopetrace.explain.arguments import Argument, arguments, result_text
from scopetrace.explain.by_memory import reason_by_memory
from scopetrace.explain.by_state import reason_by_state, restricted_reason
from scopetrace.explain.certain import certain_reason
from scopetrace.explain.reasons import reason_by_arguments
from scopetrace.explain.sentence import sentence
from scopetrace.explain.subject import Subject
from scopetrace.explain.texts import calls, errors
from scopetrace.output.cause import cause_text, found_cause
from scopetrace.output.syscall_lines import CallLines
from scopetrace.output.syscall_prototypes import ALIASES, man_name, prototype
from scopetrace.output.units import format_microseconds, format_moment
from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.chains import Chain, Use
from scopetrace.syscalls.descriptors import Files
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import row

LEAST_COLUMNS = 40
MOST_VALUE = 60
"""Characters of a value in front of what it means."""
REGISTERS = "rdi rsi rdx r10 r8 r9"
REGISTERS_32 = "ebx ecx edx esi edi ebp"
"""Of programs for i386. Both in the order of arguments: syscall(2)."""


class Related(NamedTuple):
    """What belongs to a call: the label, a number of a call or 0, and a text."""

    label: str
    number: int
    text: str


class CallExplained(NamedTuple):
    """All that is said of one call."""

    made: Recorded
    line: str
    """As strace prints it."""
    sentence: str
    prototype: str
    man_page: str
    arguments: list[Argument]
    result: str
    error: str
    """What its error means in general; empty: it did not fail."""
    why: str
    """What was found out about its reason; empty: nothing."""
    look: str
    related: list[Related]
    see: tuple[str, ...]
    evidence: dict[str, Any]


def why_failed(made: Recorded, files: Files, data: dict[str, Any]) -> str:
    """Return why a call failed; empty: it did not, or that is not known.

    Args:
        made: the call.
        files: the descriptors of its process.
        data: what was found out about the failure when it was recorded.
    """
    if not made.error:
        return ""
    data = {"error": made.error, **data, "op": made.name}
    alone = (
        reason_by_state(made, files) or reason_by_memory(made) or reason_by_arguments(made, files)
    )
    return (
        alone
        or found_cause(data)
        or certain_reason(made)
        or restricted_reason(made, files)
        or cause_text(data)
    )


def explained_call(
    made: Recorded, files: Files, line: str, data: dict[str, Any], related: list[Related]
) -> CallExplained:
    """Return what is to be said of a call.

    Args:
        made: the call.
        files: the descriptors of its process.
        line: the call as strace prints it.
        data: of the event of its failure; empty: there is none.
        related: what belongs to it.
    """
    why = why_failed(made, files, data)
    subject = Subject(made, files, why)
    about, error = calls().get(ALIASES.get(subject.name, subject.name)), errors().get(made.error)
    return CallExplained(
        made,
        line,
        sentence(subject),
        prototype(subject.name) or f"{subject.name}(…)",
        f"man 2 {man_name(subject.name)}",
        arguments(subject),
        result_text(subject),
        error.means if error else "",
        why if data else "",
        error.look if error else "",
        related,
        about.see if about else (),
        data,
    )


def related_lines(chain: Chain, lines: CallLines) -> list[Related]:
    """Return what belongs to a call as texts."""
    several = len(chain.uses) > 1
    found = [
        each for use in chain.uses for each in _use(use, f" {use.fd}" if several else "", lines)
    ]
    found += [Related(each.relation, each.made.id, lines.text(each.made)) for each in chain.related]
    return found


def _use(use: Use, of: str, lines: CallLines) -> Iterator[Related]:
    """Yield what was done with one descriptor of the call, before and after it."""
    if use.opened is not None:
        yield Related(f"opened{of}", use.opened.id, lines.text(use.opened))
    if use.before:
        yield Related(f"before{of}", 0, _many(use.before, use.knows_before))
    if use.after:
        yield Related(f"then{of}", 0, _many(use.after, use.knows_after))
    if use.closed is not None:
        yield Related(f"closed{of}", use.closed.id, lines.text(use.closed))


def _many(calls: Counter[str], are_all: bool) -> str:
    return counted(calls) if are_all else f"at least {counted(calls)}"


# -- text ------------------------------------------------------------------------------------------


def call_lines(found: CallExplained, columns: int) -> Iterator[str]:
    """Yield the lines about a call, each at most so wide, but for LEAST_COLUMNS."""
    columns = max(columns, LEAST_COLUMNS)
    made = found.made
    took = format_microseconds(made.duration_ns // 1000)
    head = f"call {made.id} of {made.proc}[{made.tid}], {format_moment(made.time_ns)}, took {took}"
    yield from textwrap.wrap(head, columns)
    yield from textwrap.wrap(found.line, columns, subsequent_indent="    ", break_on_hyphens=False)
    yield ""
    yield from textwrap.wrap(found.sentence, columns, break_on_hyphens=False)
    yield ""
    parts = [*_parts(found)]
    indent = max(len(label) for label, _ in parts) + 2
    for label, text in parts:
        yield from textwrap.wrap(
            text,
            columns,
            initial_indent=f"{label:{indent}}",
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
        )


def _parts(found: CallExplained) -> Iterator[tuple[str, str]]:
    yield "call", found.prototype
    for argument in found.arguments:
        yield from _argument(argument)
    yield "result", found.result
    if found.why and found.why not in found.sentence:
        yield "why", f"{found.why}."
    if found.error:
        yield "means", found.error
        yield "look at", found.look
    for label, number, text in found.related:
        yield label, f"{f'call {number}: ' if number else ''}{text}"
    if found.see:
        yield "see", ", ".join(found.see)
    yield "manual", found.man_page


def _argument(argument: Argument) -> Iterator[tuple[str, str]]:
    name, value, meanings = argument
    value = textwrap.shorten(value, MOST_VALUE, placeholder=" …") if meanings else value
    single = len(meanings) == 1 and not meanings[0].startswith(f"{value}:")
    if not meanings or single:
        yield name, f"{value}: {meanings[0]}" if meanings else value
        return
    for place, meaning in enumerate(meanings):
        yield "" if place else name, meaning


def raw_line(made: Recorded) -> str:
    """Return number and registers of a call, as far as it takes any: `3 x86-64: rdi=0x3 = 0x0`."""
    names = (REGISTERS_32 if made.abi == Abi.I386 else REGISTERS).split()
    call = made.call
    found = row(call.abi, call.number)
    kept = call.args[: len(found.arguments)] if found else call.args
    registers = "".join(f" {name}={value:#x}" for name, value in zip(names, kept, strict=False))
    result = "?" if made.result is None else f"{made.result & (1 << 64) - 1:#x}"
    return f"{Abi(made.abi).label} call {made.number}:{registers} = {result}"


# -- JSON ------------------------------------------------------------------------------------------


def call_explained_body(found: CallExplained) -> dict[str, Any]:
    """Return a call for programs."""
    return {
        "id": found.made.id,
        "call": found.line,
        "sentence": found.sentence,
        "prototype": found.prototype,
        "manual": found.man_page,
        "arguments": [argument._asdict() for argument in found.arguments],
        "result": found.result,
        "error": found.made.error or None,
        "why": found.why or None,
        "evidence": found.evidence,
        "related": [each._asdict() for each in found.related],
        "see": list(found.see),
    }
