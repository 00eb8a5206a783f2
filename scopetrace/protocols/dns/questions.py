"""Questions that wait for their answer: a bounded table, the oldest first.

All flows of a datagram socket share one table, since a program may send to an address and receive
without asking from whom (sendto, recv): then the peer of the answer is unknown. Such an answer
belongs to the question with its id, name and type. If several peers were asked that, it may be the
answer of any: all these questions stop waiting, and none counts as answered.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from scopetrace.protocols.dns.message import Question

LEAST_WEIGHT = 768
"""What a question weighs besides its name, which is kept twice: about how many bytes it takes."""

Peer = Hashable
"""The address of the other end; None: unknown, so it may be any of them."""

Key = tuple[Peer, ...]
"""Peer, whether it went out, id, name in lower case, type, class."""


class Asked(NamedTuple):
    """A question that was sent."""

    peer: Peer
    """The other end of the flow that it went through."""
    outgoing: bool
    id: int
    name: str
    type: str
    dns_class: str
    """Its class."""
    pid: int
    """Of the process that sent or received it."""
    time_ns: int
    error: str = ""
    """The error that the flow had before it was sent."""

    @property
    def key(self) -> Key:
        """The part that its answer has as well."""
        return self.peer, self.outgoing, self.id, self.name.lower(), self.type, self.dns_class

    @property
    def weight(self) -> int:
        """About how many bytes it takes."""
        return LEAST_WEIGHT + 2 * len(self.name)


class PendingQuestions:
    """The questions of a socket that wait; they may weigh `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self.forgotten = 0
        """Questions that were dropped because too many waited."""
        self._left = most_bytes
        self._asked: dict[Key, Asked] = {}
        self._alike: dict[tuple[bool, int], dict[Key, None]] = {}
        """The keys of each direction and id, so that an answer costs no search of all."""

    def add(self, asked: Asked) -> Asked | None:
        """Add a question; return the earlier one that it repeats."""
        earlier = self._remove(asked.key) if asked.key in self._asked else None
        self._asked[asked.key] = asked
        self._alike.setdefault((asked.outgoing, asked.id), {})[asked.key] = None
        self._left -= asked.weight
        while self._left < 0:
            self._remove(next(iter(self._asked)))
            self.forgotten += 1
        return earlier

    def take(
        self, peer: Peer, outgoing: bool, serial: int, question: Question | None
    ) -> Asked | None:
        """Remove what an answer may answer, and return it if that is one question only.

        An answer may lack the question (an error about a message that the server could not read).
        """
        about = () if question is None else (question.name.lower(), *question[1:3])
        key = (peer, outgoing, serial, *about)
        keys = [key] if key in self._asked else self._keys(*key)
        found = [self._remove(key) for key in keys]
        return found[0] if len(found) == 1 else None

    def forget(self, peer: Peer, outgoing: bool, *serial: int) -> None:
        """Drop the questions that a message of a peer may answer, with or without its id."""
        for key in self._keys(peer, outgoing, *serial):
            self._remove(key)

    def of_process(self, peer: Peer, pid: int) -> list[Asked]:
        """Remove and return what a process asked a peer, or was asked by it."""
        found = [a for a in self._asked.values() if a.pid == pid and a.peer == peer]
        return [self._remove(asked.key) for asked in found]

    def clear(self) -> None:
        """Drop all."""
        for key in list(self._asked):
            self._remove(key)

    def _keys(self, peer: Peer, *known: bool | int | str) -> list[Key]:
        """Return the keys whose peer may be this one, and whose next parts are `known`."""
        size = 1 + len(known)
        way, *serial = known[:2]
        candidates: Iterable[Key] = self._asked
        if serial:
            candidates = self._alike.get((bool(way), int(serial[0])), ())
        return [
            key
            for key in candidates
            if key[1:size] == known and (peer is None or key[0] is None or key[0] == peer)
        ]

    def _remove(self, key: Key) -> Asked:
        asked = self._asked.pop(key)
        self._left += asked.weight
        alike = self._alike[asked.outgoing, asked.id]
        del alike[key]
        if not alike:
            del self._alike[asked.outgoing, asked.id]
        return asked
