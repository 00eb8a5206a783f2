"""Raw records: what the engine saw, as ext/record/record.h lays it out.

This module and that header are the only two places that know the layout; a test compares them
through `_engine.layout()`. A record says what happened, never how it was caught.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

HEADER = struct.Struct("=IHHIIQQq6QQII")
HEADER_SIZE = HEADER.size
PART = struct.Struct("=IHH")
STAT = struct.Struct("=QQQQIIII")
TALLY = struct.Struct("=QQQQQQ")
CALLS = struct.Struct("=IIQQQ")
SOCKET = struct.Struct("=iiiIQQ")
STEP = struct.Struct("=IIIIQ")
LIMIT = struct.Struct("=QQQ")

RESULT_UNKNOWN = -(2**63)
"""The result of a call that was seen being made only, or that ended with its thread."""
RESULT_REFUSED = RESULT_UNKNOWN + 1
"""The result of a call that a seccomp filter of the program's own refused: it was not made."""


class RawKind(IntEnum):
    """What a record is about (enum raw_kind)."""

    SYSCALL = 1
    EXEC = 2
    FORK = 3
    EXIT = 4
    SIGNAL = 5
    TALLY = 6
    FD = 7
    NOTE = 8
    SYNC = 9
    END = 10
    COUNT = 11
    LEAVE = 12
    CALL = 13


class Part(IntEnum):
    """What a part of a payload holds (enum raw_part_kind)."""

    PATH = 1
    PATH2 = 2
    DATA = 3
    LINK = 4
    STAT = 5
    ARGV = 6
    ENVIRON = 7
    CWD = 8
    ROOT = 9
    EXE = 10
    STATUS = 11
    FDS = 12
    TALLY = 13
    CONTROL = 14
    NAME = 15
    NAME2 = 16
    PAIR = 17
    HOW = 18
    CAPS = 19
    ADDRESS = 20
    LOCAL = 21
    PEER = 22
    SOCKET = 23
    VALUE = 24
    EARLY = 25
    HANGUP = 26
    CALLS = 27
    MISSING = 28
    TARGET = 29
    STEP = 30
    HEAD = 31
    LIMIT = 32
    MOUNTS = 33
    CALL = 34


PART_CUT = 1
"""Flag of a part: there was more than the limit."""
PART_UNREADABLE = 2
"""Flag of a part: memory or /proc refused; what is here is what could be had."""


class Seen(IntEnum):
    """Why there is a record of an fd (enum raw_seen)."""

    INHERITED = 1
    IN_USE = 2
    RENAMED = 3


class Note(IntEnum):
    """What a note is about (enum raw_note)."""

    IO_URING = 1
    OWN_FILTER = 2
    PTRACE = 3
    STRICT = 5


class RawRecord(NamedTuple):
    """One record; see `struct raw_record` for each field and its unit.

    The fields are those of the header, in its order, then the payload, so that a record is made
    from what `HEADER` unpacks without touching its fields one by one.
    """

    size: int
    kind: int
    syscall: int
    pid: int
    tid: int
    entered_ns: int
    elapsed_ns: int
    result: int
    arg1: int
    arg2: int
    arg3: int
    arg4: int
    arg5: int
    arg6: int
    fd_serial: int
    copied: int
    transferred: int
    payload: bytes

    @property
    def args(self) -> tuple[int, ...]:
        """The six arguments."""
        return self[8:14]

    def argument(self, position: int) -> int:
        """Return one argument, counted from 1 as a manual page lists them."""
        return self[7 + position]  # type: ignore[return-value]

    def parts(self) -> dict[int, bytes]:
        """Return the payload's parts by kind; of two parts of one kind the later.

        Raises:
            struct.error: the payload ends inside a part's header.
        """
        found = {}
        unpack, payload, at, end = PART.unpack_from, self[17], 0, self[15]
        while at < end:
            size, kind, _flags = unpack(payload, at)
            at += 8
            found[kind] = payload[at : at + size]
            at += (size + 7) & ~7
        return found

    def all_parts(self, wanted: int) -> list[bytes]:
        """Return the parts of one kind, for a call that has it once for each message."""
        found, payload, at = [], self.payload, 0
        while at < len(payload):
            size, kind, _flags = PART.unpack_from(payload, at)
            at += 8
            if kind == wanted:
                found.append(payload[at : at + size])
            at += (size + 7) & ~7
        return found

    def flags(self) -> dict[int, int]:
        """Return the flags (PART_CUT, PART_UNREADABLE) of those parts that have any."""
        found = {}
        payload, at, end = self.payload, 0, len(self.payload)
        while at < end:
            size, kind, flags = PART.unpack_from(payload, at)
            if flags:
                found[kind] = flags
            at += 8 + ((size + 7) & ~7)
        return found


def unpack_batch(batch: bytes) -> Iterator[RawRecord]:
    """Yield the records of one batch: whole records, one after another.

    Raises:
        ValueError: a record says that it is smaller than its own header.
        struct.error: the batch ends inside a header.
    """
    unpack, make, at, end = HEADER.unpack_from, tuple.__new__, 0, len(batch)
    while at < end:
        header = unpack(batch, at)
        if header[0] < HEADER_SIZE:
            raise ValueError(f"a record of {header[0]} bytes is smaller than its header")
        payload = at + HEADER_SIZE
        yield make(RawRecord, (*header, batch[payload : payload + header[15]]))
        at += header[0]
