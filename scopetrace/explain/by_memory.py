"""Why a call failed, where several reasons are possible and its arguments leave one of them.

The rule: structures and texts are those that the program gave, as far as they were recorded.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from functools import reduce
from operator import or_

from scopetrace.syscalls.call import Abi, Call, Phase
from scopetrace.syscalls.descriptors import positions, signed, text_at
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.recorded import Recorded

MOST_PATH, MOST_NAME = 4095, 255
MOST_BUFFERS, MOST_DATAGRAM, MOST_PASSED = 1024, 65507, 253
"""IOV_MAX; bytes of a UDP datagram in IPv4; SCM_MAX_FD."""
LAST_SIGNAL = 64
SIGEV_SIGNAL, SIGEV_THREAD_ID, SIGEV_WAYS = 0, 4, (0, 1, 2, 4)
LOCK = struct.Struct("=hh4xqqi")
"""struct flock of 64 bits: type, whence, start, length and pid."""
F_UNLCK, LOCK_TYPES, OF_OPEN_FILES, F_GETLK, SEEK_SET = 2, (0, 1, 2), (36, 37, 38), (5, 36), 0
LOCK_COMMANDS = (5, 6, 7, *OF_OPEN_FILES)
MOST_KEY = 32767
"""Bytes of a key of the types user and logon."""
MESSAGE = struct.Struct("=QI4xQQQQ")
"""struct msghdr: name, its length, buffers, their number, control data and their length."""
CONTROL, SOL_SOCKET, SCM_RIGHTS = struct.Struct("=Qii"), 1, 1
RANGES = {
    (0, 1): (0, 255), (0, 2): (1, 255), (0, 10): (0, 5), (0, 33): (-1, 255),
    (6, 2): (88, 32767), (6, 4): (1, 32767), (6, 5): (1, 32767), (6, 6): (1, 127),
    (6, 7): (1, 127), (6, 18): (0, 2**31 - 1), (6, 23): (0, 2**31 - 1),
    (41, 16): (-1, 255), (41, 18): (-1, 255), (41, 23): (0, 5), (41, 67): (-1, 255),
}  # fmt: skip
"""Level and number of an option of ip(7), tcp(7) or ipv6(7) → least and most of its values.

In their order: IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_MULTICAST_TTL; TCP_MAXSEG, TCP_KEEPIDLE,
TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT, TCP_USER_TIMEOUT, TCP_FASTOPEN; IPV6_UNICAST_HOPS,
IPV6_MULTICAST_HOPS, IPV6_MTU_DISCOVER, IPV6_TCLASS."""
GROUPS = {(0, 35): (socket.AF_INET, 4, 8), (0, 36): (socket.AF_INET, 4, 8), (41, 20): (10, 16, 20)}
"""Options that join or leave a group → the family, and bytes of an address and of the value."""
INT = 4
HOW = struct.Struct("=QQQ")
"""struct open_how: flags, mode and resolve."""
O_WAYS, O_CREAT, O_DIRECTORY, O_PATH, O_TMPFILE = 3, 0o100, 0o200000, 0o10000000, 0o20000000
O_RDONLY, WITH_PATH = 0, O_PATH | O_DIRECTORY | 0o400000 | 0o2000000
"""With O_PATH only O_DIRECTORY, O_NOFOLLOW and O_CLOEXEC."""
RESOLVE_NO_XDEV, RESOLVE_BENEATH, RESOLVE_IN_ROOT, ALL_RESOLVE = 1, 8, 16, 0x3F
ALL_MODES = 0o7777
QUEUE = struct.Struct("=qqq")
"""struct mq_attr: flags, most messages, and most bytes of one."""
MS_REMOUNT, SEM_UNDO = 0x20, 0x1000
OF_MOUNTS = (
    (0x1E0000, "it is no mount point"),
    (0x2000, "the source is no mount point, or the target is inside of it"),
)
"""Those that say who else sees mounts, and MS_MOVE: mount(2)."""

Reason = Callable[[Call], str]
"""Says why; empty: not for this."""


def reason_by_memory(made: Recorded) -> str:
    """Return the reason that the arguments of a failed call leave; empty: it is not known."""
    found = REASONS.get((made.name, made.error)) or OF_ERRORS.get(made.error)
    return found(made.call) if found else ""


def _given(call: Call, argument: int) -> bytes:
    """Return the first piece of memory that an argument led to at the entry."""
    return next(_pieces(call, argument), b"")


def _pieces(call: Call, argument: int) -> Iterator[bytes]:
    for piece in call.memory:
        if (piece.argument, piece.phase) == (argument, Phase.ENTRY):
            yield piece.data


def _too_long(call: Call) -> str:
    """Say whether a path is too long, or a name in it."""
    for place in positions(call.abi, call.number).paths:
        path = _given(call, place).partition(b"\0")[0]
        if len(path) > MOST_PATH:
            return f"the path is longer than {MOST_PATH} bytes"
        longest = max(map(len, path.split(b"/")))
        if longest > MOST_NAME:
            return f"a name in the path is longer than {MOST_NAME} bytes"
    return ""


def _long_link(call: Call) -> str:
    """Say that a symbolic link leads to too long a path, or that its own is too long."""
    target = _given(call, 0).partition(b"\0")[0]
    too_long = "the path that it leads to is longer than 4095 bytes"
    return too_long if len(target) > MOST_PATH else _too_long(call)


def _locked(call: Call) -> str:
    """Say what is wrong with a lock: fcntl_locking(2)."""
    command, data = call.args[1], _given(call, 2)
    if command not in LOCK_COMMANDS or call.abi != Abi.X86_64 or len(data) < LOCK.size:
        return ""
    kind, whence, start, length, pid = LOCK.unpack_from(data)
    if kind not in LOCK_TYPES:
        return f"there is no type of lock {kind}"
    if kind == F_UNLCK and command in F_GETLK:
        return "F_UNLCK is no lock that could be asked about"
    if command in OF_OPEN_FILES and pid:
        return f"l_pid is {pid}, and has to be 0"
    before = whence == SEEK_SET and min(start, start + length) < 0
    return "the lock would begin before the file" if before else ""


def _event(argument: int) -> Reason:
    """Say what is wrong with a struct sigevent, the argument there: sigevent(3type)."""

    def found(call: Call) -> str:
        data = _given(call, argument)
        if call.abi != Abi.X86_64 or len(data) < 16:
            return ""
        number, notify = struct.unpack_from("=ii", data, 8)
        if notify not in SIGEV_WAYS:
            return f"there is no way to notify {notify}"
        by_signal = notify in (SIGEV_SIGNAL, SIGEV_THREAD_ID)
        unknown = by_signal and not 0 < number <= LAST_SIGNAL
        return f"there is no signal {number}" if unknown else ""

    return found


# -- sockets --------------------------------------------------------------------------------------


def _message(call: Call) -> tuple[int, int]:
    """Return the number of buffers of a message, and how many bytes of control data it has."""
    data = _given(call, 1)
    if call.abi != Abi.X86_64 or len(data) < MESSAGE.size:
        return 0, 0
    fields = MESSAGE.unpack_from(data)
    return fields[3], fields[5]


def _port(call: Call) -> str:
    """Say that a datagram is for port 0, which is none: ip(7)."""
    address = _given(call, 4)
    family = int.from_bytes(address[:2], "little")
    is_none = family in (socket.AF_INET, socket.AF_INET6) and address[2:4] == b"\0\0"
    return "its port is 0" if is_none else ""


def _full(call: Call) -> str:
    """Say what connect(2) would have to wait for."""
    family = int.from_bytes(_given(call, 1)[:2], "little")
    if family == socket.AF_UNIX:
        return "as many wait there to be accepted as listen(2) allowed"
    is_inet = family in (socket.AF_INET, socket.AF_INET6)
    return "no port is left on this side (net.ipv4.ip_local_port_range)" if is_inet else ""


def _buffers(call: Call) -> str:
    number, _ = _message(call)
    many = number > MOST_BUFFERS
    return f"there are {number} buffers, more than {MOST_BUFFERS}" if many else ""


def _control(call: Call) -> str:
    """Say what is wrong with the control data of a message: cmsg(3), unix(7)."""
    address = MESSAGE.unpack_from(_given(call, 1))[4] if _message(call)[1] else 0
    found = (piece.data for piece in call.memory if address and piece.address == address)
    data = next(found, b"")
    if len(data) < CONTROL.size:
        return ""
    length, level, kind = CONTROL.unpack_from(data)
    if not CONTROL.size <= length <= _message(call)[1]:
        return f"the length of a control message is {length}"
    passed = (length - CONTROL.size) // INT
    many = (level, kind) == (SOL_SOCKET, SCM_RIGHTS) and passed > MOST_PASSED
    return f"{passed} descriptors are passed, more than {MOST_PASSED}" if many else ""


def _option(call: Call) -> str:
    """Say which values an option takes."""
    option, data = (signed(call.args[1]), signed(call.args[2])), _given(call, 3)
    length = signed(call.args[4])
    if option in GROUPS:
        return _group(data, length, *GROUPS[option])
    if option not in RANGES or len(data) < INT or length < INT:
        return ""
    least, most = RANGES[option]
    (value,) = struct.unpack_from("=i", data)
    return "" if least <= value <= most else f"{value} is not within {least} to {most}"


def _group(data: bytes, length: int, family: int, size: int, least: int) -> str:
    if length < least:
        return f"the value has {length} bytes, fewer than {least}"
    address = data[:size]
    is_group = address[:1] == b"\xff" if size > INT else address[:1] and address[0] >> 4 == 14
    if len(address) < size or is_group:
        return ""
    return f"{socket.inet_ntop(family, address)} is no multicast address"


def _key(call: Call) -> str:
    """Say that a key is empty or too long: add_key(2)."""
    is_plain, size = text_at(call, 0) in ("user", "logon"), call.args[3]
    wrong = is_plain and not 0 < size <= MOST_KEY
    return f"a key of this type has 1 to {MOST_KEY} bytes, not {size}" if wrong else ""


def _queue(call: Call) -> str:
    """Say which attribute of a queue is none: mq_attr_ok() in ipc/mqueue.c."""
    data = _given(call, 3)
    if call.abi != Abi.X86_64 or len(data) < QUEUE.size:
        return ""
    _, most, size = QUEUE.unpack_from(data)
    none = (("mq_maxmsg", most), ("mq_msgsize", size))
    return next((f"{name} is {value}" for name, value in none if value <= 0), "")


def _asked_option(call: Call) -> str:
    data = _given(call, 4)
    length = int.from_bytes(data[:INT], "little", signed=True)
    return f"its length is {length}" if length < 0 else ""


def _mounted(call: Call) -> str:
    """Say why mount(2) is invalid where it makes no new mount."""
    remounts = call.args[3] & MS_REMOUNT
    return "" if remounts else next((text for bits, text in OF_MOUNTS if call.args[3] & bits), "")


def _raised(call: Call) -> str:
    """Say that a semaphore would be too large, unless it may be what SEM_UNDO would undo."""
    data = _given(call, 1)
    flags = [flag for _, _, flag in struct.iter_unpack("=HhH", data[: len(data) // 6 * 6])]
    undoes = any(flag & SEM_UNDO for flag in flags)
    return "a semaphore would be larger than 32767" if flags and not undoes else ""


def _opened(call: Call) -> str:
    """Say what of a struct open_how is wrong, in the order of build_open_flags() in fs/open.c."""
    data = _given(call, 2)
    if len(data) < HOW.size or call.args[3] < HOW.size:
        return ""
    flags, mode, resolve = HOW.unpack_from(data)
    known = reduce(or_, (bits for _, bits in name_set("open").flags), O_WAYS)
    creates, makes = flags & O_CREAT, flags & (O_CREAT | O_TMPFILE)
    rows = (
        (flags & ~known, f"how.flags has an unknown flag, {flags & ~known:#x}"),
        (resolve & ~ALL_RESOLVE, f"how.resolve has an unknown flag, {resolve & ~ALL_RESOLVE:#x}"),
        (
            resolve & RESOLVE_BENEATH and resolve & RESOLVE_IN_ROOT,
            "RESOLVE_BENEATH and RESOLVE_IN_ROOT exclude each other",
        ),
        (makes and mode & ~ALL_MODES, f"how.mode is {mode:#o}, more than permissions"),
        (mode and not makes, f"how.mode is {mode:#o}, which takes O_CREAT or O_TMPFILE"),
        (creates and flags & O_DIRECTORY, "O_CREAT and O_DIRECTORY exclude each other"),
        (flags & O_TMPFILE and not flags & O_DIRECTORY, "O_TMPFILE lacks its O_DIRECTORY"),
        (flags & O_TMPFILE and flags & O_WAYS == O_RDONLY, "O_TMPFILE needs O_WRONLY or O_RDWR"),
        (
            flags & O_PATH and flags & ~WITH_PATH,
            "O_PATH takes no flags but O_DIRECTORY, O_NOFOLLOW and O_CLOEXEC",
        ),
    )
    return next((text for wrong, text in rows if wrong), "")


def _led_out(call: Call) -> str:
    """Say where a path leads that openat2(2) does not allow."""
    data = _given(call, 2)
    resolve = HOW.unpack_from(data)[2] if len(data) >= HOW.size else 0
    if resolve & RESOLVE_BENEATH and text_at(call, 1).startswith("/"):
        return "the path is absolute, and RESOLVE_BENEATH allows none"
    return {
        RESOLVE_BENEATH: "the path leads out of the folder where it starts (RESOLVE_BENEATH)",
        RESOLVE_NO_XDEV: "the path leads to another mount (RESOLVE_NO_XDEV)",
    }.get(resolve & (RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_IN_ROOT), "")


REASONS: dict[tuple[str, str], Reason] = {
    ("openat2", "EXDEV"): _led_out,
    ("openat2", "EINVAL"): _opened,
    **dict.fromkeys((("fcntl", "EINVAL"), ("fcntl64", "EINVAL")), _locked),
    ("timer_create", "EINVAL"): _event(1),
    ("mq_notify", "EINVAL"): _event(1),
    **dict.fromkeys((("sendmsg", "EMSGSIZE"), ("recvmsg", "EMSGSIZE")), _buffers),
    ("sendto", "EINVAL"): _port,
    ("sendmsg", "EINVAL"): _control,
    ("setsockopt", "EINVAL"): _option,
    ("connect", "EAGAIN"): _full,
    ("getsockopt", "EINVAL"): _asked_option,
    ("mq_open", "EINVAL"): _queue,
    ("add_key", "EINVAL"): _key,
    ("mount", "EINVAL"): _mounted,
    **dict.fromkeys((("semop", "ERANGE"), ("semtimedop", "ERANGE")), _raised),
    ("symlink", "ENAMETOOLONG"): _long_link,
    ("symlinkat", "ENAMETOOLONG"): _long_link,
}
"""Call and error → why."""
OF_ERRORS: dict[str, Reason] = {"ENAMETOOLONG": _too_long}
"""Error of any call → why."""
