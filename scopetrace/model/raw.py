"""Raw records: what the engine saw, as ext/raw/record.h lays it out.

This module and that header are the only two places that know the layout; a test compares them
through `_engine.layout()`. A record says what happened, never how it was caught.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

HEADER = struct.Struct("=IHHIIQQq6QQII")
PART = struct.Struct("=IHH")
STAT = struct.Struct("=QQQIIII")
TALLY = struct.Struct("=6Q")

RESULT_UNKNOWN = -(2**63)
"""The result of a call that was seen being made only, or that ended with its thread."""


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
    BASE = 15
    BASE2 = 16
    PAIR = 17
    HOW = 18
    CAPS = 19


PART_CUT = 1
"""Flag of a part: there was more than the limit."""
PART_UNREADABLE = 2
"""Flag of a part: memory or /proc refused; what is here is what could be had."""


class Seen(IntEnum):
    """How an fd that nobody saw being made was found (enum raw_seen)."""

    INHERITED = 1
    IN_USE = 2


class Note(IntEnum):
    """What a note says (enum raw_note)."""

    IO_URING = 1
    OWN_FILTER = 2
    PTRACE = 3
    UNREADABLE = 4
    STRICT = 5


class RawRecord(NamedTuple):
    """One record; see `struct raw_record` for each field and its unit."""

    kind: int
    syscall: int
    pid: int
    tid: int
    entered_ns: int
    elapsed_ns: int
    result: int
    args: tuple[int, ...]
    stream: int
    moved: int
    payload: bytes

    def parts(self) -> dict[int, bytes]:
        """Return the payload's parts by kind; of two parts of one kind the later."""
        found = {}
        payload, at, end = self.payload, 0, len(self.payload)
        while at < end:
            size, kind, _flags = PART.unpack_from(payload, at)
            at += 8
            found[kind] = payload[at : at + size]
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
    """Yield the records of one batch: whole records, one after another."""
    unpack, at, end = HEADER.unpack_from, 0, len(batch)
    while at < end:
        (
            size, kind, syscall, pid, tid, entered_ns, elapsed_ns, result,
            a, b, c, d, e, f, stream, copied, moved,
        ) = unpack(batch, at)  # fmt: skip
        yield RawRecord(
            kind, syscall, pid, tid, entered_ns, elapsed_ns, result,
            (a, b, c, d, e, f), stream, moved, batch[at + 104 : at + 104 + copied],
        )  # fmt: skip
        at += size
