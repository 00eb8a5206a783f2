"""Calls of i386 that stand for several others: socketcall(2) and ipc(2).

The rule: such a call is shown as the call that it asks for, with that call's arguments.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from scopetrace.syscalls.call import Abi, Call, Phase
from scopetrace.syscalls.rows import Row, row

SOCKETCALL, IPC = 102, 117
IPC_CALL = 0xFFFF
WORDS = 6


class Inner(NamedTuple):
    """The call that another one asks for."""

    number: int
    name: str
    order: tuple[int, ...]
    """Which of the words that are given are its arguments; then come words that are pointed to."""
    abi: Abi = Abi.I386
    """Of the row with its arguments: i386 lacks calls that it has only so."""

    @property
    def row(self) -> Row | None:
        """The row of its arguments; None: the table lacks it."""
        return row(self.abi, self.number)


def _first(count: int) -> tuple[int, ...]:
    return tuple(range(count))


SOCKET_CALLS = {
    1: Inner(359, "socket", _first(3)),
    2: Inner(361, "bind", _first(3)),
    3: Inner(362, "connect", _first(3)),
    4: Inner(363, "listen", _first(2)),
    5: Inner(364, "accept", _first(3)),
    6: Inner(367, "getsockname", _first(3)),
    7: Inner(368, "getpeername", _first(3)),
    8: Inner(360, "socketpair", _first(4)),
    9: Inner(369, "send", _first(4)),
    10: Inner(371, "recv", _first(4)),
    11: Inner(369, "sendto", _first(6)),
    12: Inner(371, "recvfrom", _first(6)),
    13: Inner(373, "shutdown", _first(2)),
    14: Inner(366, "setsockopt", _first(5)),
    15: Inner(365, "getsockopt", _first(5)),
    16: Inner(370, "sendmsg", _first(3)),
    17: Inner(372, "recvmsg", _first(3)),
    18: Inner(364, "accept4", _first(4)),
    19: Inner(337, "recvmmsg", _first(5)),
    20: Inner(345, "sendmmsg", _first(4)),
}
"""By SYS_… of linux/net.h."""
IPC_CALLS = {
    1: Inner(65, "semop", (1, 4, 2), Abi.X32),
    2: Inner(393, "semget", (1, 2, 3)),
    3: Inner(394, "semctl", (1, 2, 3, 4)),
    4: Inner(220, "semtimedop", (1, 4, 2, 5), Abi.X86_64),
    11: Inner(400, "msgsnd", (1, 4, 2, 3)),
    12: Inner(401, "msgrcv", (1, WORDS, 2, WORDS + 1, 3)),
    13: Inner(399, "msgget", (1, 2)),
    14: Inner(402, "msgctl", (1, 2, 4)),
    21: Inner(397, "shmat", (1, 4, 2)),
    22: Inner(398, "shmdt", (4,)),
    23: Inner(395, "shmget", (1, 2, 3)),
    24: Inner(396, "shmctl", (1, 2, 4)),
}
"""By the number in linux/ipc.h."""
MSGRCV, SHMAT = 12, 21


def _words_at(
    call: Call, address: int, count: int, phase: Phase = Phase.ENTRY
) -> tuple[int, ...] | None:
    """Return so many words that stand at an address; None: not all of them were copied."""
    for piece in call.memory:
        if piece.phase == phase and piece.address == address and len(piece.data) >= 4 * count:
            return struct.unpack_from(f"<{count}I", piece.data)
    return None


def _ipc_words(call: Call) -> tuple[int, ...] | None:
    """Return the arguments of ipc(2), and of msgrcv the message and its type (ipc/syscall.c)."""
    which, version = call.args[0] & IPC_CALL, call.args[0] >> 16
    if which != MSGRCV:
        return call.args
    if version:
        return (*call.args, call.args[4], call.args[5])
    passed = _words_at(call, call.args[4], 2)
    return None if passed is None else (*call.args, *passed)


def _ipc_result(call: Call) -> int | None:
    """Return what the call inside an ipc(2) returned: shmat puts its address into memory."""
    if call.args[0] & IPC_CALL == SHMAT and call.result == 0:
        found = _words_at(call, call.args[3], 1, Phase.EXIT)
        return found[0] if found else None
    return call.result


def inner_call(call: Call) -> tuple[Call, Inner] | None:
    """Return the call that a call asks for, or None if it asks for no other."""
    if call.abi != Abi.I386 or call.number not in (SOCKETCALL, IPC):
        return None
    is_socket = call.number == SOCKETCALL
    found = SOCKET_CALLS.get(call.args[0]) if is_socket else IPC_CALLS.get(call.args[0] & IPC_CALL)
    if found is None:
        return None
    words = _words_at(call, call.args[1], len(found.order)) if is_socket else _ipc_words(call)
    if words is None:
        return None
    args = (*(words[at] for at in found.order), 0, 0, 0, 0, 0, 0)[:WORDS]
    result = call.result if is_socket else _ipc_result(call)
    number = found.number if is_socket else call.number
    return call._replace(number=number, args=args, result=result), found  # type: ignore[arg-type]
