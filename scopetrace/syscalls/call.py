"""One system call as it was recorded: numbers, and the memory that its arguments pointed to."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Abi(IntEnum):
    """The ABI by which a call was made, in the order of ABIS in ext/arch/x86_64.c."""

    X86_64 = 0
    I386 = 1
    X32 = 2

    @property
    def word(self) -> int:
        """Bytes of a pointer and of a long of a structure."""
        return 8 if self is Abi.X86_64 else 4

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.name.lower().replace("_", "-")


class Phase(IntEnum):
    """When memory was copied."""

    ENTRY = 0
    EXIT = 1


WAS_THERE = 15
"""In place of an argument: the piece says whether the file of an open with O_CREAT was there.

In the phase EXIT it says that a filter refused the call."""
X32_MARK = 0x40000000
"""Of the numbers of x32."""
NOWHERE = -1
"""The address of what was not in the program's memory."""


class Piece(NamedTuple):
    """Bytes that were copied from the program by one rule of the plan (`copies.Copy`)."""

    argument: int
    """Which argument led to it, counted from 0."""
    phase: int
    """A `Phase`."""
    address: int
    """Where in the program's memory the bytes were."""
    data: bytes
    """As many as were wanted, could be read and were within the limit of the recording."""
    fault: bool = False
    """Whether `data` ends because the next byte could not be read; else the limit ended it."""


class Call(NamedTuple):
    """One system call of one thread."""

    abi: int
    """An `Abi`."""
    number: int
    """Without the mark of x32 (0x40000000)."""
    args: tuple[int, int, int, int, int, int]
    """The registers as unsigned numbers, 64 bits wide, or 32 for i386."""
    result: int | None
    """As the kernel returned it, signed; a negative errno, -512 and below for a call that the
    kernel restarts; None if the call has not returned."""
    memory: tuple[Piece, ...] = ()
    """In the order in which it was copied."""

    @property
    def was_there(self) -> bool | None:
        """Whether the file that the call may have created was there before; None: not known."""
        found = (p for p in self.memory if p.argument == WAS_THERE and p.phase == Phase.ENTRY)
        return next((any(p.data) for p in found), None)

    @property
    def is_refused(self) -> bool:
        """Whether a seccomp filter of the program refused the call with a SIGSYS.

        The result is the number of the call then, as the kernel leaves it, and means nothing.
        """
        if self.result is None or self.result & ~X32_MARK != self.number:
            return False
        return any(p.argument == WAS_THERE and p.phase == Phase.EXIT for p in self.memory)
