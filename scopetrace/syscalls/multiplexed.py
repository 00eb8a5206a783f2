"""Calls of i386 that stand for several others: socketcall(2) and ipc(2).

The rule: such a call is shown as the call that it asks for, with that call's arguments.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from scopetrace.syscalls.call import Abi, Call, Phase

SOCKETCALL, IPC = 102, 117
IPC_CALL = 0xFFFF
WORDS = 6


class Inner(NamedTuple):
    """The call that another one asks for."""

    number: int
    name: str
    order: tuple[int, ...]
    """Which of the words that are given are its arguments."""


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
    2: Inner(393, "semget", (1, 2, 3)),
    13: Inner(399, "msgget", (1, 2)),
    14: Inner(402, "msgctl", (1, 2, 4)),
    22: Inner(398, "shmdt", (4,)),
    23: Inner(395, "shmget", (1, 2, 3)),
    24: Inner(396, "shmctl", (1, 2, 4)),
}
"""By the number in linux/ipc.h: those that need no memory of the program to be shown."""


def _words(call: Call) -> tuple[int, ...] | None:
    """Return the arguments that stand where the second argument of socketcall points to."""
    for piece in call.memory:
        if piece.phase == Phase.ENTRY and piece.address == call.args[1]:
            return struct.unpack("<6I", piece.data[: 4 * WORDS].ljust(4 * WORDS, b"\0"))
    return None


def inner_call(call: Call) -> tuple[Call, Inner] | None:
    """Return the call that a call asks for, or None if it asks for no other."""
    if call.abi != Abi.I386 or call.number not in (SOCKETCALL, IPC):
        return None
    is_socket = call.number == SOCKETCALL
    found = SOCKET_CALLS.get(call.args[0]) if is_socket else IPC_CALLS.get(call.args[0] & IPC_CALL)
    words = _words(call) if is_socket else call.args
    if found is None or words is None:
        return None
    args = (*(words[at] for at in found.order), 0, 0, 0, 0, 0, 0)[:WORDS]
    return call._replace(number=found.number, args=args), found  # type: ignore[arg-type]
