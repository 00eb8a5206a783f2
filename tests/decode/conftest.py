"""The operations that the records of a tracee mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from scopetrace.decode.decoder import Decoder
from scopetrace.model.operation import Operation
from scopetrace.model.raw import unpack_batch
from support.raw_builder import CALLS, START, Tracee

T = TypeVar("T")
CALL_NS = 10**9
"""No call of a tracee takes longer."""
OFFSET_NS = 10**18
"""Unix time less CLOCK_MONOTONIC, unlike any time of a record."""


class Decoding:
    """A decoder whose operations are kept."""

    def __init__(self, tracee: Tracee, offset_ns: int = OFFSET_NS) -> None:
        self.tracee = tracee
        self.operations: list[Operation] = []
        self.offset_ns = offset_ns
        self.decoder = Decoder(CALLS, self.operations.append, offset_ns)

    def go(self) -> list[Operation]:
        """Decode what the tracee did since the last time; return what that meant."""
        self.operations.clear()
        for record in unpack_batch(self.tracee.take()):
            self.decoder.decode(record)
        assert self.decoder.first_misunderstood == ""
        assert all(map(self._is_in_time, self.operations))
        return self.operations

    def _is_in_time(self, operation: Operation) -> bool:
        """Return whether an operation happened while the tracee ran, by Unix time."""
        time_ns = getattr(operation, "time_ns", None)
        return time_ns is None or START <= time_ns - self.offset_ns <= self.tracee.now + CALL_NS

    def only(self, kind: type[T]) -> list[T]:
        """As `go`, but only the operations of one class."""
        return [operation for operation in self.go() if isinstance(operation, kind)]

    def one(self, kind: type[T]) -> T:
        """As `only`, for exactly one."""
        (operation,) = self.only(kind)
        return operation


@pytest.fixture
def decoding(tracee: Tracee) -> Decoding:
    """A decoder that knows the start of the program."""
    decoding = Decoding(tracee)
    decoding.go()
    return decoding


@pytest.fixture
def start() -> Callable[[Tracee], Decoding]:
    """Decode a tracee from its very first record."""
    return Decoding
