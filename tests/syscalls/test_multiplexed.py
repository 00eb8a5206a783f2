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


def ipc(*args: int, result: int = 0, memory: tuple[Piece, ...] = ()) -> str:
    return render(Call(Abi.I386, 117, args, result, memory))  # type: ignore[arg-type]


def test_a_message_of_an_ipc_call_stands_where_its_version_says() -> None:
    message = Piece(4, Phase.EXIT, 0x3000, struct.pack("<I", 3) + b"hello")
    passed = Piece(4, Phase.ENTRY, 0x2000, struct.pack("<II", 0x3000, 7))
    expected = 'msgrcv(1, {mtype=3, mtext="hello"}, 20, 7, 0) = 5'

    assert ipc(12, 1, 20, 0, 0x2000, 0, result=5, memory=(passed, message)) == expected
    assert ipc(0x1000C, 1, 20, 0, 0x3000, 7, result=5, memory=(message,)) == expected
    assert ipc(12, 1, 20, 0, 0x2000, 0, result=-14).startswith("ipc(12, 0x1, 0x14, 0, 0x2000, 0)")
    half = passed._replace(data=passed.data[:6], fault=True)
    line = ipc(12, 1, 20, 0, 0x2000, 0, result=-14, memory=(half,))
    assert line.startswith("ipc(12, 0x1, 0x14, 0, 0x2000, 0)")


def test_semop_has_no_time_and_semtimedop_has_one_of_32_bits() -> None:
    operation = Piece(4, Phase.ENTRY, 0x2000, struct.pack("<HhH", 0, -1, 0))
    time = Piece(5, Phase.ENTRY, 0x3000, struct.pack("<II", 1, 5))
    shown = "[{sem_num=0, sem_op=-1, sem_flg=0}], 1"

    assert ipc(1, 2, 1, 0, 0x2000, 0, memory=(operation,)) == f"semop(2, {shown}) = 0"
    assert (
        ipc(4, 2, 1, 0, 0x2000, 0x3000, memory=(operation, time))
        == f"semtimedop(2, {shown}, {{tv_sec=1, tv_nsec=5}}) = 0"
    )


def test_the_address_of_shmat_stands_in_memory() -> None:
    address = Piece(3, Phase.EXIT, 0x2000, struct.pack("<I", 0xF7FCC000))
    assert ipc(21, 7, 0, 0x2000, 0, 0, memory=(address,)) == "shmat(7, NULL, 0) = 0xf7fcc000"


def test_the_union_of_semctl_stands_where_ipc_points_to() -> None:
    union = Piece(4, Phase.ENTRY, 0x2000, struct.pack("<I", 7))
    assert (
        ipc(3, 1, 0, 16 | 0x100, 0x2000, 0, memory=(union,))
        == "semctl(1, 0, IPC_64|SETVAL, [0x7]) = 0"
    )
