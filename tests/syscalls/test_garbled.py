"""Memory that was copied in part, or while it changed: a line says less then, never anything else.

Calls of all rows are copied out of an arena of random words, as `support.random_calls` has it. Then
some of what was copied is taken away: each number, name and string of the line that is left is in
the line of the whole, too.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from scopetrace.syscalls.call import Call, Piece
from scopetrace.syscalls.quote import escaped
from scopetrace.syscalls.render import render
from scopetrace.syscalls.rows import Row, rows
from support.random_calls import random_call
from support.thorough import THOROUGH

TRIES = 200 if THOROUGH else 6
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?|[\w.]+')
OF_ANY_LINE = re.compile(r"NULL|\.+|0|0x1[0-9a-f]{4}|socketcall|SYS_\w+|unfinished")
"""An address of the arena, dots, and a call in another whose arguments were not copied."""
VARIABLES = re.compile(r"/\* \d+\+? vars?(?:, unterminated)? \*/")
"""How many variables there are, or are at least."""
OF_MANY_CALLS = "ipc("
"""A call whose arguments are those of another one, or themselves if those were not copied."""
WHOLE = 1 << 20
"""More bytes than any string has."""


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
        call = random_call(row, choose)
        render(call)
        full = line(call)
        if call.memory:
            partial = call._replace(memory=less(call.memory, choose))
            render(partial)
            said = line(partial)
            assert not [*invented(said, full, call)], (said, full)
