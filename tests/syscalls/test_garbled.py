"""Memory that was copied in part, or while it changed: a line says less then, never anything else.

Calls of all rows are copied out of an arena of random words, as `support.traced_calls` has it. Then
some of what was copied is taken away: each number, name and string of the line that is left is in
the line of the whole, too.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.quote import escaped
from scopetrace.syscalls.render import render
from scopetrace.syscalls.rows import Row, rows
from support.thorough import THOROUGH
from support.traced_calls import Copier, plans

BASE, SIZE = 0x10000, 0x400
TRIES = 200 if THOROUGH else 6
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
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?|[\w.]+')
OF_ANY_LINE = re.compile(r"NULL|\.+|0|0x1[0-9a-f]{4}|socketcall|SYS_\w+|unfinished")
"""An address of the arena, dots, and a call in another whose arguments were not copied."""
VARIABLES = re.compile(r"/\* \d+\+? vars?(?:, unterminated)? \*/")
"""How many variables there are, or are at least."""
OF_MANY_CALLS = "ipc("
"""A call whose arguments are those of another one, or themselves if those were not copied."""
WHOLE = 1 << 20
"""More bytes than any string has."""


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


def a_call(row: Row, choose: random.Random) -> Call:
    abi = choose.choice([abi for abi in Abi if row.numbers[abi] is not None])
    points = [bool(argument.kind.phases) for argument in row.arguments] + [False] * 6
    args = [
        BASE + 8 * choose.randrange(SIZE // 8) if point and choose.random() < 0.9 else word(choose)
        for point in points[:6]
    ]
    result = choose.choice(RESULTS)
    return Call(abi, row.numbers[abi] or 0, tuple(args), result)  # type: ignore[arg-type]


def less(whole: tuple[Piece, ...], choose: random.Random) -> tuple[Piece, ...]:
    """Return what was copied without one piece, or without the end of one."""
    at = choose.randrange(len(whole))
    data = whole[at].data[: choose.randrange(len(whole[at].data) + 1)]
    left = whole[at]._replace(data=data, fault=whole[at].fault or choose.random() < 0.5)
    kept = [left] if data and choose.random() < 0.7 else []
    return (*whole[:at], *kept, *whole[at + 1 :])


def line(call: Call) -> str:
    return render(call, verbose=True, strings=WHOLE)


def invented(partial: str, full: str, call: Call) -> Iterator[str]:
    """Yield what only the line of less memory says; `call` has all memory."""
    whole = set(TOKEN.findall(full))
    if partial.startswith(OF_MANY_CALLS):
        whole |= {"ipc", *map(str, call.args), *map(hex, call.args)}
    texts = [escaped(piece.data) for piece in call.memory]
    for token in TOKEN.findall(VARIABLES.sub("", partial)):
        is_said = token in whole or OF_ANY_LINE.fullmatch(token)
        if not is_said and not (token[0] == '"' and is_beginning(token, texts)):
            yield token


def is_beginning(token: str, texts: list[str]) -> bool:
    """Return whether a text is cut, and says so by its dots."""
    body = re.sub(r"\\[0-7]+$", "", token[1:].removesuffix('"...'))
    return token == '""' or (token.endswith('"...') and any(body in text for text in texts))


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
def test_less_memory_says_less_and_nothing_else(row: Row) -> None:
    for attempt in range(TRIES):
        choose = random.Random(f"{row.name} {attempt}")
        memory, call = arena(choose), a_call(row, choose)
        call = call._replace(memory=copied(call, memory))
        render(call)
        full = line(call)
        if call.memory:
            partial = call._replace(memory=less(call.memory, choose))
            render(partial)
            said = line(partial)
            assert not [*invented(said, full, call)], (said, full)
