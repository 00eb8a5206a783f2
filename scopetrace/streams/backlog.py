"""Backlog: bytes of a flow that wait to be recognised or read, in order, and what they weigh.

Many small pieces are held as one. Each comes out as it went in, with its own time.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import chain

from scopetrace.model.operation import FlowTransferred

RUN_WEIGHT, MARK_WEIGHT = 512, 16
"""What a run weighs besides its bytes, and each of its pieces but the first: bytes, about."""


class Run:
    """Pieces in a row, of one direction and thread; the small ones after the first are joined."""

    __slots__ = ("_first", "_marks", "_rest")

    def __init__(self, first: FlowTransferred) -> None:
        self._first = first
        self._rest = bytearray()
        self._marks = array("q")
        """Time and size of each piece of the rest."""

    def __iter__(self) -> Iterator[FlowTransferred]:
        yield self._first
        at = 0
        for time_ns, size in zip(self._marks[::2], self._marks[1::2], strict=True):
            data = bytes(self._rest[at : at + size])
            yield self._first._replace(time_ns=time_ns, data=data, transferred=size)
            at += size

    def takes(self, piece: FlowTransferred) -> bool:
        """Add a piece if it can be of this run; return whether it can."""
        size = len(piece.data)
        alike = self._first._replace(time_ns=piece.time_ns, data=piece.data, transferred=size)
        if piece != alike or size >= RUN_WEIGHT:
            return False
        self._rest += piece.data
        self._marks.extend((piece.time_ns, size))
        return True


class Backlog:
    """The operations that wait, in order."""

    __slots__ = ("_runs", "weight")

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self.weight = 0
        """About how many bytes it takes."""

    def __iter__(self) -> Iterator[FlowTransferred]:
        return chain.from_iterable(self._runs)

    def add(self, piece: FlowTransferred) -> None:
        """Add one more."""
        self.weight += len(piece.data)
        if self._runs and self._runs[-1].takes(piece):
            self.weight += MARK_WEIGHT
        else:
            self._runs.append(Run(piece))
            self.weight += RUN_WEIGHT
