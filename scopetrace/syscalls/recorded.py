"""A system call as a session has it: who made it, when, and what came of it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from scopetrace.model.names import error_name
from scopetrace.model.whole_call import END, FOUND, SIGNAL
from scopetrace.syscalls.call import Call
from scopetrace.syscalls.packed import unpack_call
from scopetrace.syscalls.rows import row

MAX_ERRNO = 4095


@cache
def call_name(abi: int, number: int) -> str:
    """Return the name of a call, or `syscall_0x1c8` if the table lacks it; empty: it is no call."""
    if abi in (SIGNAL, END, FOUND):
        return ""
    found = row(abi, number)
    return f"syscall_{number:#x}" if found is None else found.name


def error_of(result: int | None) -> str:
    """Return the name of the error that a result is, or an empty text."""
    if result is None or not -MAX_ERRNO <= result < 0:
        return ""
    return error_name(-result)


class Recorded(NamedTuple):
    """One row of the table `syscall`, with the process that made the call."""

    id: int
    """Number of the row, from 1, in the order in which the calls ended."""
    time_ns: int
    """Unix time at which the call was entered, ns."""
    duration_ns: int
    process: int
    """Serial of the process image (`Process.id`)."""
    pid: int
    proc: str
    """Base name of the program."""
    tid: int
    abi: int
    """Place of the ABI, or SIGNAL, END or FOUND (`model.whole_call`)."""
    number: int
    result: int | None
    data: bytes

    @property
    def is_call(self) -> bool:
        """Whether it is a call; else a signal, or the end of a thread."""
        return self.abi < SIGNAL

    @property
    def name(self) -> str:
        """The name of the call; empty if it is none."""
        return call_name(self.abi, self.number)

    @property
    def error(self) -> str:
        """The name of the error by which it failed, or an empty text."""
        return error_of(self.result) if self.is_call else ""

    @property
    def call(self) -> Call:
        """Its arguments and memory.

        Raises:
            ValueError: the row is damaged.
        """
        return unpack_call(self.abi, self.number, self.result, self.data)


class CallTotal(NamedTuple):
    """All calls of one name."""

    name: str
    calls: int
    duration_ns: int
    """From entry to return, in all."""
    errors: int
    longest_ns: int
