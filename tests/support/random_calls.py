"""Calls of any row, with arguments and memory out of an arena of random words."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.rows import Row
from support.traced_calls import Copier, plans

BASE, SIZE = 0x10000, 0x400
WORDS = (
    0,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    8,
    10,
    12,
    16,
    17,
    20,
    24,
    28,
    32,
    40,
    255,
    4096,
    0xFFFFFFFF,
    1 << 31,
)
RESULTS = (None, -22, -14, -4, 0, 0, 1, 2, 3, 8, 16, 100)


@dataclass
class FromArena(Copier):
    """Copies out of an arena instead of a process."""

    arena: bytes = b""

    def read(self, address: int, size: int) -> tuple[bytes, bool]:
        at = address - BASE
        if not 0 <= at < len(self.arena):
            return b"", True
        data = self.arena[at : at + size]
        return data, len(data) < size


def word(choose: random.Random) -> int:
    kind = choose.random()
    if kind < 0.3:
        return BASE + 8 * choose.randrange(SIZE // 8)
    return choose.choice(WORDS) if kind < 0.9 else choose.getrandbits(32)


def block(choose: random.Random) -> bytes:
    """Return a few words, a text, the address of a socket, or a control message."""
    kind = choose.randrange(6)
    if kind == 0:
        return bytes(choose.choices(b'abc/.\0\n"\xff', k=8))
    if kind == 1:
        return struct.pack("<HHI", choose.choice([1, 2, 10, 16, 17, 40]), 80, 0x0100007F)
    if kind == 2:
        size, of = choose.choice([17, 20, 24, 28, 32]), choose.choice([1, 2])
        return struct.pack("<QII", size, 1, of) if choose.random() < 0.5 else b""
    if kind == 3:
        return struct.pack("<II", word(choose), word(choose))
    return struct.pack("<Q", word(choose))


def arena(choose: random.Random) -> bytes:
    return b"".join(block(choose) for _ in range(SIZE // 4))[:SIZE]


def copied(call: Call, memory: bytes) -> tuple[Piece, ...]:
    """Return what the plan copies of a call out of an arena."""
    plan = plans().get((call.abi, call.number), [])
    copier = FromArena(0, Abi(call.abi), call.args, arena=memory)
    copier.make(plan)
    if call.result is not None and (call.result >= 0 or call.result == -4):
        copier.result, copier.phase = call.result, Phase.EXIT
        copier.make(plan)
    return tuple(copier.pieces)


def random_call(row: Row, choose: random.Random) -> Call:
    """Return a call of a row, with the memory that the plan copies of it."""
    memory = arena(choose)
    abi = choose.choice([abi for abi in Abi if row.numbers[abi] is not None])
    points = [bool(argument.kind.phases) for argument in row.arguments] + [False] * 6
    args = [
        BASE + 8 * choose.randrange(SIZE // 8) if point and choose.random() < 0.9 else word(choose)
        for point in points[:6]
    ]
    result = choose.choice(RESULTS)
    call = Call(abi, row.numbers[abi] or 0, tuple(args), result)  # type: ignore[arg-type]
    return call._replace(memory=copied(call, memory))
