"""Questions that wait for their answer: a bounded table, the oldest first.

All flows of a socket of messages share one table. For a program may send to an address and receive
without asking from whom (sendto, recv): then nobody learns who answered, and the answer is in a
flow of its own, of an unknown peer. It takes the question that the socket sent with its id, name
and type. If several peers were asked that, it may be any one's: none of these questions goes on
waiting, and none counts as answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from scopetrace.model.flow import Address
from scopetrace.protocols.dns.message import Question

LEAST_WEIGHT = 768
"""What a question weighs besides its name, which is kept twice."""

Peer = Address | None
"""Of a flow; None: unknown, so it may be any of them."""

Key = tuple[Peer | bool | int | str, ...]
"""Peer, whether it went out, id, name in lower case, type, class."""


class Asked(NamedTuple):
    """A question that was sent."""

    peer: Peer
    """Of the flow that it went through."""
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
    """Of the flow, from before it was sent."""

    @property
    def key(self) -> Key:
        """What its answer has in common with it."""
        return self.peer, self.outgoing, self.id, self.name.lower(), self.type, self.dns_class

    @property
    def weight(self) -> int:
        """About how many bytes it takes."""
        return LEAST_WEIGHT + 2 * len(self.name)


class Pending:
    """The questions of a socket that wait; they may weigh `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self.forgotten = 0
        """Questions that had to make room."""
        self._left = most_bytes
        self._asked: dict[Key, Asked] = {}
        self._alike: dict[tuple[bool, int], dict[Key, None]] = {}
        """The keys of each direction and id: what a stranger sends should not cost a search."""

    def add(self, asked: Asked) -> Asked | None:
        """Let a question wait; return the earlier one that it repeats."""
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
    ) -> Asked | None:  # fmt: skip
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
        """Return the keys that go on like `known` after a peer that may be the same."""
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
