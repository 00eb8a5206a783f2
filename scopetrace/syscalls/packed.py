"""Unpack a call as the engine packed it, and as the column `data` of the table `syscall` has it.

The rule: ext/call/packed.h describes the format, and this module is its only reader. The bytes may
be those of a damaged file: nothing is raised but ValueError.
"""

from __future__ import annotations

from functools import lru_cache

from scopetrace.syscalls.call import NOWHERE, Abi, Call, Phase, Piece

ARGUMENT, EXIT, FAULT, FAR, SPARSE = 0x0F, 0x10, 0x20, 0x40, 0x80
ZEROS = tuple(map(bytes, range(16)))
REGISTERS = 6
MOST_SHIFT = 63
"""A number has at most so many bits in front of the 7 of its last byte."""
CACHED = 256
"""Calls that are kept unpacked: each is looked at several times, and programs repeat theirs."""
_MASK = (2**64 - 1, 2**32 - 1, 2**64 - 1)
"""Of a register, by ABI."""


@lru_cache(CACHED)
def unpack_call(abi: int, number: int, result: int | None, data: bytes) -> Call:
    """Return a call with its arguments and memory.

    Raises:
        ValueError: the bytes are no packed call.
    """
    try:
        args, at = _arguments(data, _MASK[abi])
        memory = tuple(_pieces(data, at, args)) if at < len(data) else ()
    except IndexError:
        raise ValueError("a packed call ends in the middle") from None
    return Call(abi, number, args, result, memory)  # type: ignore[arg-type]


def unpack_signal(data: bytes) -> bytes:
    """Return the siginfo_t of a row that is a signal; empty if the row is damaged."""
    try:
        return _pieces(data, 1, ())[0].data
    except (IndexError, ValueError):
        return b""


def without_memory(data: bytes) -> bytes:
    """Return a packed call without the memory that was copied; of a damaged one, no arguments."""
    try:
        return data[: _arguments(data, 0)[1]]
    except IndexError:
        return b"\0"


def _arguments(data: bytes, mask: int) -> tuple[tuple[int, ...], int]:
    """Return six arguments, 0 for those that were not kept, and where the pieces begin."""
    args, at = [0] * REGISTERS, 1
    for position in range(min(data[0], REGISTERS)):
        byte = data[at]
        at += 1
        number, shift = byte & 0x7F, 7
        while byte > 0x7F and shift <= MOST_SHIFT:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
        args[position] = ((number >> 1) ^ -(number & 1)) & mask
    return tuple(args), at


def _number(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    number, shift = byte & 0x7F, 7
    while byte > 0x7F and shift <= MOST_SHIFT:
        at += 1
        byte = data[at]
        number |= (byte & 0x7F) << shift
        shift += 7
    return (number >> 1) ^ -(number & 1), at + 1


def _pieces(data: bytes, at: int, args: tuple[int, ...]) -> list[Piece]:
    found = []
    end = len(data)
    while at < end:
        bits = data[at]
        at += 1
        argument = bits & ARGUMENT
        if bits & FAR:
            address, at = _number(data, at)
            address &= _MASK[Abi.X86_64]
        else:
            address = args[argument] if argument < len(args) else NOWHERE
        size, at = _number(data, at)
        if bits & SPARSE:
            content, at = _from_runs(data, at, size)
        elif size < 0 or at + size > end:
            raise ValueError("a piece of a packed call is longer than the call")
        else:
            content, at = data[at : at + size], at + size
        phase = Phase.EXIT if bits & EXIT else Phase.ENTRY
        piece = (argument, phase, address, content, bool(bits & FAULT))
        found.append(tuple.__new__(Piece, piece))
    return found


def _from_runs(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    """Return the bytes of a piece that is packed as runs, and where the next one begins."""
    parts, made = [], 0
    while made < size:
        lengths = data[at]
        run, zeros = lengths >> 4, lengths & 15
        parts.append(data[at + 1 : at + 1 + run] + ZEROS[zeros])
        made += run + zeros
        at += 1 + run
        if not lengths:
            raise ValueError("a run of a packed call is empty")
    content = b"".join(parts)
    if len(content) != max(size, 0):
        raise ValueError("the runs of a packed call are not as long as their piece")
    return content, at
