"""Calls of i386 that stand for several others."""

from __future__ import annotations

import struct

import pytest

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.render import render


def test_a_socketcall_is_shown_as_the_call_that_it_asks_for() -> None:
    words = Piece(1, Phase.ENTRY, 0x2000, struct.pack("<6I", 3, 0x1000, 2, 0x4000, 0, 0))
    text = Piece(9, Phase.ENTRY, 0x1000, b"hi")
    call = Call(Abi.I386, 102, (9, 0x2000, 0, 0, 0, 0), 2, (words, text))
    assert render(call) == 'send(3, "hi", 2, MSG_NOSIGNAL) = 2'


@pytest.mark.parametrize(
    ("which", "shown"),
    [
        (1, "socket(AF_INET, SOCK_STREAM, 0x3 /* IPPROTO_??? */)"),
        (2, "bind(2, 0x1, 3)"),
        (3, "connect(2, 0x1, 3)"),
        (4, "listen(2, 1)"),
        (5, "accept(2, 0x1, 0x3)"),
        (6, "getsockname(2, 0x1, 0x3)"),
        (7, "getpeername(2, 0x1, 0x3)"),
        (8, "socketpair(AF_INET, SOCK_STREAM, 0x3 /* IPPROTO_??? */, NULL)"),
        (9, "send(2, 0x1, 3, 0)"),
        (10, 'recv(2, "", 3, 0)'),
        (11, "sendto(2, 0x1, 3, 0, 0x4, 5)"),
        (12, 'recvfrom(2, "", 3, 0, 0x4, 0x5)'),
        (13, "shutdown(2, SHUT_WR)"),
        (14, "setsockopt(2, SOL_SOCKET, SO_TYPE, NULL, 4)"),
        (15, "getsockopt(2, SOL_SOCKET, SO_TYPE, NULL, 0x4)"),
        (16, "sendmsg(2, 0x1, MSG_OOB|MSG_PEEK)"),
        (17, "recvmsg(2, 0x1, MSG_OOB|MSG_PEEK)"),
        (18, "accept4(2, 0x1, 0x3, 0)"),
        (19, "recvmmsg(2, [], 3, 0, 0x4)"),
        (20, "sendmmsg(2, 0x1, 3, 0)"),
    ],
)
def test_each_socketcall_takes_its_own_arguments(which: int, shown: str) -> None:
    words = Piece(1, Phase.ENTRY, 0x2000, struct.pack("<6I", 2, 1, 3, 0, 4, 5))
    call = Call(Abi.I386, 102, (which, 0x2000, 0, 0, 0, 0), 0, (words,))
    assert render(call) == f"{shown} = 0"


def test_a_socketcall_whose_arguments_were_not_copied_stays_one() -> None:
    call = Call(Abi.I386, 102, (1, 0x2000, 0, 0, 0, 0), -14)
    assert render(call) == "socketcall(SYS_SOCKET, 0x2000) = -1 EFAULT (Bad address)"


def test_an_ipc_call_is_shown_as_the_call_that_it_asks_for() -> None:
    call = Call(Abi.I386, 117, (23, 0, 4096, 0o1600, 0, 0), 7)
    assert render(call) == "shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = 7"


def ipc(*args: int, result: int = 0, memory: tuple[Piece, ...] = ()) -> str:
    return render(Call(Abi.I386, 117, args, result, memory))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("which", "shown"),
    [
        (1, "semop(1, NULL, 2) = 0"),
        (2, "semget(0x1, 2, 003) = 0"),
        (3, "semctl(1, 2, IPC_INFO, NULL) = 0"),
        (4, "semtimedop(1, NULL, 2, 0x5) = 0"),
        (11, "msgsnd(1, NULL, 2, 0x3 /* MSG_??? */) = 0"),
        (0x1000C, "msgrcv(1, NULL, 2, 5, 0x3 /* MSG_??? */) = 0"),
        (13, "msgget(0x1, 002) = 0"),
        (14, "msgctl(1, IPC_STAT, NULL) = 0"),
        (21, "shmat(1, NULL, 0x2 /* SHM_??? */) = ?"),
        (22, "shmdt(NULL) = 0"),
        (23, "shmget(0x1, 2, 003) = 0"),
        (24, "shmctl(1, IPC_STAT, NULL) = 0"),
    ],
)
def test_each_ipc_call_takes_its_own_arguments(which: int, shown: str) -> None:
    assert ipc(which, 1, 2, 3, 0, 5) == shown


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
