"""A system call, an error, or an event of a session, explained in sentences.

First the fact, then what it means, then where to look further. A call without a text of its own has
its prototype, which is never wrong.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from scopetrace.explain.texts import CallText, ErrorText, calls, errors, names
from scopetrace.model.event import EventRecord
from scopetrace.output.cause import cause_text
from scopetrace.output.syscall_prototypes import ALIASES, man_name, prototype
from scopetrace.syscalls.rows import named

LABEL_COLUMNS = 9
Part = tuple[str, str]
"""A label, perhaps empty, and a text."""


def known_names() -> set[str]:
    """Return the names that can be explained without a session, but for calls without a text."""
    return {*calls(), *errors(), *names()}


def list_parts() -> list[Part]:
    """Return what can be explained without a session."""
    return [
        ("calls", ", ".join(sorted(calls()))),
        ("errors", ", ".join(errors())),
        ("values", f"{len(names())} flags and values of arguments, as O_CREAT and SIGPIPE"),
    ]


def name_parts(name: str) -> list[Part]:
    """Return what is to be said of a flag or a value of an argument; empty: it is not known."""
    meaning = names().get(name)
    return [("value", name), ("means", f"{meaning}.")] if meaning else []


def call_parts(name: str) -> list[Part]:
    """Return what is to be said of a system call; empty: there is none of this name."""
    text, declared = calls().get(ALIASES.get(name, name)), prototype(name)
    rows = named(name)
    if text is None and declared is None and not rows:
        return []
    composed = (
        f"{name}({', '.join(argument.name for argument in rows[-1].arguments)})" if rows else ""
    )
    return [("call", declared or composed), *_call_parts(name, text)]


def _call_parts(name: str, text: CallText | None) -> Iterator[Part]:
    if text is not None:
        yield "does", text.does
        yield "returns", f"{text.returns}. If it fails: -1, and errno says why"
        yield "see", ", ".join(text.see)
    yield "manual", f"man 2 {man_name(name)}"


def error_parts(text: ErrorText) -> list[Part]:
    """Return what is to be said of an error."""
    return [
        ("error", f"{text.name} ({text.number}): {text.short}"),
        ("means", text.means),
        ("look at", text.look),
        ("manual", "man 3 errno"),
    ]


def event_parts(event: EventRecord) -> list[Part]:
    """Return what is to be said of the call that an event is about; empty: it is about none.

    If it failed, with the cause that was found at that moment.
    """
    op, error = str(event.data.get("op", "")), errors().get(str(event.data.get("error", "")))
    parts = [part for part in call_parts(op) if part[0] in ("call", "does")]
    if error is not None:
        cause = cause_text(event.data)
        parts += [part for part in error_parts(error) if part[0] in ("error", "means")]
        parts += [("here", f"{cause}.")] if cause else []
        parts.append(("look at", error.look))
    return parts


def explained_lines(parts: list[Part], columns: int) -> Iterator[str]:
    """Yield the lines of a text, each at most so wide."""
    for label, text in parts:
        yield from textwrap.wrap(
            text,
            max(columns, 2 * LABEL_COLUMNS),
            initial_indent=f"{label:{LABEL_COLUMNS}}",
            subsequent_indent=" " * LABEL_COLUMNS,
            break_on_hyphens=False,
        )
