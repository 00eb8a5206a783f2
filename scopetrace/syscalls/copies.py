"""What the engine copies of the program's memory at each call: rows of small numbers.

The rule: nothing here decides what a call means. The plan follows from the kinds of the arguments
(`rows.Argument.kind`), and the engine follows the plan without knowing any call. Copying too much
is harmless (an address that cannot be read gives no piece), so conditions here are few.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from scopetrace.syscalls.call import Abi, Phase
from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.layout import size_of
from scopetrace.syscalls.rows import Row, rows

NONE = 255
"""Said of `length` and `when`: no argument."""
DIRECT = -1
"""Said of `through`: the argument itself is the address."""
PATH_MAX = 4096
ADDRESS_MAX = 128
"""The size of struct sockaddr_storage."""
FOLDER_MAX = 32768
"""What C libraries read of a folder at once, and the largest piece that the engine copies."""
IOCTL_MAX = 16383
"""What the size field of an ioctl request holds."""


class Rule(IntEnum):
    """How many bytes one row copies, and from where."""

    FIXED = 1
    """`size` bytes."""
    STRING = 2
    """Up to and with the first NUL, at most `size` bytes."""
    LENGTH = 3
    """`args[length]` * `size` bytes, the argument read as an unsigned 64-bit number."""
    RESULT = 4
    """result * `size` bytes, if the result is positive."""
    LENGTH_AT = 5
    """As many bytes as the 32-bit number at address `args[length]` says, at most `size`."""
    STRINGS = 6
    """An array of pointers to strings that ends with NULL: a piece for the array (with its NULL),
    then one for each string; at most `size` bytes of each string. With size 0 only the array."""
    IOVEC = 7
    """`args[length]` iovecs: a piece for the array, then one for each base. At exit the bases hold
    no more bytes together than the result says."""
    MSGHDR = 8
    """A struct msghdr: a piece for it, then for its name, its array of iovecs, each base, its
    control data. At exit the bases hold no more bytes together than the result says."""
    MMSGHDR = 9
    """As MSGHDR, for each of `args[length]` structs mmsghdr (at exit: as many as the result says;
    the bases of each hold msg_len bytes)."""
    BITS = 10
    """A set of `args[length]` bits in whole words of the ABI (select)."""
    POINTERS = 11
    """`args[length]` pointers: a piece for the array, then one of `size` bytes for each."""
    IOCTL = 12
    """As many bytes as the request in `args[length]` says (_IOC_SIZE), if its direction has
    _IOC_WRITE (at entry) or _IOC_READ (at exit)."""
    SOCKETCALL = 13
    """`size` bytes; then the plan of the i386 call that `args[0]` names (SYS_SOCKET…), with these
    words as its arguments, each piece with that call's argument + 8."""


class Copy(NamedTuple):
    """One thing to copy."""

    argument: int
    """Which argument is the address, counted from 0."""
    phase: Phase
    rule: Rule
    size: int = 0
    """Bytes, or bytes of one element: see the rule."""
    length: int = NONE
    """The argument that says how many elements there are."""
    through: int = DIRECT
    """If 0 or more: the address is the pointer (a word of the ABI) that stands at this offset of
    what the argument points to."""
    when: int = NONE
    """Copy only if `args[when] & mask == value`."""
    mask: int = 0xFFFFFFFF
    value: int = 0
    most: int = 0
    """Bytes that are copied at most of what LENGTH and RESULT say; 0: as the recording says."""


PACKED = struct.Struct("=BBBBHBBhHIII")
"""A row of the plan as the engine reads it, 24 bytes: abi, phase, argument, rule, number, length,
when, through, most, size, mask, value."""


class _Place(NamedTuple):
    """An argument for which copies are planned."""

    row: Row
    abi: Abi
    argument: int
    kind: Kind
    phase: Phase

    def copy(self, rule: Rule, size: int = 0, length: int = NONE) -> Copy:
        return Copy(self.argument, self.phase, rule, size, length)

    def counted(self, unit: int, by: str) -> Copy:
        """Copy as many units as `by` says: an argument, the result, or a number."""
        if by == "result":
            return self.copy(Rule.RESULT, unit)
        if by.isdigit():
            return self.copy(Rule.FIXED, unit * int(by))
        return self.copy(Rule.LENGTH, unit, self.row.position(by))

    def of(self, rule: Rule, size: int = 0) -> Copy:
        """Copy by a rule whose length is the argument that the kind names."""
        return self.copy(rule, size, self.row.position(self.kind.params[0]))


Copies = Iterator[Copy]
Plan = Callable[[_Place], Copies]


def _array(place: _Place) -> Copies:
    element, count = place.kind.params
    yield place.counted(size_of(element, place.abi), count)


def _sockaddr(place: _Place) -> Copies:
    """An address, whose length stands in an argument, or where that points to."""
    length = place.row.position(place.kind.params[0])
    pointer = place.row.arguments[length].kind.phases
    rule = Rule.LENGTH_AT if pointer else Rule.LENGTH
    yield place.copy(rule, ADDRESS_MAX if pointer else 1, length)


def _option_value(place: _Place) -> Copies:
    """The value of a socket option, as long as the next argument says."""
    length = place.row.position(place.kind.params[0])
    at_exit = place.phase is Phase.EXIT
    yield place.copy(
        Rule.LENGTH_AT if at_exit else Rule.LENGTH, OPTION_MAX if at_exit else 1, length
    )


def _fixed(size: int) -> Plan:
    return lambda place: iter([place.copy(Rule.FIXED, size)])


def _sized(parameter: int = 0) -> Plan:
    """Bytes as many as an argument says."""
    return lambda place: iter([place.counted(1, place.kind.params[parameter])])


def _structure(place: _Place) -> Copies:
    """One structure, which the kind names as its parameter."""
    yield place.copy(Rule.FIXED, size_of(place.kind.params[0], place.abi))


def _through(place: _Place, offset: int, size: int) -> Copy:
    return place.copy(Rule.FIXED, size)._replace(through=offset)


def _clone_args(place: _Place) -> Copies:
    """struct clone_args; at exit the ids that the kernel wrote where it says."""
    if place.phase is Phase.ENTRY:
        yield place.copy(Rule.FIXED, size_of("clone_args", place.abi))
    else:
        yield _through(place, CLONE_PIDFD_AT, 4)
        yield _through(place, CLONE_PARENT_TID_AT, 4)


def _vector(place: _Place) -> Copies:
    """Iovecs with what they point to; of those that the kernel fills, at entry only themselves."""
    if place.phase is Phase.ENTRY and Phase.EXIT in place.kind.phases:
        yield place.counted(2 * place.abi.word, place.kind.params[0])
    else:
        yield place.of(Rule.IOVEC)


def _message_header(place: _Place) -> Copies:
    """A message with what it consists of; of one that the kernel fills, at entry only itself."""
    if place.phase is Phase.ENTRY and Phase.EXIT in place.kind.phases:
        yield place.copy(Rule.FIXED, 7 * place.abi.word)
    else:
        yield place.copy(Rule.MSGHDR)


def _mask_pair(place: _Place) -> Copies:
    """The address of a signal mask and its size; then the mask."""
    yield place.copy(Rule.FIXED, 2 * place.abi.word)
    yield _through(place, 0, 8)


def _text(place: _Place) -> Copies:
    yield place.copy(Rule.STRING, PATH_MAX)


def _folder(place: _Place) -> Copies:
    """The entries of a folder are a structure: all of them, however little is kept of a buffer."""
    yield place.copy(Rule.RESULT, 1)._replace(most=FOLDER_MAX)


def _bits(place: _Place) -> Copies:
    yield place.of(Rule.BITS)


def _message(place: _Place) -> Copies:
    """A message of msgsnd(2): its type, and its text."""
    by = place.kind.params[0]
    yield place.counted(1, by)
    yield place.copy(Rule.FIXED, MESSAGE_TYPE)


def _page_bytes(place: _Place) -> Copies:
    """A byte for each page of the length: the length itself is far more than enough."""
    yield place.copy(Rule.FIXED, PAGES_MAX)


def _fcntl(place: _Place) -> Copies:
    """The structure of a lock, an owner or a hint, by the command."""
    for command, size in FCNTL_COPIES[place.phase].items():
        if command not in (5, 6, 7) or place.abi is not Abi.I386:
            yield place.copy(Rule.FIXED, size)._replace(when=1, value=command)
        else:
            short = size_of("flock", place.abi)
            yield place.copy(Rule.FIXED, short)._replace(when=1, value=command)


def _ioctl(place: _Place) -> Copies:
    """What the request says; of older requests, which say nothing, what the table has."""
    yield place.of(Rule.IOCTL, IOCTL_MAX)
    for request, (size, phases) in OLD_IOCTLS.items():
        if place.phase in phases:
            yield place.copy(Rule.FIXED, size)._replace(when=1, value=request)


def _prctl(place: _Place) -> Copies:
    number = int(place.kind.params[0])
    for (option, argument, phase), (rule, size) in PRCTL_COPIES.items():
        if argument == number and phase is place.phase:
            yield place.copy(rule, size)._replace(when=0, value=option)


def _arch_prctl(place: _Place) -> Copies:
    for code in (0x1003, 0x1004):
        yield place.copy(Rule.FIXED, 8)._replace(when=0, value=code)


def _keyctl(place: _Place) -> Copies:
    """The texts of some commands, and the payload of KEYCTL_UPDATE."""
    if place.phase is Phase.ENTRY:
        for command in KEYCTL_TEXTS.get(place.argument, ()):
            yield place.copy(Rule.STRING, PATH_MAX)._replace(when=0, value=command)
        if place.argument == 2:
            yield place.copy(Rule.LENGTH, 1, 3)._replace(when=0, value=2)


def _ipc_structure(place: _Place) -> Copies:
    """What shmctl, msgctl and semctl set, or ask for, by the command."""
    command = place.row.position(place.kind.params[0])
    size = size_of(f"{place.kind.name}_ds", place.abi)
    for number in IPC_COMMANDS[place.kind.name][place.phase]:
        copy = place.copy(Rule.FIXED, size)
        yield copy._replace(when=command, mask=IPC_COMMAND, value=number)


def _ipc(place: _Place) -> Copies:
    """What the arguments of the call that an ipc(2) asks for point to."""
    for call, mask, copy in IPC_COPIES:
        if (copy.argument, copy.phase) == (place.argument, place.phase):
            yield copy._replace(when=0, mask=mask, value=call)


ENTRY, EXIT = (Phase.ENTRY,), (Phase.EXIT,)
FCNTL_COPIES = {
    Phase.ENTRY: {
        6: 32, 7: 32, 37: 32, 38: 32, 13: 32, 14: 32, 15: 8, 0x40C: 8, 0x40E: 8,
    },
    Phase.EXIT: {5: 32, 36: 32, 12: 32, 16: 8, 17: 8, 0x40B: 8, 0x40D: 8},
}  # fmt: skip
"""Commands whose argument is an address, and the bytes there (a struct flock64 fits in 32)."""
OLD_IOCTLS: dict[int, tuple[int, tuple[Phase, ...]]] = {
    0x5401: (36, EXIT), 0x5402: (36, ENTRY), 0x5403: (36, ENTRY), 0x5404: (36, ENTRY),
    0x5405: (18, EXIT), 0x5406: (18, ENTRY), 0x5407: (18, ENTRY), 0x5408: (18, ENTRY),
    0x540F: (4, EXIT), 0x5410: (4, ENTRY), 0x5411: (4, EXIT), 0x5413: (8, EXIT), 0x5414: (8, ENTRY),
    0x5415: (4, EXIT), 0x5416: (4, ENTRY), 0x5417: (4, ENTRY), 0x5418: (4, ENTRY),
    0x5419: (4, EXIT),
    0x541A: (4, ENTRY),
    0x541B: (4, EXIT), 0x5420: (4, ENTRY), 0x5421: (4, ENTRY),
    0x5423: (4, ENTRY),
    0x5424: (4, EXIT), 0x5429: (4, EXIT), 0x5452: (4, ENTRY), 0x8902: (4, ENTRY),
    0x8904: (4, EXIT),
    0x8905: (4, EXIT), 0x0001: (4, (Phase.ENTRY, Phase.EXIT)), 0x0002: (4, EXIT),
    0x125D: (4, ENTRY), 0x125E: (4, EXIT), 0x1260: (8, EXIT), 0x1267: (2, EXIT), 0x1268: (4, EXIT),
    **dict.fromkeys(range(0x8910, 0x8950), (40, (Phase.ENTRY, Phase.EXIT))),
}  # fmt: skip
"""Requests from before requests said their size: the terminal's, those of sockets and disks."""
PRCTL_COPIES: dict[tuple[int, int, Phase], tuple[Rule, int]] = {
    (15, 2, Phase.ENTRY): (Rule.STRING, 16),
    (16, 2, Phase.EXIT): (Rule.STRING, 16),
    (0x53564D41, 5, Phase.ENTRY): (Rule.STRING, 80),
    (40, 2, Phase.EXIT): (Rule.FIXED, 8),
    **dict.fromkeys(
        ((option, 2, Phase.EXIT) for option in (2, 5, 9, 11, 19, 25, 37)), (Rule.FIXED, 4)
    ),
}
KEYCTL_TEXTS = {1: (1,), 2: (10,), 3: (10,)}
CLONE_PIDFD_AT, CLONE_PARENT_TID_AT = 8, 24
OPTION_MAX = 4096
PAGES_MAX = 256
EVENT_MAX = 12
MESSAGE_TYPE = 64
ENVIRONMENT = "envp"

IPC_COMMAND = 0xFF
"""Of the commands of shmctl(2) and its like: all but IPC_64."""
IPC_COMMANDS: dict[str, dict[Phase, tuple[int, ...]]] = {
    "shmid": {Phase.ENTRY: (1,), Phase.EXIT: (2, 3, 13, 15)},
    "msqid": {Phase.ENTRY: (1,), Phase.EXIT: (2, 11, 13)},
    "semid": {Phase.ENTRY: (1,), Phase.EXIT: (2, 18, 20)},
}
"""IPC_SET; IPC_STAT and its like, and IPC_INFO of shmctl."""
IPC_CALL, WITH_VERSION = 0xFFFF, 0xFFFFFFFF
SEMBUF = 6
IPC_COPIES = (
    (1, IPC_CALL, Copy(4, Phase.ENTRY, Rule.LENGTH, SEMBUF, 2)),
    (4, IPC_CALL, Copy(4, Phase.ENTRY, Rule.LENGTH, SEMBUF, 2)),
    (4, IPC_CALL, Copy(5, Phase.ENTRY, Rule.FIXED, 8)),
    (3, IPC_CALL, Copy(4, Phase.ENTRY, Rule.FIXED, 4)),
    (11, IPC_CALL, Copy(4, Phase.ENTRY, Rule.LENGTH, 1, 2)),
    (11, IPC_CALL, Copy(4, Phase.ENTRY, Rule.FIXED, MESSAGE_TYPE)),
    (12, WITH_VERSION, Copy(4, Phase.ENTRY, Rule.FIXED, 8)),
    (12, WITH_VERSION, Copy(4, Phase.EXIT, Rule.RESULT, 1, through=0)),
    (12, WITH_VERSION, Copy(4, Phase.EXIT, Rule.FIXED, MESSAGE_TYPE, through=0)),
    (0x1000C, WITH_VERSION, Copy(4, Phase.EXIT, Rule.RESULT, 1)),
    (0x1000C, WITH_VERSION, Copy(4, Phase.EXIT, Rule.FIXED, MESSAGE_TYPE)),
    (21, IPC_CALL, Copy(3, Phase.EXIT, Rule.FIXED, 4)),
    *(
        (call, IPC_CALL, Copy(4, phase, Rule.FIXED, size_of(name, Abi.I386), through=through))
        for call, name, through in (
            (3, "semid_ds", 0),
            (14, "msqid_ds", DIRECT),
            (24, "shmid_ds", DIRECT),
        )
        for phase in Phase
    ),
)
"""Calls of ipc(2) by linux/ipc.h, with the version in the upper half, and what they copy.

Of msgrcv in version 0 the address of the message stands where the argument points to, with its
type."""

COPIES: dict[str, Plan] = {
    **dict.fromkeys(("path", "outpath", "string"), _text),
    "strings": lambda place: iter([place.copy(Rule.STRINGS, PATH_MAX)]),
    ENVIRONMENT: lambda place: iter([place.copy(Rule.STRINGS, PATH_MAX)]),
    "bytes": _sized(),
    "random": _sized(),
    "dirents": _folder,
    "dirents64": _folder,
    "cpuset": _sized(),
    "sigset": _fixed(8),
    "array": _array,
    "one": _structure,
    "changing": _structure,
    "entry": _structure,
    "sockaddr": _sockaddr,
    "addrlen": _fixed(4),
    "optval": _option_value,
    "wstatus": _fixed(4),
    "pollfds": lambda place: iter([place.counted(8, place.kind.params[0])]),
    "epolladd": _fixed(EVENT_MAX),
    "remaining": lambda place: iter([place.copy(Rule.FIXED, size_of("timespec", place.abi))]),
    "remaining64": _fixed(16),
    "timespec64": _fixed(16),
    "utimens": lambda place: iter([place.copy(Rule.FIXED, 2 * size_of("timespec", place.abi))]),
    "utimens64": _fixed(32),
    "timevals": lambda place: iter([place.copy(Rule.FIXED, 2 * size_of("timeval", place.abi))]),
    "futextimeout": _structure,
    "iovec": _vector,
    "ranges": lambda place: iter([place.counted(2 * place.abi.word, place.kind.params[0])]),
    "msghdr": _message_header,
    "mmsghdr": lambda place: iter([place.of(Rule.MMSGHDR)]),
    "fd_set": _bits,
    "nodemask": _bits,
    "iocbs": lambda place: iter([place.of(Rule.POINTERS, 64)]),
    "ioctl": _ioctl,
    "fcntl": _fcntl,
    "prctl": _prctl,
    "archprctl": _arch_prctl,
    "clone_args": _clone_args,
    "ptid": _fixed(4),
    "tls": lambda place: iter([place.copy(Rule.FIXED, 16)]),
    "sigmaskpair": _mask_pair,
    "capdata": _fixed(24),
    "mincore": _page_bytes,
    "msgbuf": _message,
    "socketargs": lambda place: iter([place.copy(Rule.SOCKETCALL, 24)]),
    **dict.fromkeys(("ipcthird", "ipcptr", "ipcfifth"), _ipc),
    "createattr": lambda place: iter([place.copy(Rule.FIXED, size_of("mq_attr", place.abi))]),
    "seccomparg": lambda place: iter([place.copy(Rule.FIXED, 2 * place.abi.word)]),
    "rebootarg": lambda place: iter([place.copy(Rule.STRING, 256)]),
    "fsconfigkey": lambda place: iter([place.copy(Rule.STRING, 256)]),
    "fsconfigvalue": lambda place: iter([place.copy(Rule.STRING, PATH_MAX)]),
    "user_desc": _fixed(16),
    **dict.fromkeys(("shmid", "msqid", "semid"), _ipc_structure),
    "keyctl": _keyctl,
}
"""Kinds whose size is not that of a structure."""


def _planned(place: _Place) -> Copies:
    special = COPIES.get(place.kind.name)
    if special:
        yield from special(place)
    elif size := size_of(place.kind.name, place.abi):
        yield place.copy(Rule.FIXED, size)


def copies(row: Row, abi: Abi) -> tuple[Copy, ...]:
    """Return what is copied at a call, in order: all of its entry, then all of its exit."""
    places = [
        _Place(row, abi, position, argument.kind, phase)
        for phase in Phase
        for position, argument in enumerate(row.arguments)
        if phase in argument.kind.phases
    ]
    return tuple(copy for place in places for copy in _planned(place))


def _planned_copies(row: Row, abi: Abi, environment: bool) -> Iterator[Copy]:
    """Yield the copies of a call; without `environment` only the number of its variables."""
    for copy in copies(row, abi):
        is_environment = row.arguments[copy.argument].kind.name == ENVIRONMENT
        yield copy._replace(size=0) if is_environment and not environment else copy


def _packed(abi: Abi, number: int, copy: Copy) -> bytes:
    return PACKED.pack(
        abi, copy.phase, copy.argument, copy.rule, number, copy.length, copy.when, copy.through,
        copy.most, copy.size, copy.mask, copy.value,
    )  # fmt: skip


@cache
def plan(environment: bool = False) -> bytes:
    """Return all copies of all calls as the engine takes them: rows of `PACKED`.

    They are sorted by ABI and number; those of one call stand in the order in which they are made.

    Args:
        environment: also copy the variables that an exec passes, not only how many there are.
    """
    found = [
        (abi, number, _planned_copies(row, abi, environment))
        for row in rows()
        for abi in Abi
        if (number := row.numbers[abi]) is not None
    ]
    found.sort(key=lambda entry: entry[:2])
    return b"".join(_packed(abi, n, copy) for abi, n, all_of in found for copy in all_of)
