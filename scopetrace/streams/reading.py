"""How far one flow has been recognised and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scopetrace.model.operation import FlowTransferred
from scopetrace.source import Reader
from scopetrace.streams.backlog import Backlog
from scopetrace.streams.cpu_budget import CpuBudget

if TYPE_CHECKING:
    from scopetrace.protocols.starttls import Upgrade
    from scopetrace.streams.detector import Refused
    from scopetrace.streams.preambles import Preamble

MOST_LOOKED_AT = 64 * 1024
"""Bytes of a flow, both ways, among which its protocol shows, or it has none."""


class Unrecognised:
    """A flow whose protocol, or the one that may follow it, has not been recognised."""

    __slots__ = (
        "backlog",
        "candidates",
        "datagrams",
        "dropped",
        "heads",
        "ignoring",
        "looked_at",
        "outgoing",
        "refused",
        "turns",
        "unanswered",
    )

    def __init__(self) -> None:
        self.candidates: tuple[str, ...] | None = None
        """The protocols that may follow the recognised one; None: none is, so any may be it."""
        self.turns = 0
        """How often a side may begin to send until none of them will follow."""
        self.outgoing = False
        """The direction of the last bytes."""
        self.ignoring = False
        """What this side has sent is none of the candidates; so is the rest until it stops."""
        self.backlog = Backlog()
        self.heads = [b"", b""]
        """The first bytes received, and those sent; of datagrams, the last one."""
        self.looked_at = 0
        self.datagrams = 0
        """Datagrams among these bytes."""
        self.dropped = 0
        """Datagrams before them."""
        self.refused: Refused = set()
        self.unanswered: bool | None = None
        """The direction that has begun, and was not answered yet."""

    def is_answered(self, operation: FlowTransferred) -> bool:
        """Return whether bytes answer the direction that has begun, and note that.

        A datagram is looked at by itself, so those after it do not matter for it.
        """
        outgoing, before = operation.outgoing, self.unanswered
        if outgoing == before or not operation.data or not operation.flow.is_stream:
            return False
        self.unanswered = None if self.heads[outgoing] else outgoing
        return before is not None

    def add(self, operation: FlowTransferred) -> None:
        """Add bytes; those beyond `MOST_LOOKED_AT` are not looked at, however they are cut."""
        self.backlog.add(operation)
        outgoing, data = operation.outgoing, operation.data
        self.outgoing = outgoing
        if operation.flow.is_stream:
            self.heads[outgoing] += data[: max(0, MOST_LOOKED_AT - self.looked_at)]
        else:
            self.heads, self.refused = [b"", b""], set()
            self.heads[outgoing] = data
            self.datagrams += 1
        self.looked_at += len(data)

    def drop(self) -> None:
        """Drop the datagrams until now, none of which shows a protocol."""
        self.dropped += self.datagrams
        self.backlog, self.looked_at, self.datagrams = Backlog(), 0, 0

    @classmethod
    def after(cls, upgrade: Upgrade, outgoing: bool) -> Unrecognised:
        """Return what may follow a protocol that the side of this direction is sending."""
        made = cls()
        made.candidates, made.turns = upgrade
        made.outgoing, made.ignoring = outgoing, True
        return made

    def ignore(self) -> None:
        """Ignore what a side sends until the other one begins to send."""
        self.ignoring, self.backlog = True, Backlog()

    def begin_turn(self, outgoing: bool) -> None:
        """Look at what a side begins to send."""
        self.outgoing, self.ignoring = outgoing, False
        self.turns -= 1
        self.backlog, self.heads, self.refused = Backlog(), [b"", b""], set()


class Reading:
    """How far one flow has been read.

    Args:
        keeping: whether its bytes are kept as payloads.
        given_up: how many flows of the process were given up before.
    """

    __slots__ = (
        "cpu_budget",
        "early",
        "items",
        "keeping",
        "muted",
        "preamble",
        "readers",
        "unrecognised",
    )

    def __init__(self, keeping: bool, given_up: int = 0) -> None:
        self.cpu_budget = CpuBudget(given_up)
        self.keeping = keeping
        """Its bytes are kept as payloads."""
        self.unrecognised: Unrecognised | None = Unrecognised()
        """What came before the protocol was known; None: it is known, or will never be."""
        self.preamble: Preamble | None = None
        """What is read of it before another protocol begins."""
        self.early = Backlog()
        """What was received while a sending was under way, whose bytes come first (`flows`)."""
        self.readers: list[Reader] = []
        self.muted = 0
        """The fd_serial of it that was muted last."""
        self.items = 0
        """What its readers have read since that was paid for (`Reader.items`)."""

    @property
    def idle(self) -> bool:
        """Whether its bytes are neither recognised nor read any more."""
        return self.unrecognised is None and self.preamble is None and not self.readers
