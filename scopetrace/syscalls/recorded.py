"""A system call as a session has it: who made it, when, and what came of it."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from scopetrace.model.names import error_name
from scopetrace.model.whole_call import DAMAGED, SIGNAL
from scopetrace.syscalls.call import Call
from scopetrace.syscalls.packed import unpack_call
from scopetrace.syscalls.rows import row

MAX_ERRNO = 4095


@cache
def call_name(abi: int, number: int) -> str:
    """Return the name of a call, or `syscall_0x1c8` if the table lacks it; empty: it is no call."""
    if abi >= SIGNAL:
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
    """Place of the ABI, or SIGNAL, END, FOUND or DAMAGED (`model.whole_call`)."""
    number: int
    result: int | None
    data: bytes

    @property
    def is_call(self) -> bool:
        """Whether it is a call; else a signal, the end of a thread, or not to be read."""
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
            ValueError: the row is damaged, which `read_row` finds out.
        """
        return unpack_call(self.abi, self.number, self.result, self.data)


def read_row(row: tuple[Any, ...]) -> Recorded:
    """Return a row of the table; one that is no row of the recorder says little, and is DAMAGED.

    Args:
        row: the fields of a `Recorded`; the ABI is DAMAGED if one of them has a wrong type.
    """
    made = Recorded(*row)
    try:
        if made.is_call:
            unpack_call(made.abi, made.number, made.result, made.data)
    except ValueError:
        made = made._replace(abi=DAMAGED)
    if made.abi != DAMAGED:
        return made
    time_ns, tid = (value if isinstance(value, int) else 0 for value in (made.time_ns, made.tid))
    return Recorded(made.id, time_ns, 0, 0, made.pid, made.proc, tid, DAMAGED, 0, None, b"")


class CallTotal(NamedTuple):
    """All calls of one name."""

    name: str
    calls: int
    duration_ns: int
    """From entry to return, in all."""
    errors: int
    longest_ns: int
