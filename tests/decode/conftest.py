"""The operations that the records of a tracee mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from scopetrace.decode.decoder import Decoder
from scopetrace.model.operation import Operation
from scopetrace.model.raw import unpack_batch
from support.raw_builder import CALLS, Tracee

T = TypeVar("T")


class Decoding:
    """A decoder whose operations are kept."""

    def __init__(self, tracee: Tracee, offset_ns: int = 0) -> None:
        self.tracee = tracee
        self.operations: list[Operation] = []
        self.decoder = Decoder(CALLS, self.operations.append, offset_ns)

    def go(self) -> list[Operation]:
        """Decode what the tracee did since the last time; return what that meant."""
        self.operations.clear()
        for record in unpack_batch(self.tracee.take()):
            self.decoder.decode(record)
        assert self.decoder.first_misunderstood == ""
        return self.operations

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
