"""Raw records: what the engine saw, as ext/record/record.h lays it out.

This module and that header are the only two places that know the layout; a test compares them
through `_engine.layout()`. A record says what happened, never how it was caught.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

HEADER = struct.Struct("=IHHIIQQq6QQII")
HEADER_SIZE = HEADER.size
PART = struct.Struct("=IHH")
PART_SIZE = PART.size
STAT = struct.Struct("=QQQQIIIIQ")
TALLY = struct.Struct("=QQQQQQ")
CALLS = struct.Struct("=IIQQQ")
SOCKET = struct.Struct("=iiiIQQ")
STEP = struct.Struct("=IIIIQ")
LIMIT = struct.Struct("=QQQ")
SPACE = struct.Struct("=QQ")
EXCESS = struct.Struct("=QQQQ")
IDS = struct.Struct("=IIII")

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
    WAY = 14


class Way(IntEnum):
    """How a call was made that is recorded: without a stop, or why it stopped (enum raw_way)."""

    GATED = 0
    ASKED = 1
    EARLY = 2
    OTHER = 3
    FD = 4
    SITE = 5
    REFUSED = 6
    EACH = 7
    NAME = 8


WAY_NAMES = {int(way): way.name.lower() for way in Way}
"""As a session has them."""


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
    FDINFO = 35
    SPACE = 36
    LOCKS = 37
    IDS = 38
    HOLDER = 39
    EXCESS = 40


PART_CUT = 1
"""Flag of a part: there was more than the limit."""
PART_UNREADABLE = 2
"""Flag of a part: memory or /proc refused; what is here is what could be had."""
PART_REMOVED = 4
"""Flag of MISSING: it is the folder where a path starts, and was removed."""


class ExcessPlace(IntEnum):
    """What the strings of an exec are too much of (enum raw_excess_place)."""

    ALL = 0
    ARGUMENT = 1
    VARIABLE = 2


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
    UNGATED = 6
    SPOILED = 7
    DIFFERS = 8


class Batch:
    """Whole records, one after another, and views of them as numbers of each size."""

    __slots__ = ("halves", "longs", "octets", "signed", "size", "words")

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.size = len(octets)
        view = memoryview(octets)[: self.size & ~7]
        self.halves = view.cast("H")
        self.words = view.cast("I")
        self.longs = view.cast("Q")
        self.signed = view.cast("q")


class RawRecord:
    """One record; see `struct raw_record` for each field and its unit.

    Its payload stays in the batch until a part is asked for.
    """

    __slots__ = (
        "_batch",
        "_parts",
        "_payload",
        "arg1",
        "arg2",
        "arg3",
        "arg4",
        "arg5",
        "arg6",
        "copied",
        "elapsed_ns",
        "entered_ns",
        "fd_serial",
        "kind",
        "pid",
        "result",
        "size",
        "syscall",
        "tid",
        "transferred",
    )

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
    _batch: Batch
    _parts: dict[int, bytes] | None
    _payload: int

    @property
    def args(self) -> tuple[int, ...]:
        """The six arguments."""
        return (self.arg1, self.arg2, self.arg3, self.arg4, self.arg5, self.arg6)

    def argument(self, position: int) -> int:
        """Return one argument, counted from 1 as a manual page lists them."""
        return self.args[position - 1]

    def parts(self) -> dict[int, bytes]:
        """Return the payload's parts by kind; of two parts of one kind the later.

        They are read once, and are the same for all who ask.

        Raises:
            struct.error: the payload ends inside a part's header.
        """
        if self._parts is not None:
            return self._parts
        batch, at, end = self._batch, self._payload, self._payload + self.copied
        octets, last = batch.octets, min(end, batch.size)
        found = {}
        while at < end:
            size = part_size(batch, at, last)
            start = at + PART_SIZE
            found[batch.halves[at // 2 + 2]] = octets[start : min(start + size, last)]
            at = start + (size + 7 & ~7)
        self._parts = found
        return found

    def first_part(self, wanted: int) -> bytes:
        """Return the first part if it is of this kind; else no bytes."""
        batch, at = self._batch, self._payload
        end = min(at + self.copied, batch.size)
        if at + PART_SIZE > end or batch.halves[at // 2 + 2] != wanted:
            return b""
        start = at + PART_SIZE
        return batch.octets[start : min(start + part_size(batch, at, end), end)]

    def all_parts(self, wanted: int) -> list[bytes]:
        """Return the parts of one kind, for a call that has it once for each message."""
        batch, at, end = self._batch, self._payload, self._payload + self.copied
        octets, last = batch.octets, min(end, batch.size)
        found = []
        while at < end:
            size = part_size(batch, at, last)
            start = at + PART_SIZE
            if batch.halves[at // 2 + 2] == wanted:
                found.append(octets[start : min(start + size, last)])
            at = start + (size + 7 & ~7)
        return found

    def flags(self) -> dict[int, int]:
        """Return the flags (PART_CUT, PART_UNREADABLE) of those parts that have any."""
        batch, at, end = self._batch, self._payload, self._payload + self.copied
        found, last = {}, min(end, batch.size)
        while at < end:
            size, half = part_size(batch, at, last), at // 2
            if batch.halves[half + 3]:
                found[batch.halves[half + 2]] = batch.halves[half + 3]
            at += PART_SIZE + (size + 7 & ~7)
        return found


def part_size(batch: Batch, at: int, end: int) -> int:
    """Return how many bytes the part whose header is at `at` has.

    Raises:
        struct.error: the payload ends inside that header.
    """
    if end - at < PART_SIZE:
        raise struct.error("a payload ends inside the header of a part")
    return batch.words[at // 4]


def record_at(batch: Batch, at: int) -> RawRecord:
    """Return the record whose header is at `at`, a multiple of 8.

    Raises:
        ValueError: it says that it is smaller than its own header, or no multiple of 8.
        struct.error: the batch ends inside its header.
    """
    if batch.size - at < HEADER_SIZE:
        raise struct.error("a batch ends inside the header of a record")
    record = RawRecord.__new__(RawRecord)
    words, longs, word, long = batch.words, batch.longs, at // 4, at // 8
    record.size = words[word]
    record.kind = batch.halves[2 * word + 2]
    record.syscall = batch.halves[2 * word + 3]
    record.pid = words[word + 2]
    record.tid = words[word + 3]
    record.entered_ns = longs[long + 2]
    record.elapsed_ns = longs[long + 3]
    record.result = batch.signed[long + 4]
    record.arg1 = longs[long + 5]
    record.arg2 = longs[long + 6]
    record.arg3 = longs[long + 7]
    record.arg4 = longs[long + 8]
    record.arg5 = longs[long + 9]
    record.arg6 = longs[long + 10]
    record.fd_serial = longs[long + 11]
    record.copied = words[word + 24]
    record.transferred = words[word + 25]
    record._batch = batch
    record._payload = at + HEADER_SIZE
    record._parts = None
    if record.size < HEADER_SIZE or record.size & 7:
        raise ValueError(f"a record of {record.size} bytes is smaller than its header, or odd")
    return record


def unpack_batch(octets: bytes) -> Iterator[RawRecord]:
    """Yield the records of one batch: whole records, one after another.

    Raises:
        ValueError, struct.error: as `record_at`.
    """
    batch, at = Batch(octets), 0
    while at < batch.size:
        record = record_at(batch, at)
        yield record
        at += record.size
