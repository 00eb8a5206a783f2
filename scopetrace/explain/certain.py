"""Why a call failed, where its error and arguments leave no other reason.

The rule: a row is what the manual page of the call gives as the only meaning of the error, or
follows from an argument that the kernel does not know.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Callable, Mapping

from scopetrace.syscalls.call import Abi, Call, Phase
from scopetrace.syscalls.descriptors import AT_FDCWD, positions, signed, text_at
from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.memory import MAP_TYPE, wrong_mapping
from scopetrace.syscalls.names import name_set, unnamed_value
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import row

OF_ANY_MODE = frozenset(
    (
        "close", "dup", "fstat", "fstat64", "newfstatat", "fstatat64", "statx", "fstatfs",
        "fstatfs64", "fchdir",
    )
)  # fmt: skip
"""Calls to which it does not matter for what a descriptor was opened, even if only by O_PATH."""
SEEK_END = 2
PAGE = 4096
UNITS = {
    "timespec": (1_000_000_000, "nanoseconds"),
    "timeval": (1_000_000, "microseconds"),
    "itimerval": (1_000_000, "microseconds"),
    "itimerspec": (1_000_000_000, "nanoseconds"),
}
"""Kind of a time → how many of what a second has."""
SIGSET, SIZES_OF_SETS = 8, ("sigsetsize", "sizemask")
MOST_VECTORS = 1024
"""IOV_MAX."""
LARGEST = 2**63 - 1
"""Position in a file."""
WORD = 4
MAP_PRIVATE, PROT_WRITE = 2, 2
MS_ASYNC, MS_SYNC = 1, 4
EPOLLEXCLUSIVE = 1 << 28
CLONE_ARGS, OPEN_HOW = 64, 24
"""Bytes of the first version of a structure that grows with the kernel."""
SIGKILL, SIGSTOP = 9, 19
OF_DISKS = range(0x125D, 0x1273)
"""The last two bytes of requests that each block device knows: BLKROSET and up (linux/fs.h)."""
TERMINALS = 0x5400
"""Requests of ioctl_tty(2), but for their last byte."""
OF_CONTROLLING = (0x540F, 0x5410, 0x5429)
"""TIOCGPGRP, TIOCSPGRP and TIOCGSID."""
COMMANDS_OF_ANY_MODE = (0, 1, 2, 3, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC."""
F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS = 1031, 1032, 1033, 1034
F_SETFL, F_SETSIG = 4, 10
OF_OPEN_FILES = (36, 37, 38)
"""F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW."""
FUTEX_OPERATION, OF_BITS, UINT = 0x7F, (9, 10), 0xFFFFFFFF
"""FUTEX_WAIT_BITSET and FUTEX_WAKE_BITSET: futex(2)."""
MSG_OOB = 1
NO_URGENT_DATA = "this socket has no urgent data (MSG_OOB)"
MAP_ANONYMOUS, MAP_HUGETLB, PROT_EXEC, MREMAP_MAYMOVE = 0x20, 0x40000, 4, 1
INTERFACES, TIOCSCTTY, FS_IOC_SETFLAGS = 0x8900, 0x540E, 0x40086602
"""The first request of netdevice(7), one of ioctl_tty(2), and that of chattr(1)."""
IPV6_V6ONLY = (41, 26)
LAST_SIGNAL = 64
PR_SET_PDEATHSIG = 1
OF_PRCTL = {
    4: "it may only be 0 or 1",
    8: "it may only be 0 or 1",
    23: "the kernel has no capability of this number",
    24: "the kernel has no capability of this number",
    38: "arg2 has to be 1, and all behind it 0: it cannot be given back",
}
"""PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_READ and DROP, PR_SET_NO_NEW_PRIVS."""
SOL_SOCKET, INT, EVENT = 1, 4, 8
SIZES_OF_OPTIONS = {13: 8, 20: 16, 21: 16, 66: 16, 67: 16}
"""SO_LINGER and the timeouts; others are an int, or a text."""
OF_ATTRIBUTES = (("trusted.", "CAP_SYS_ADMIN"), ("security.capability", "CAP_SETFCAP"))
READ_ONLY_OPTIONS = (3, 4, 30, 38, 39)
"""SO_TYPE, SO_ERROR, SO_ACCEPTCONN, SO_PROTOCOL, SO_DOMAIN."""
IPC_64, MOST_COMMAND = 0x100, 20
"""A flag of commands for i386, and the last one, SEM_STAT_ANY."""
SI_TKILL, RENAME_EXCHANGE = -6, 2
P_PID = 1
NUMBERS = 1024
"""The numbers of calls are below this: ABI_NUMBERS of ext/arch/abi.h."""
OF_ONE_THREAD = 0x100 | 0x800 | 0x10000 | 0x10000000
"""CLONE_VM, CLONE_SIGHAND, CLONE_THREAD and CLONE_NEWUSER: unshare(2)."""
ADDRESSES, PRIORITIES = 1 << 47, 32768
"""Bytes of addresses of a process; priorities of messages: mq_send(3)."""
OPEN_AT_ALL = (
    *("epoll_wait", "epoll_pwait", "epoll_pwait2", "sync_file_range", "mmap", "mmap2", "flock"),
    *("signalfd", "signalfd4", "timerfd_settime", "timerfd_gettime", "inotify_add_watch"),
    *("inotify_rm_watch", "fadvise64", "lseek"),
)
"""Calls to which it does not matter how a descriptor was opened, but for O_PATH."""
OPTIONS_OF_ADMIN = (12, 32, 33, 36)
"""SO_PRIORITY above 6, SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_MARK: socket(7)."""

Reason = Callable[[Call], str]
"""Says why; empty: not for this."""


def certain_reason(made: Recorded) -> str:
    """Return the only reason that a failed call can have; empty: there may be several."""
    if made.error == "EBADF" and made.name in OF_ANY_MODE:
        return _nothing_open(made.call.args[positions(made.abi, made.number).fds[0]])
    found = OF_CALLS.get((made.name, made.error))
    if found is not None and (reason := found(made.call)):
        return reason
    if made.error == "EBADF":
        return _negative(made) or _not_open_at_all(made)
    if made.error == "ENOSYS" and made.abi == Abi.X86_64 and made.number >= NUMBERS:
        return "the kernel does not have this call"
    return _wrong_value(made.call) if made.error in ("EINVAL", "ENOSYS") else ""


def _negative(made: Recorded) -> str:
    """Say which descriptor is a negative number."""
    at = positions(made.abi, made.number)
    fds = (signed(made.call.args[place]) for place in at.fds)
    found = next((fd for fd in fds if fd < 0 and fd != AT_FDCWD), None)
    return "" if found is None else _nothing_open(found)


def takes_any_open(name: str, call: Call) -> bool:
    """Whether a call fails with EBADF only if its descriptor is not open, or by O_PATH."""
    is_of_terminal = name == "ioctl" and call.args[1] & ~0xFF == TERMINALS
    return name in OPEN_AT_ALL or is_of_terminal


def _not_open_at_all(made: Recorded) -> str:
    if not takes_any_open(made.name, made.call):
        return ""
    fd = signed(made.call.args[positions(made.abi, made.number).fds[0]])
    return f"descriptor {fd} is not open, or for its name only (O_PATH)"


def _wrong_value(call: Call) -> str:
    """Say which argument no call takes like that."""
    return _time(call) or _unknown(call) or _set_size(call)


def _set_size(call: Call) -> str:
    """Say that a set of signals does not have the size of the kernel's."""
    found = row(call.abi, call.number)
    names = [argument.name for argument in found.arguments] if found else []
    for name in SIZES_OF_SETS:
        if name in names and (size := call.args[names.index(name)]) != SIGSET:
            return f"{name} is {size}, not {SIGSET}"
    return ""


def _unknown(call: Call) -> str:
    """Say which flag or value of a call has no name."""
    found = row(call.abi, call.number)
    return unnamed_value(found, call.args) if found else ""


def _time(call: Call) -> str:
    """Say that a time has more nanoseconds than a second, or is negative."""
    found = row(call.abi, call.number)
    kinds = [_kind_of_time(argument.kind) for argument in found.arguments] if found else []
    for piece in call.memory:
        kind = kinds[piece.argument] if piece.argument < len(kinds) else ""
        is_asked = piece.phase == Phase.ENTRY and call.abi == Abi.X86_64
        if is_asked and kind in UNITS and (text := _impossible(piece.data, *UNITS[kind])):
            return text
    return ""


def _kind_of_time(kind: Kind) -> str:
    """Return the kind of what an argument points to, which some kinds name as a parameter."""
    return kind.params[0] if kind.name in ("entry", "futextimeout") else kind.name


def _impossible(data: bytes, most: int, unit: str) -> str:
    """Say what is wrong with one of the times in `data`."""
    for seconds, part in struct.iter_unpack("=qq", data[: len(data) // 16 * 16]):
        if not 0 <= part < most:
            return f"{part} {unit} are not within 0 to {most - 1}"
        if seconds < 0:
            return "the time is negative"
    return ""


def _nothing_open(fd: int) -> str:
    return f"no file is open as descriptor {signed(fd)}"


def _not_open(call: Call) -> str:
    if call.args[1] in COMMANDS_OF_ANY_MODE:
        return _nothing_open(call.args[0])
    return "it is no pipe, or not open" if call.args[1] in (F_SETPIPE_SZ, F_GETPIPE_SZ) else ""


def _unmapped(call: Call) -> str:
    outside = "the memory lies beyond what a process can have"
    return _aligned(call) or (outside if call.args[1] else "the length is zero")


def _read_only_option(call: Call) -> str:
    asked = call.args[1] == SOL_SOCKET and call.args[2] in READ_ONLY_OPTIONS
    return "it can only be asked for" if asked else ""


def _command(position: int) -> Reason:
    """Say that shmctl, msgctl or semctl has no such command; it is the argument there."""

    def found(call: Call) -> str:
        command = call.args[position] & ~IPC_64
        return "" if command <= MOST_COMMAND else f"there is no command {command}"

    return found


def _link(position: int) -> Reason:
    """Say why readlink(2) has no answer; the size of the memory for it is the argument there."""

    def found(call: Call) -> str:
        size = signed(call.args[position])
        negative = f"but the size of the memory for the answer is {size}"
        return "nowhere, it is no symbolic link" if size > 0 else negative

    return found


def _no_child(call: Call) -> str:
    pid = signed(call.args[0])
    return f"no child is in the process group {-pid}" if pid < -1 else _left_child(pid)


def _left_child(pid: int) -> str:
    if pid <= 0:
        return "there is none to wait for"
    return f"process {pid} is no child of this one, or is not any more"


def _attribute(call: Call) -> str:
    """Say which right an attribute takes: xattr(7)."""
    name = text_at(call, 1)
    return next(
        (
            f"to change {start}… takes {right}"
            for start, right in OF_ATTRIBUTES
            if name.startswith(start)
        ),
        "",
    )


def _special(position: int) -> Reason:
    """Say why mknod(2) is not permitted; the mode is the argument there."""

    def found(call: Call) -> str:
        return "folders are made by mkdir" if stat.S_ISDIR(call.args[position] & 0xFFFF) else ""

    return found


def _sent_by(call: Call) -> str:
    """Say why a signal with information may not be sent: rt_sigqueueinfo(2)."""
    data = next((piece.data for piece in call.memory if len(piece.data) >= 12), None)
    if data is None:
        return ""
    code = int.from_bytes(data[8:12], "little", signed=True)
    if code >= 0 or code == SI_TKILL:
        return "si_code says that the kernel or kill() sent it"
    return "the process is of another user, which takes CAP_KILL"


def _no_user(call: Call) -> str:
    return "-1 is the number of no user or group" if call.args[0] & UINT == UINT else ""


def _exchanged(call: Call) -> str:
    return "one of the two is not there" if call.args[4] & RENAME_EXCHANGE else ""


def _lseek(call: Call) -> str:
    if call.args[2] > SEEK_END:
        return ""
    is_negative = call.args[1] >> (31 if call.abi == Abi.I386 else 63) & 1
    end = "before the beginning" if is_negative else "behind the largest one"
    return f"the position would lie {end}"


def _aligned(call: Call) -> str:
    return f"the address is no multiple of {PAGE}" if call.args[0] % PAGE else ""


def _epoll(call: Call) -> str:
    if call.args[0] == call.args[2]:
        return "a list cannot be on itself"
    events = next((int.from_bytes(each.data[:4], "little") for each in call.memory), 0)
    no_epoll = "" if events & EPOLLEXCLUSIVE else f"descriptor {signed(call.args[0])} is no epoll"
    return _wrong_value(call) or no_epoll


def _epoll_fds(call: Call) -> str:
    one, other = (signed(call.args[position]) for position in (0, 2))
    return f"of the descriptors {one} and {other} one is not open"


def _vectors(call: Call) -> str:
    """Say that a call on several buffers has too many of them."""
    number = signed(call.args[2])
    wrong = not 0 <= number <= MOST_VECTORS
    return f"{number} buffers are not within 0 to {MOST_VECTORS}" if wrong else ""


def _range(call: Call) -> str:
    """Say that the bytes of pread64 or pwrite64 would lie behind the last position."""
    beyond = call.abi == Abi.X86_64 and call.args[3] + call.args[2] > LARGEST
    return "the bytes would lie behind the largest position of a file" if beyond else ""


def _word(call: Call) -> str:
    if call.args[0] % WORD:
        return f"the address is no multiple of {WORD}"
    by_bits = call.args[1] & FUTEX_OPERATION in OF_BITS
    return "the set of bits in val3 is empty" if by_bits and not call.args[5] & UINT else ""


def _mapping_right(call: Call) -> str:
    """Say which right a mapping of a file needs; it is refused for nothing else but modes."""
    shared = call.args[3] & MAP_TYPE != MAP_PRIVATE
    if shared and call.args[2] & PROT_WRITE:
        return "a shared mapping that may be written needs a file open for reading and writing"
    return "a mapping needs a file that is open for reading"


def _sync(call: Call) -> str:
    both = call.args[2] & MS_ASYNC and call.args[2] & MS_SYNC
    return _aligned(call) or ("MS_ASYNC and MS_SYNC exclude each other" if both else "")


def _size_at(position: int, least: int) -> Reason:
    """Say that a structure is smaller than its first version."""

    def found(call: Call) -> str:
        size = call.args[position]
        return f"the structure has {size} bytes, fewer than {least}" if size < least else ""

    return found


def _timer(call: Call) -> str:
    return _wrong_value(call) or f"there is no timer {signed(call.args[0])}"


def _aio(call: Call) -> str:
    none = "nr_events is not positive" if signed(call.args[0]) <= 0 else ""
    return none or "the memory for the id of the context does not hold 0"


def _sigaction(call: Call) -> str:
    number = signed(call.args[0])
    if not 0 < number <= LAST_SIGNAL:
        return f"there is no signal {number}"
    never = number in (SIGKILL, SIGSTOP)
    return "what this signal does cannot be changed" if never else ""


def _out_of_band(position: int, text: str) -> Reason:
    """Say what MSG_OOB in the flags at `position` asks for in vain."""
    return lambda call: text if call.args[position] & MSG_OOB else ""


def _mapped(call: Call) -> str:
    """Say why a mapping is not permitted."""
    if call.args[3] & MAP_ANONYMOUS:
        return "addresses below vm.mmap_min_addr take CAP_SYS_RAWIO"
    noexec = "it is on a file system that is mounted noexec"
    return noexec if call.args[2] & PROT_EXEC else "the file is sealed, or append-only"


def _moved(call: Call) -> str:
    stays = "behind it there is no room, and without MREMAP_MAYMOVE it stays where it is"
    return "" if call.args[3] & MREMAP_MAYMOVE else stays


def _no_pid(call: Call) -> str:
    return "the number of a process has to be positive" if signed(call.args[0]) <= 0 else ""


def _ioctl_right(call: Call) -> str:
    if call.args[1] & ~0xFF == INTERFACES:
        return "to change an interface takes CAP_NET_ADMIN"
    if call.args[1] == FS_IOC_SETFLAGS:
        return "only the owner may set attributes, and some of them take CAP_LINUX_IMMUTABLE"
    if call.args[1] == TIOCSCTTY:
        return "the process leads no session, or has a terminal, or another session has this one"
    return ""


def _copied_from(call: Call) -> str:
    """Say that sendfile was to start before the beginning."""
    starts = next((piece.data[:8] for piece in call.memory if piece.argument == 2), b"")
    negative = int.from_bytes(starts, "little", signed=True) < 0
    return "the position is negative" if negative else ""


def _awaited(call: Call) -> str:
    """Say that io_getevents(2) asks for more events than it takes at most."""
    least, most = (signed(number) for number in call.args[1:3])
    more = f"min_nr, {least}, is larger than nr, {most}" if least > most else ""
    return more or ("a number is negative" if min(least, most) < 0 else "")


def _descriptors(call: Call) -> str:
    return "the number of descriptors is negative" if signed(call.args[0]) < 0 else ""


def _with_slash(call: Call) -> str:
    """Say why a link with / behind it cannot be removed; of what else is no folder, others do."""
    is_last = text_at(call, positions(call.abi, call.number).paths[0]).endswith("/")
    return "its last name is a link, and / behind it asks for a folder" if is_last else ""


def _no_group(call: Call) -> str:
    return "there is no such process group" if signed(call.args[0]) < -1 else ""


def _shared(call: Call) -> str:
    is_shared = call.args[0] & OF_ONE_THREAD
    return "that takes a process with a single thread" if is_shared else ""


def _protected(call: Call) -> str:
    """Say what a mapping of a file cannot become: mprotect(2)."""
    if call.args[2] & PROT_WRITE:
        return "a shared mapping of a file that is not open for writing stays read-only"
    noexec = "the file is on a file system that is mounted noexec"
    return noexec if call.args[2] & PROT_EXEC else ""


def _much(call: Call) -> str:
    """Say why there is no memory for a mapping."""
    if call.args[3] & MAP_HUGETLB:
        return "no huge pages are free (vm.nr_hugepages)"
    return "a process does not have so many addresses" if call.args[1] >= ADDRESSES else ""


def _priority(call: Call) -> str:
    return f"the priority is not below {PRIORITIES}" if call.args[3] >= PRIORITIES else ""


def _by_option(call: Call) -> str:
    bound = tuple(call.args[1:3]) == IPV6_V6ONLY and call.args[4] >= INT
    return "the socket is bound already" if bound else _option(call)


def _by_command(texts: Mapping[int, str]) -> Reason:
    return lambda call: texts.get(call.args[1], "")


def _always(text: str) -> Reason:
    return lambda call: text


def _terminal(call: Call) -> str:
    if call.args[1] in OF_CONTROLLING:
        return "it is not the controlling terminal of the process"
    if call.args[1] & 0xFFFF in OF_DISKS:
        return "it is no block device"
    return "it is no terminal" if call.args[1] & ~0xFF == TERMINALS else ""


def _events(call: Call) -> str:
    most = signed(call.args[2])
    return f"maxevents is {most}" if most <= 0 else "the descriptor is no epoll"


def _clock(call: Call) -> str:
    clock = signed(call.args[0])
    unknown = clock >= 0 and clock not in name_set("clock").by_value
    return f"there is no clock {clock}" if unknown else ""


def _prctl(call: Call) -> str:
    """Say what is wrong with the second argument of prctl(2)."""
    option, value = call.args[:2]
    if option == PR_SET_PDEATHSIG and not 0 <= value <= LAST_SIGNAL:
        return f"there is no signal {value}"
    return OF_PRCTL.get(option, "")


def _option(call: Call) -> str:
    sizes = {} if call.abi == Abi.I386 else SIZES_OF_OPTIONS
    least = sizes.get(call.args[2], INT) if call.args[1] == SOL_SOCKET else 0
    return f"the value has fewer than {least} bytes" if call.args[4] < least else ""


def _option_right(call: Call) -> str:
    needs_right = call.args[1] == SOL_SOCKET and call.args[2] in OPTIONS_OF_ADMIN
    return "it takes CAP_NET_ADMIN" if needs_right else ""


def _message_type(call: Call) -> str:
    """Say that the type in front of a message of msgsnd(2) is no positive number."""
    for piece in call.memory:
        number = int.from_bytes(piece.data[:8], "little", signed=True)
        if piece.argument == 1 and call.abi != Abi.I386 and len(piece.data) >= 8 and number <= 0:
            return f"the type of the message is {number}, which is not positive"
    return ""


def _other_process(call: Call) -> str:
    asks = "read" if not call.args[2] else "set"
    return f"only its user, or CAP_SYS_RESOURCE, may {asks} the limits of a process"


def _no_descriptor(call: Call) -> str:
    fd = signed(call.args[4])
    return f"the flags lack MAP_ANONYMOUS, and {fd} is no descriptor" if fd < 0 else ""


def _few_bytes(call: Call) -> str:
    """Say that what has to be read whole (an event, a timer, a signal) is longer."""
    size = call.args[2]
    return f"{size} bytes are fewer than the descriptor gives at once" if size < EVENT else ""


OF_CALLS: dict[tuple[str, str], Reason] = {
    **dict.fromkeys((("fcntl", "EBADF"), ("fcntl64", "EBADF")), _not_open),
    ("fcntl", "EINVAL"): _by_command(
        {
            F_SETFL: "the file cannot be read and written directly (O_DIRECT)",
            F_SETSIG: "there is no such signal",
            **dict.fromkeys(
                OF_OPEN_FILES,
                "the lock has no such type, starts before the file, or its l_pid is not 0",
            ),
            **dict.fromkeys(
                (F_ADD_SEALS, F_GET_SEALS), "only memory files (memfd_create) have seals"
            ),
        }
    ),
    **dict.fromkeys((("mmap", "EBADF"), ("mmap2", "EBADF")), _no_descriptor),
    ("readlink", "EINVAL"): _link(2),
    ("readlinkat", "EINVAL"): _link(3),
    **dict.fromkeys((("wait4", "ECHILD"), ("waitpid", "ECHILD")), _no_child),
    ("waitid", "ECHILD"): lambda call: _left_child(
        signed(call.args[1]) if call.args[0] == P_PID else 0
    ),
    **dict.fromkeys(
        (
            (name, "EPERM")
            for name in (
                *("setxattr", "lsetxattr", "fsetxattr"),
                *("removexattr", "lremovexattr", "fremovexattr"),
            )
        ),
        _attribute,
    ),
    ("mknod", "EPERM"): _special(1),
    ("mknodat", "EPERM"): _special(2),
    ("rt_sigqueueinfo", "EPERM"): _sent_by,
    ("readahead", "EBADF"): lambda call: (
        f"descriptor {signed(call.args[0])} is not open for reading"
    ),
    ("renameat2", "ENOENT"): _exchanged,
    ("munmap", "EINVAL"): _unmapped,
    ("setsockopt", "ENOPROTOOPT"): _read_only_option,
    ("process_mrelease", "EBADF"): lambda call: f"descriptor {signed(call.args[0])} is no pidfd",
    **dict.fromkeys((("shmctl", "EINVAL"), ("msgctl", "EINVAL")), _command(1)),
    ("semctl", "EINVAL"): _command(2),
    **dict.fromkeys((("setuid", "EINVAL"), ("setgid", "EINVAL")), _no_user),
    ("fcntl", "ENOTDIR"): _always("it is no folder"),
    ("ioctl", "ENOTTY"): _terminal,
    ("lseek", "EINVAL"): _lseek,
    **dict.fromkeys(
        ((name, "EINVAL") for name in ("readv", "writev", "preadv", "pwritev")), _vectors
    ),
    ("pread64", "EINVAL"): _range,
    ("pwrite64", "EINVAL"): _range,
    ("futex", "EINVAL"): _word,
    ("futex", "ENOSYS"): _always("the kernel has no such operation"),
    ("mmap", "EACCES"): _mapping_right,
    ("epoll_ctl", "EBADF"): _epoll_fds,
    ("clone3", "EINVAL"): _size_at(1, CLONE_ARGS),
    ("openat2", "EINVAL"): _size_at(3, OPEN_HOW),
    **dict.fromkeys(
        (
            (name, "EINVAL")
            for name in ("timer_settime", "timer_gettime", "timer_delete", "timer_getoverrun")
        ),
        _timer,
    ),
    ("io_setup", "EINVAL"): _aio,
    ("lseek", "ENXIO"): _always("the file has nothing of that kind behind this position"),
    **dict.fromkeys(
        (
            (name, "EINVAL")
            for name in ("mprotect", "madvise", "mincore", "mremap", "pkey_mprotect")
        ),
        _aligned,
    ),
    **dict.fromkeys(
        ((name, "ENOMEM") for name in ("msync", "mincore")),
        _always("a part of this memory is not mapped"),
    ),
    ("msync", "EINVAL"): _sync,
    ("mmap", "EINVAL"): lambda call: wrong_mapping("mmap", call.args),
    ("mmap", "ENODEV"): _always("what the descriptor is cannot be mapped into memory"),
    ("epoll_ctl", "EPERM"): _always("a file or folder never has to be waited for"),
    ("epoll_ctl", "EEXIST"): _always("it is on the list already"),
    ("epoll_ctl", "ENOENT"): _always("it is not on the list"),
    ("epoll_ctl", "EINVAL"): _epoll,
    ("inotify_rm_watch", "EINVAL"): lambda call: (
        f"there is no watch {signed(call.args[1])}, or the descriptor is no inotify"
    ),
    **dict.fromkeys(
        ((name, "EINVAL") for name in ("epoll_wait", "epoll_pwait", "epoll_pwait2")), _events
    ),
    **dict.fromkeys(
        (
            (name, "EINVAL")
            for name in (
                *("clock_gettime", "clock_getres", "clock_nanosleep"),
                *("clock_settime", "timer_create"),
            )
        ),
        _clock,
    ),
    ("prctl", "EINVAL"): _prctl,
    ("setsockopt", "EINVAL"): _by_option,
    ("sendto", "EOPNOTSUPP"): _out_of_band(3, NO_URGENT_DATA),
    ("sendmsg", "EOPNOTSUPP"): _out_of_band(2, NO_URGENT_DATA),
    ("recvfrom", "EINVAL"): _out_of_band(3, "no urgent data (MSG_OOB) have come"),
    ("recvmsg", "EINVAL"): _out_of_band(2, "no urgent data (MSG_OOB) have come"),
    ("mmap", "EPERM"): _mapped,
    ("mmap", "ENOMEM"): _much,
    ("mprotect", "EACCES"): _protected,
    ("mq_timedsend", "EINVAL"): _priority,
    ("io_getevents", "EINVAL"): _awaited,
    ("io_pgetevents", "EINVAL"): _awaited,
    ("unshare", "EINVAL"): _shared,
    ("kill", "ESRCH"): _no_group,
    ("unlink", "ENOTDIR"): _with_slash,
    ("unlinkat", "ENOTDIR"): _with_slash,
    ("membarrier", "EPERM"): _always("the process has not registered for this command"),
    ("mremap", "ENOMEM"): _moved,
    ("pidfd_open", "EINVAL"): _no_pid,
    ("ioctl", "EPERM"): _ioctl_right,
    ("sendfile", "EINVAL"): _copied_from,
    ("setsockopt", "EPERM"): _option_right,
    ("msgsnd", "EINVAL"): _message_type,
    ("prlimit64", "EPERM"): _other_process,
    ("read", "EINVAL"): _few_bytes,
    ("waitid", "EBADF"): _always("the descriptor is no pidfd"),
    ("getgroups", "EINVAL"): _always("the size is negative, or there are more groups than that"),
    **dict.fromkeys(
        (("fsync", "EINVAL"), ("fdatasync", "EINVAL")),
        _always("it has nothing that could be on a disk"),
    ),
    ("rt_sigaction", "EINVAL"): _sigaction,
    **dict.fromkeys((("select", "EINVAL"), ("pselect6", "EINVAL")), _descriptors),
    ("fcntl", "EPERM"): _by_command(
        {
            F_SETPIPE_SZ: "it is more than fs.pipe-max-size or the limits of the user",
            F_SETFL: (
                "O_NOATIME is for the owner alone, and O_APPEND stays where chattr +a asks for it"
            ),
            F_ADD_SEALS: "it cannot be written, or takes no seals any more",
        }
    ),
    ("fcntl", "EBUSY"): _by_command(
        {
            F_SETPIPE_SZ: "more bytes than that are in the pipe",
            F_ADD_SEALS: "it is mapped into memory that may be written",
        }
    ),
    **dict.fromkeys(
        (
            (name, "ERANGE")
            for name in ("getcwd", "getxattr", "lgetxattr", "fgetxattr", "listxattr")
        ),
        _always("it does not fit into the memory that was given for it"),
    ),
}
"""Call and error → why."""
