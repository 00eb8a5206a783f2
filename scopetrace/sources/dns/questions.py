"""Questions that wait for their answer: a bounded table, the oldest first."""

from __future__ import annotations

from typing import NamedTuple

from scopetrace.sources.dns_message import Question

MOST_PENDING = 1000
"""Questions of one flow that may wait at the same time."""

Key = tuple[bool, int, str, str]


class Asked(NamedTuple):
    """A question that was sent."""

    outgoing: bool
    id: int
    name: str
    type: str
    pid: int
    """Of the process that sent or received it."""
    time_ns: int

    @property
    def key(self) -> Key:
        """What its answer has in common with it."""
        return self.outgoing, self.id, self.name.lower(), self.type


class Pending:
    """The questions of one flow that wait."""

    def __init__(self) -> None:
        self.forgotten = 0
        """Questions that had to make room."""
        self._asked: dict[Key, Asked] = {}

    def add(self, asked: Asked) -> Asked | None:
        """Let a question wait; return the earlier one that it repeats."""
        earlier = self._asked.pop(asked.key, None)
        if len(self._asked) >= MOST_PENDING:
            del self._asked[next(iter(self._asked))]
            self.forgotten += 1
        self._asked[asked.key] = asked
        return earlier

    def take(self, outgoing: bool, serial: int, question: Question | None) -> Asked | None:
        """Remove and return what an answer answers.

        An answer may lack the question (an error about a message that the server could not read);
        then its id must be that of one question only.
        """
        if question is not None:
            return self._asked.pop((outgoing, serial, question.name.lower(), question.type), None)
        keys = [key for key in self._asked if key[:2] == (outgoing, serial)]
        return self._asked.pop(keys[0]) if len(keys) == 1 else None

    def forget(self, outgoing: bool, serial: int | None) -> None:
        """Drop the questions of one direction that have this id; None: any id."""
        for key in [key for key in self._asked if key[0] is outgoing]:
            if serial in (None, key[1]):
                del self._asked[key]

    def of_process(self, pid: int) -> list[Asked]:
        """Remove and return what a process asked."""
        found = [asked for asked in self._asked.values() if asked.pid == pid]
        for asked in found:
            del self._asked[asked.key]
        return found

    def clear(self) -> None:
        """Drop all."""
        self._asked.clear()
