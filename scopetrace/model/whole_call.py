"""A system call that was recorded whole, as a row of the session file: numbers and packed bytes."""

from __future__ import annotations

from typing import NamedTuple

SIGNAL = 16
"""In place of an ABI: the row is a signal that was delivered (CALL_SIGNAL)."""
END = 17
"""In place of an ABI: the row is the end of a thread (CALL_END)."""
FOUND = 18
"""In place of an ABI: the row is a descriptor that was open when the first program started."""
DAMAGED = 19
"""In place of an ABI, of a row that was read: it cannot be what the recorder wrote."""


class WholeCall(NamedTuple):
    """One row of the table `syscall`, without its number."""

    time_ns: int
    """Unix time at which it was entered, ns."""
    duration_ns: int
    """From entry to return, ns; of a call that did not return, to the end of its thread."""
    process: int
    """Serial of the process image (`Process.id`)."""
    tid: int
    abi: int
    """Place of the ABI (x86-64, i386, x32), `SIGNAL`, `END` or `FOUND`."""
    number: int
    """Of the call without the mark of its ABI, of the signal, or the descriptor."""
    result: int | None
    """What the call returned, or a negative errno; None: it did not return. Of the end of a thread
    the status word of wait(2)."""
    data: bytes
    """Arguments and memory, packed (ext/call/packed.h); of a descriptor what /proc says it is."""
