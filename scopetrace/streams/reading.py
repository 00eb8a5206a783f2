"""How far a flow has been recognised and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scopetrace.model.operation import FlowTransferred
from scopetrace.source import Reader
from scopetrace.streams.backlog import Pieces
from scopetrace.streams.cpu_budget import Allowance

if TYPE_CHECKING:
    from scopetrace.protocols.starttls import Switch
    from scopetrace.streams.detector import Refused
    from scopetrace.streams.preambles import Preamble

MOST_LOOKED_AT = 64 * 1024
"""Bytes of a flow, both ways, among which its protocol shows, or it has none."""


class Unknown:
    """A flow whose protocol has not shown."""

    __slots__ = (
        "deaf", "forgotten", "heads", "looked_at", "only", "outgoing", "pieces", "refused",
        "saying", "seen", "turns",
    )  # fmt: skip

    def __init__(self) -> None:
        self.only: tuple[str, ...] | None = None
        """The protocols that may follow the one that is spoken; None: none is, so any may."""
        self.turns = 0
        """How often a side may begin to speak until none of them will follow."""
        self.outgoing = False
        """Which side spoke last."""
        self.deaf = False
        """What it has said until now is none of them, and so is what it says before the other."""
        self.pieces = Pieces()
        self.heads = [b"", b""]
        """The first bytes that came in, and those that went out; of datagrams, the last one."""
        self.looked_at = 0
        self.seen = 0
        """Datagrams among these bytes."""
        self.forgotten = 0
        """Datagrams before them."""
        self.refused: Refused = set()
        self.saying: bool | None = None
        """The direction that has begun, and was not answered yet."""

    def is_answered(self, operation: FlowTransferred) -> bool:
        """Return whether a piece answers the direction that has begun, and note that.

        A datagram is looked at by itself, so what comes after it says nothing about it.
        """
        outgoing, before = operation.outgoing, self.saying
        if outgoing == before or not operation.data or not operation.flow.is_stream:
            return False
        self.saying = None if self.heads[outgoing] else outgoing
        return before is not None

    def add(self, operation: FlowTransferred) -> None:
        """Take a piece; what is beyond `MOST_LOOKED_AT` is not looked at, however it was cut."""
        self.pieces.add(operation)
        outgoing, data = operation.outgoing, operation.data
        self.outgoing = outgoing
        if operation.flow.is_stream:
            self.heads[outgoing] += data[: max(0, MOST_LOOKED_AT - self.looked_at)]
        else:
            self.heads, self.refused = [b"", b""], set()
            self.heads[outgoing] = data
            self.seen += 1
        self.looked_at += len(data)

    def forget(self) -> None:
        """Forget the datagrams until now, none of which shows a protocol."""
        self.forgotten += self.seen
        self.pieces, self.looked_at, self.seen = Pieces(), 0, 0

    @classmethod
    def after(cls, switch: Switch, outgoing: bool) -> Unknown:
        """Return what may follow a protocol, while this side speaks it."""
        made = cls()
        made.only, made.turns = switch
        made.outgoing, made.deaf = outgoing, True
        return made

    def be_deaf(self) -> None:
        """Let what a side says until its turn ends be none of them."""
        self.deaf, self.pieces = True, Pieces()

    def turn(self, outgoing: bool) -> None:
        """Let a side begin to speak."""
        self.outgoing, self.deaf = outgoing, False
        self.turns -= 1
        self.pieces, self.heads, self.refused = Pieces(), [b"", b""], set()


class Reading:
    """How far one flow has been read."""

    __slots__ = (
        "allowance",
        "early",
        "items",
        "keeping",
        "muted",
        "preamble",
        "readers",
        "unknown",
    )

    def __init__(self, keeping: bool, given_up: int = 0) -> None:
        self.allowance = Allowance(given_up)
        self.keeping = keeping
        """Its bytes are kept."""
        self.unknown: Unknown | None = Unknown()
        """What moved before the protocol was known; None: it is known, or will never be."""
        self.preamble: Preamble | None = None
        """What is read of it before another protocol begins."""
        self.early = Pieces()
        """What came in while something was being sent, which is to be told first."""
        self.readers: list[Reader] = []
        self.muted = 0
        """The stream of it that was muted last."""
        self.items = 0
        """What its readers have read since that was paid for (`Reader.items`)."""

    @property
    def idle(self) -> bool:
        """Whether nobody reads it, nor will."""
        return self.unknown is None and self.preamble is None and not self.readers
