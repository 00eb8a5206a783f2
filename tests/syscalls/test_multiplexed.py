"""Calls of i386 that stand for several others."""

from __future__ import annotations

import struct

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.render import render


def test_a_socketcall_is_shown_as_the_call_that_it_asks_for() -> None:
    words = Piece(1, Phase.ENTRY, 0x2000, struct.pack("<6I", 3, 0x1000, 2, 0x4000, 0, 0))
    text = Piece(9, Phase.ENTRY, 0x1000, b"hi")
    call = Call(Abi.I386, 102, (9, 0x2000, 0, 0, 0, 0), 2, (words, text))
    assert render(call) == 'send(3, "hi", 2, MSG_NOSIGNAL) = 2'


def test_a_socketcall_whose_arguments_were_not_copied_stays_one() -> None:
    call = Call(Abi.I386, 102, (1, 0x2000, 0, 0, 0, 0), -14)
    assert render(call) == "socketcall(SYS_SOCKET, 0x2000) = -1 EFAULT (Bad address)"


def test_an_ipc_call_is_shown_as_the_call_that_it_asks_for() -> None:
    call = Call(Abi.I386, 117, (23, 0, 4096, 0o1600, 0, 0), 7)
    assert render(call) == "shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = 7"
