"""A call that is explained: its line in pieces, its descriptors, and the words that it has."""

from __future__ import annotations

import re
from functools import cached_property

from scopetrace.model.shown import escape
from scopetrace.syscalls.call import Call, Phase
from scopetrace.syscalls.descriptors import AT_FDCWD, Files, path_of, signed, text_at
from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.render import Spelled, spell
from scopetrace.syscalls.results import RESTARTS
from scopetrace.syscalls.rows import Row
from scopetrace.syscalls.view import View

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?')
NAME = re.compile(r"\b_{0,2}[A-Z][A-Z0-9_]*\b")
FD_NAME = re.compile(r"<[^<>]*>(?=[,\s)}\]]|$)")
OF_QUEUES = ("mq_open", "mq_unlink")
"""Calls whose path is no path of a file, but the name of a queue: mq_overview(7)."""
SIGRETURNS = ("rt_sigreturn", "sigreturn")
MOST_LENGTH = 60
"""Characters of a text that may be a word as `name=text`."""


class Subject:
    """One call.

    Args:
        made: the call.
        files: the descriptors of its process, as they are when its line is shown.
        why: what is known of the reason of its failure, or an empty text.
    """

    def __init__(self, made: Recorded, files: Files, why: str = "") -> None:
        self.made = made
        self.files = files
        self.why = why
        self._spelled: Spelled = spell(made.call, fd_names=files.names)

    @property
    def name(self) -> str:
        """The call's name; of socketcall(2) and ipc(2) that of the call they ask for."""
        return self._spelled.name

    @property
    def call(self) -> Call:
        """Its numbers and memory."""
        return self._spelled.call

    @property
    def row(self) -> Row | None:
        """Its row of the table; None: the table lacks it."""
        return self._spelled.row

    @property
    def texts(self) -> dict[str, str]:
        """Its arguments as they are printed, by name."""
        return self._spelled.arguments

    @property
    def result(self) -> int | None:
        """What it returned; a negative errno; None: it did not return."""
        return self.made.result

    @property
    def error(self) -> str:
        """The name of its error, or an empty text."""
        return "" if self.is_interrupted or self.goes_back else self.made.error

    @property
    def succeeded(self) -> bool:
        """Whether it returned, and without an error."""
        if self.result is None or self.call.is_refused:
            return False
        return not self.error and not self.is_interrupted

    @property
    def is_interrupted(self) -> bool:
        """Whether a signal interrupted it, and it did not go on within the recording."""
        return self.result is not None and -self.result in RESTARTS and not self.goes_back

    @property
    def goes_back(self) -> bool:
        """Whether its result is that of the call that a signal had interrupted: sigreturn(2)."""
        return self.name in SIGRETURNS

    @cached_property
    def view(self) -> View:
        """Its memory by address."""
        return View(self.call, MOST_LENGTH, False, self.files.names)

    def kind(self, argument: str) -> Kind | None:
        """Return the kind of an argument; None: the call has none of this name."""
        found = self.position(argument)
        return None if found is None or self.row is None else self.row.arguments[found].kind

    def position(self, argument: str) -> int | None:
        """Return which argument has this name, counted from 0; None: none has."""
        for position, found in enumerate(self.row.arguments if self.row else ()):
            if found.name == argument:
                return position
        return None

    def value(self, argument: str) -> int | None:
        """Return the register of an argument; None: the call has none of this name."""
        position = self.position(argument)
        return None if position is None else self.call.args[position]

    def number(self, argument: str) -> int:
        """Return an argument as an int; 0: the call has none of this name."""
        return signed(self.value(argument) or 0)

    def first(self, *kinds: str) -> str:
        """Return the name of the first argument of one of these kinds, or an empty text."""
        rows = self.row.arguments if self.row else ()
        return next((each.name for each in rows if each.kind.name in kinds), "")

    def path(self, argument: str) -> str:
        """Return a path as the kernel understood it, safe to print; empty: there is none."""
        position = self.position(argument)
        text = "" if position is None else text_at(self.call, position)
        if position is None or not text or self.name in OF_QUEUES:
            return escape(text)
        return escape(path_of(self.files, self.call, position))

    def fd_name(self, fd: int) -> str:
        """Return what a descriptor is, safe to print; empty: not known."""
        return escape(self.files.cwd if fd == AT_FDCWD else self.files.names.get(fd, ""))

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of its line: names, NULL, the error, =0, and `argument=text`."""
        given = {name: text for name, text in self.texts.items() if not self._is_filled(name)}
        found = {word for text in given.values() for word in names_in(text)}
        found.update(f"{name}={text}" for name, text in given.items() if len(text) < MOST_LENGTH)
        if self.error:
            found.add(self.error)
        if self.result == 0 and not any(self._is_empty(name) for name in self.texts):
            found.add("=0")
        return frozenset(found)

    def _is_filled(self, argument: str) -> bool:
        """Whether the kernel fills an argument in, so that it says nothing of what was asked."""
        kind = self.kind(argument)
        return kind is not None and kind.phases == (Phase.EXIT,) and self.value(argument) != 0

    def _is_empty(self, argument: str) -> bool:
        kind = self.kind(argument)
        return kind is not None and kind.name == "size" and not self.value(argument)

    def has(self, word: str) -> bool:
        """Return whether its line has a word; `A+B`: both."""
        return all(each in self.words for each in word.split("+"))


def names_in(text: str) -> list[str]:
    """Return the names of flags and values in the text of an argument, in their order."""
    return NAME.findall(FD_NAME.sub("", QUOTED.sub("", text)))
