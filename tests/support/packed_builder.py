"""Makes packed calls as the engine does (ext/call/packed.h), and sessions of calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from scopetrace.model.whole_call import END, SIGNAL, WholeCall
from scopetrace.syscalls.call import Piece
from scopetrace.syscalls.rows import named
from support.session_builder import SECOND, STARTED_NS, begin, image

EXIT, FAULT, FAR = 0x10, 0x20, 0x40


def pack_number(number: int) -> bytes:
    """Lay out one number."""
    number &= 2**64 - 1
    signed = number - (number >> 63 << 64)
    zigzag = (signed << 1 ^ signed >> 63) & (2**64 - 1)
    found = bytearray()
    while zigzag >= 0x80:
        found.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*found, zigzag])


def pack_piece(piece: Piece) -> bytes:
    """Lay out one piece, with its address."""
    bits = piece.argument | FAR | (EXIT if piece.phase else 0) | (FAULT if piece.fault else 0)
    return bytes([bits]) + pack_number(piece.address) + pack_number(len(piece.data)) + piece.data


def pack_call(args: Sequence[int] = (), memory: Iterable[Piece] = ()) -> bytes:
    """Lay out a call."""
    packed = b"".join(map(pack_number, args))
    return bytes([len(args)]) + packed + b"".join(map(pack_piece, memory))


def text(argument: int, string: str) -> Piece:
    """Return the piece of a string."""
    return Piece(argument, 0, 0x1000 * (argument + 1), string.encode() + b"\0")


def call(
    name: str,
    *args: int,
    result: int | None = 0,
    at: float = 0,
    took: float = 1e-6,
    process: int = 1,
    tid: int = 70,
    memory: Iterable[Piece] = (),
) -> WholeCall:
    """Return a call of x86-64 by its name."""
    number = next(number for row in named(name) if (number := row.numbers[0]) is not None)
    time_ns = STARTED_NS + round(at * SECOND)
    data = pack_call(args, memory)
    return WholeCall(time_ns, round(took * SECOND), process, tid, 0, number, result, data)


def signal(info: bytes, at: float = 0, process: int = 1, tid: int = 70) -> WholeCall:
    """Return a signal that was delivered."""
    data = pack_call([], [Piece(0, 0, 0, info)])
    time_ns = STARTED_NS + round(at * SECOND)
    return WholeCall(time_ns, 0, process, tid, SIGNAL, info[0], None, data)


def end(status: int, at: float = 0, process: int = 1, tid: int = 70) -> WholeCall:
    """Return the end of a thread."""
    return WholeCall(STARTED_NS + round(at * SECOND), 0, process, tid, END, 0, status, b"\0")


def record_calls(home: Path, calls: Iterable[WholeCall], *, finish: bool = True) -> Path:
    """Write a session of two processes, 70 (python3) and 71 (sh), with these calls."""
    writer = begin(home)
    writer.add_process(image(2, pid=71, proc="sh"))
    writer.add_calls([*calls])
    if finish:
        writer.finish()
    else:
        writer.commit()
    return writer.path
