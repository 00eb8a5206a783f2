"""System calls with what they did: a sentence under each line, or grouped into acts.

The rule: each entry begins with the number of its call, by which `scopetrace explain` shows more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from textwrap import wrap
from typing import Any, NamedTuple

from scopetrace.explain.acts import Act
from scopetrace.explain.grouping import Acts
from scopetrace.explain.sentence import sentence, sentence_between, sentence_form
from scopetrace.explain.subject import Subject
from scopetrace.model.whole_call import END
from scopetrace.output.call_explained import raw_line, why_failed
from scopetrace.output.syscall_levels import BEGINNER, EXPERT, NORMAL
from scopetrace.output.syscall_lines import CallLines, Folded, folded
from scopetrace.output.units import format_microseconds
from scopetrace.syscalls.descriptors import Files, positions, signed, text_at
from scopetrace.syscalls.recorded import Recorded

LEAST_REPEATS = 3
"""So many calls that are like the one before them are one line."""
NUMBER_COLUMNS = 6
LEAST_COLUMNS = 40
LOADER = (
    "The loader puts the libraries that the program needs into memory before the program's own"
    " code begins."
)
SCRIPTS = (
    "The name of the program is that of a script here (as with pyenv, rbenv and npm), which looks"
    " for the program and becomes it in the end."
)


INTRODUCTION = (
    "What the program asked of the kernel, the part of the system that alone can reach files, other"
    " processes and the network: its system calls. In front stands the number of a call, of which"
    " `scopetrace explain NUMBER` says more{form}. A descriptor is the number by which a process"
    " names what it has open: a file, a pipe, a connection. 0 is standard input, 1 standard output,"
    " 2 standard error."
)
FORMS = {
    BEGINNER: (
        "; in brackets which calls it was. A process is a running program; where there are several,"
        " their numbers stand next, and one that was started by another is its child. A signal is"
        " a short message to a process, as SIGINT for Ctrl-C and SIGCHLD when a child has ended."
        " Where a call failed, the kernel's word for the reason stands in parentheses, as ENOENT"
    ),
    NORMAL: ", then name, arguments and result, as strace prints them, and below what it means",
}
"""Level → what the introduction says of its entries; other levels have no introduction."""


class Explaining(NamedTuple):
    """How calls are explained."""

    level: str
    """One of `syscall_levels.LEVELS`."""
    columns: int
    """Columns of a line."""
    data_of: Callable[[Recorded], dict[str, Any]]
    """Returns the data of the event of a call that failed."""
    is_own: Callable[[str], bool]
    """Whether a path is of the program itself, not of the system or the language."""


Rows = Iterable[tuple[Recorded, Files]]


def introduction(how: Explaining) -> list[str]:
    """Return the lines that stand before all entries of a level; none, if it needs none."""
    form = FORMS.get(how.level)
    text = INTRODUCTION.format(form=form) if form else ""
    return wrap(text, max(how.columns, LEAST_COLUMNS), break_on_hyphens=False)


def explained_entries(
    rows: Rows, lines: CallLines, fold: frozenset[int] | None, how: Explaining
) -> Iterator[list[str]]:
    """Yield the lines of each call with its explanation, or of each act.

    Args:
        rows: the calls, with the descriptors of their processes.
        lines: makes the lines in strace's form.
        fold: start-ups are one line each, those of these process images, too; None: they are not.
        how: the level, and where reasons of failures come from.
    """
    if how.level == BEGINNER:
        yield from _as_acts(rows, lines, fold, how)
        return
    repeats = Repeats(fold is not None and how.level != EXPERT, how.columns)
    for made, files, start_up in folded(rows, fold):
        if start_up:
            yield from repeats.end()
            line = f"{lines.before(made)}… {start_up.text}"
            yield [*_entry(0, line, how.columns), *_under(_meaning(start_up), how.columns)]
            continue
        if repeats.is_again(made, files):
            continue
        subject = _subject(made, files, how) if made.is_call else None
        entry = [*_entry(made.id, lines.line(made, files), how.columns)]
        entry += _under(sentence(subject) if subject else sentence_between(made), how.columns)
        if how.level == EXPERT and made.is_call:
            entry += _under(raw_line(made), how.columns)
        yield from repeats.take(made, files, subject, entry)
    yield from repeats.end()


class Repeats:
    """Folds calls that do once more what the one before did, to the same file, into one line."""

    def __init__(self, fold: bool, columns: int) -> None:
        self._fold = fold
        self._columns = columns
        self._like: tuple[object, ...] | None = None
        """What the last calls have in common; None: nothing is known of the last one."""
        self._count = self._duration_ns = 0
        self._name = ""
        self._held: list[list[str]] = []
        """The entries of the calls that may be folded, while they are few."""
        self._equal: tuple[object, ...] | None = None
        """What only a call has that is equal to the last one in all numbers and bytes."""

    def is_again(self, made: Recorded, files: Files) -> bool:
        """Return whether a call is equal to the last ones, so that it is counted and no more.

        A failed call never is: its reason may be another one.
        """
        if self._count < LEAST_REPEATS or made.error or _equality(made, files) != self._equal:
            return False
        self._add(made)
        return True

    def take(
        self, made: Recorded, files: Files, subject: Subject | None, entry: list[str]
    ) -> Iterator[list[str]]:
        """Yield the entries that are to be printed when a call with the lines `entry` comes."""
        self._equal = _equality(made, files)
        like = _likeness(subject) if subject and self._fold else None
        if like is None or like != self._like:
            yield from self.end()
            yield entry
            self._like = like
            return
        self._add(made)
        self._held = [*self._held, entry] if self._count < LEAST_REPEATS else []

    def _add(self, made: Recorded) -> None:
        self._count += 1
        self._duration_ns += made.duration_ns
        self._name = made.name

    def end(self) -> Iterator[list[str]]:
        """Yield what stands for the calls that were held back."""
        if self._count >= LEAST_REPEATS:
            took = format_microseconds(self._duration_ns // 1000)
            text = f"… {self._count} more calls of {self._name} like it, {took} (-A shows them)"
            yield [*_entry(0, text, self._columns)]
        yield from self._held
        self._like, self._held = None, []
        self._count = self._duration_ns = 0


def _equality(made: Recorded, files: Files) -> tuple[object, ...]:
    return made.tid, made.abi, made.number, made.result, made.data, id(files), files.version


def _likeness(call: Subject) -> tuple[object, ...]:
    """Return what two calls have in common that do the same to the same files and descriptors."""
    at = positions(call.made.abi, call.made.number)
    files = [signed(call.made.call.args[place]) for place in at.fds]
    paths = [text_at(call.made.call, place) for place in at.paths]
    return call.made.tid, call.name, sentence_form(call), call.error, *files, *paths


def _subject(made: Recorded, files: Files, how: Explaining) -> Subject:
    return Subject(made, files, why_failed(made, files, how.data_of(made)))


def _entry(number: int, text: str, columns: int) -> Iterator[str]:
    """Yield a text that begins with the number of a call; 0: with none."""
    head = f"{number or '':>{NUMBER_COLUMNS - 1}} "
    yield from wrap(
        text,
        max(columns, LEAST_COLUMNS),
        initial_indent=head,
        subsequent_indent=" " * (NUMBER_COLUMNS + 2),
        break_on_hyphens=False,
    )


def _under(text: str, columns: int) -> Iterator[str]:
    indent = " " * (NUMBER_COLUMNS + 2)
    yield from wrap(
        text,
        max(columns, LEAST_COLUMNS),
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _meaning(start_up: Folded) -> str:
    return LOADER if start_up.is_loader else SCRIPTS


def _as_acts(
    rows: Rows, lines: CallLines, fold: frozenset[int] | None, how: Explaining
) -> Iterator[list[str]]:
    acts = Acts(how.is_own)
    for made, files, start_up in folded(rows, fold):
        if made.is_call and not start_up:
            found = acts.take(_subject(made, files, how))
        else:
            found = acts.end()
        yield from (_act(act, lines, how.columns) for act in found)
        if start_up:
            text = f"{_meaning(start_up).removesuffix('.')} [{start_up.text}]"
            yield [*_entry(0, lines.before(made) + text, how.columns)]
        elif not made.is_call and not (made.abi == END and os.WIFEXITED(made.result or 0)):
            text = lines.before(made) + sentence_between(made).removesuffix(".")
            yield [*_entry(made.id, text, how.columns)]
    yield from (_act(act, lines, how.columns) for act in acts.end())


def _act(act: Act, lines: CallLines, columns: int) -> list[str]:
    return [*_entry(act.first.id, lines.before(act.first) + act.line(), columns)]
