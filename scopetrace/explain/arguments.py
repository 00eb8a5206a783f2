"""Each argument of a call, and its result: what it is called, its value, what that means here."""

from __future__ import annotations

from typing import NamedTuple

from scopetrace.explain.phrases import STANDARD, permissions, phrase
from scopetrace.explain.subject import Subject, names_in
from scopetrace.explain.texts import calls, errors, names
from scopetrace.syscalls.call import Phase
from scopetrace.syscalls.descriptors import AT_FDCWD
from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.results import returned
from scopetrace.syscalls.view import View

KINDS = {
    "bytes": "bytes in the program's memory",
    "stat": "what the kernel says about the file",
    "ptr": "an address in memory",
    "sigset": "a set of signals",
    "timespec": "a time in seconds and nanoseconds",
    "timeval": "a time in seconds and microseconds",
    "iovec": "several pieces of memory",
    "pollfds": "descriptors, what is waited for (events), and what came (revents)",
    "strings": "the words of the command line",
    "envp": "the environment",
    "addrlen": "how long the address may be, and is",
    "wstatus": "how the child ended",
    "rusage": "what was used",
}
"""Kind of an argument → what it is, where its value does not say so."""
NULL_MEANS = "nothing is given or wanted here"
DESCRIPTORS = ("fd", "dirfd")
RESULT_LENGTH = 32
"""Bytes of a string in a result."""
MODES = ("openmode", "octal")


class Argument(NamedTuple):
    """One argument of a call."""

    name: str
    value: str
    """As it is printed."""
    meanings: tuple[str, ...]
    """What the value, or each name in it, means."""


def arguments(call: Subject) -> list[Argument]:
    """Return the arguments of a call, in their order."""
    return [_argument(call, name, text) for name, text in call.texts.items()]


def _argument(call: Subject, name: str, text: str) -> Argument:
    kind = call.kind(name)
    if kind is not None and kind.name in DESCRIPTORS:
        return Argument(name, text.partition("<")[0], _descriptor(call, call.number(name)))
    if text == "NULL" and kind is not None and kind.phases:
        return Argument(name, text, (NULL_MEANS,))
    known = names()
    found = [
        f"{word}: {known[word]}{_came_of(call, word)}"
        for word in dict.fromkeys(names_in(text))
        if word in known
    ]
    return Argument(name, text, tuple(found) or (_meaning(call, name, text, kind) if kind else ()))


def _came_of(call: Subject, flag: str) -> str:
    """Return what is known to have come of a flag here."""
    was_there = call.call.was_there
    if flag != "O_CREAT" or was_there is None:
        return ""
    return "; it existed" if was_there else "; it did not"


def _descriptor(call: Subject, fd: int) -> tuple[str, ...]:
    name = call.fd_name(fd)
    if fd == AT_FDCWD:
        return (f"{names()['AT_FDCWD']}{f', {name}' if name else ''}",)
    if fd < 0:
        return ("no descriptor",)
    standard = STANDARD[fd] if fd < len(STANDARD) else ""
    return (", ".join(filter(None, (standard, name))) or "a descriptor",)


def _meaning(call: Subject, argument: str, text: str, kind: Kind) -> tuple[str, ...]:
    """Return what a value without names means, by its kind."""
    said = phrase(call, argument)
    if kind.name == "path":
        return (said,) if said not in text else ()
    if kind.name == "size" and said == f"{text} bytes":
        return ("bytes",)
    if kind.name in MODES:
        return (permissions(call.number(argument)),)
    if said != text:
        return (said,)
    if kind.name not in KINDS:
        return ()
    return (f"{KINDS[kind.name]}{', filled in by the kernel' if _is_filled(kind) else ''}",)


def _is_filled(kind: Kind) -> bool:
    return kind.phases == (Phase.EXIT,)


def result_text(call: Subject) -> str:
    """Return what a call returned, and what that is."""
    found = call.result
    if found is None:
        never = call.row is not None and call.row.result.name == "none"
        return "it never returns" if never else "?: it had not returned"
    if call.error:
        error = errors().get(call.error)
        return f"-1, and errno is {call.error} ({-found}){f': {error.short}' if error else ''}"
    if call.call.is_refused:
        return f"{call.result}: the number of the call, which was not made"
    if call.is_interrupted:
        return "a signal interrupted it"
    text = returned(call.row.result.name if call.row else "int")(
        View(call.call, RESULT_LENGTH, False, None), found
    )
    about = calls().get(call.name)
    return f"{text}: {about.returns}" if about and about.returns != text else text
