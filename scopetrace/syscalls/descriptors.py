"""What the descriptors of each process are, from the calls that open, copy and close them.

The rule: calls are given in the order in which they were made. What cannot be known from them (a
descriptor that came through a socket, or one that another process put there) has no name.
"""

from __future__ import annotations

import posixpath
import socket
import struct
from collections.abc import Callable, Collection
from functools import cache
from typing import NamedTuple

from scopetrace.model.whole_call import END, FOUND
from scopetrace.syscalls.call import Abi, Call, Piece
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import row

AT_FDCWD = -100
CLOEXEC = 0o2000000
"""O_CLOEXEC, and likewise SOCK_CLOEXEC, EPOLL_CLOEXEC, TFD_CLOEXEC…"""
FD_CLOEXEC = 1
CLONE_FILES, CLONE_THREAD = 0x400, 0x10000
F_DUPFD, F_SETFD, F_DUPFD_CLOEXEC = 0, 2, 1030
CLOSE_RANGE_CLOEXEC = 4
MFD_CLOEXEC, FAN_CLOEXEC, PERF_FLAG_FD_CLOEXEC = 1, 1, 8
O_WRONLY, O_ACCMODE = 1, 3
BOUND, CONNECTED, LISTENS, SHUT = "bound", "connected", "listens", "shut"
"""States of a socket; the last one: nothing can be sent through it any more (SHUT_WR)."""
APPENDS, O_APPEND = "appends", 0o2000
"""State of a file that was opened so that each write is at its end."""
QUEUE, READ_ONLY, WRITE_ONLY = "queue", "reads", "writes"
"""States of a message queue; the second one also of a file."""
UNSEALABLE, SEALED = "unsealable", "sealed"
"""States of a memory file that takes no seals (any more): memfd_create(2), F_SEAL_SEAL."""
RULES = "handles "
"""How the state of rules of Landlock begins; the rights that they are about follow."""
MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, F_ADD_SEALS, F_SEAL_SEAL = 2, 8, 1033, 1
SIGCHLD, SIG_IGN, SA_NOCLDWAIT = 17, 1, 2
STILL_THERE = (b"\x7f", b"\xff")
"""First byte of the status of a child that was stopped, or goes on: wait(2)."""
SHOWN_NAME = 200
"""Characters of a name."""


class Positions(NamedTuple):
    """Where descriptors and paths stand among the arguments of a call, counted from 0."""

    fds: tuple[int, ...]
    folders: tuple[int, ...]
    """Those of the descriptors in whose folder the path behind them starts."""
    paths: tuple[int, ...]
    makes_fd: bool


@cache
def positions(abi: int, number: int) -> Positions:
    """Return where a call has descriptors and paths; nowhere if the table lacks it."""
    found = row(abi, number)
    if found is None:
        return Positions((), (), (), False)
    kinds = [argument.kind.name for argument in found.arguments]
    return Positions(
        tuple(at for at, kind in enumerate(kinds) if kind in ("fd", "dirfd")),
        tuple(at for at, kind in enumerate(kinds) if kind == "dirfd"),
        tuple(at for at, kind in enumerate(kinds) if kind == "path"),
        found.result.name == "fd",
    )


def signed(value: int) -> int:
    """Return a register as the int that a descriptor is."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


class Files:
    """The descriptors of one process, and the folder in which its relative paths start."""

    __slots__ = (
        *("by", "children", "cloexec", "cwd", "knows_opens", "leads", "leaves_none", "names"),
        *("origins", "restricted", "states", "version"),
    )

    def __init__(self, cwd: str = "") -> None:
        self.cwd = cwd
        self.names: dict[int, str] = {}
        self.cloexec: set[int] = set()
        self.origins: dict[int, int] = {}
        """Descriptor → `Recorded.id` of the call that opened it; 0: it was open at the start."""
        self.states: dict[int, set[str]] = {}
        """Descriptor → what was done with it, shared by its copies; none: not all is known."""
        self.children: dict[int, bool] = {}
        """Pid of a child → whether it was waited for."""
        self.leaves_none = False
        """Whether children that end leave nothing to wait for, as SIGCHLD is ignored."""
        self.leads = True
        """Whether the process may lead a session; a child does not, before it makes one."""
        self.restricted = 0
        """Rights to files that rules of Landlock may refuse, as the process has asked for that."""
        self.knows_opens = False
        """Whether the session has the calls that open files, as it has one."""
        self.by = 0
        """`Recorded.id` of the call that changes them now; 0: none does."""
        self.version = 0
        """Changes whenever `names` does."""

    def copy(self) -> Files:
        """Return what a child has after fork."""
        files = Files(self.cwd)
        files.names, files.cloexec = dict(self.names), set(self.cloexec)
        files.origins, files.states = dict(self.origins), dict(self.states)
        files.leaves_none, files.knows_opens = self.leaves_none, self.knows_opens
        files.leads, files.restricted = False, self.restricted
        return files

    def open(
        self, fd: int, name: str, cloexec: bool = False, states: set[str] | None = None
    ) -> None:
        """Take note of a new descriptor."""
        self.rename(fd, name)
        self.origins[fd] = self.by
        self.states.pop(fd, None)
        if states is not None:
            self.states[fd] = states
        (self.cloexec.add if cloexec else self.cloexec.discard)(fd)

    def rename(self, fd: int, name: str) -> None:
        """Take note that a descriptor is better known."""
        self.version += 1
        self.names[fd] = name[:SHOWN_NAME]

    def close(self, fd: int) -> None:
        """Take note that a descriptor is gone."""
        self.version += 1
        self.names.pop(fd, None)
        self.origins.pop(fd, None)
        self.states.pop(fd, None)
        self.cloexec.discard(fd)

    def exec(self) -> None:
        """Close what is not to outlive an exec."""
        for fd in tuple(self.cloexec):
            self.close(fd)

    def absolute(self, path: str, base: int = AT_FDCWD) -> str:
        """Return a path as seen from the folder that a descriptor is."""
        folder = self.cwd if base == AT_FDCWD else self.names.get(base, "")
        return posixpath.normpath(posixpath.join(folder, path)) if folder else path


def text_at(call: Call, argument: int) -> str:
    """Return the string that an argument points to, or an empty text."""
    for piece in call.memory:
        if piece.argument == argument:
            return piece.data.partition(b"\0")[0].decode(errors="surrogateescape")
    return ""


def _last_piece(call: Call, argument: int) -> Piece | None:
    found = [piece for piece in call.memory if piece.argument == argument]
    return found[-1] if found else None


def path_of(files: Files, call: Call, argument: int) -> str:
    """Return the absolute path that an argument means."""
    text = text_at(call, argument)
    at = positions(call.abi, call.number)
    base = signed(call.args[argument - 1]) if argument - 1 in at.folders else AT_FDCWD
    return files.absolute(text, base) if text else text


def touches(made: Recorded, files: Files, fds: Collection[int], paths: Collection[str]) -> bool:
    """Return whether a call is about one of these descriptors or absolute paths."""
    at, call = positions(made.abi, made.number), made.call
    used = {signed(call.args[place]) for place in at.fds}
    if at.makes_fd and made.result is not None and made.result >= 0:
        used.add(made.result)
    if not used.isdisjoint(fds):
        return True
    named = {path_of(files, call, place) for place in at.paths}
    named.update(files.names.get(fd, "") for fd in used)
    return not named.isdisjoint(paths)


# -- addresses -----------------------------------------------------------------------------------


def address_text(data: bytes) -> str:
    """Return a socket address: `127.0.0.1:80`, `[::1]:80`, a path, `@abstract`; empty: unknown."""
    family = int.from_bytes(data[:2], "little")
    if family == socket.AF_INET and len(data) >= 8:
        return f"{socket.inet_ntoa(data[4:8])}:{int.from_bytes(data[2:4], 'big')}"
    if family == socket.AF_INET6 and len(data) >= 24:
        host = socket.inet_ntop(socket.AF_INET6, data[8:24])
        return f"[{host}]:{int.from_bytes(data[2:4], 'big')}"
    if family == socket.AF_UNIX and len(data) > 2:
        path = data[2:]
        path = b"@" + path[1:] if path[:1] == b"\0" else path.partition(b"\0")[0]
        return path.decode(errors="surrogateescape")
    return ""


_TYPES: dict[tuple[int, int], str] = {
    (socket.AF_INET, socket.SOCK_STREAM): "TCP",
    (socket.AF_INET, socket.SOCK_DGRAM): "UDP",
    (socket.AF_INET6, socket.SOCK_STREAM): "TCPv6",
    (socket.AF_INET6, socket.SOCK_DGRAM): "UDPv6",
    (socket.AF_UNIX, socket.SOCK_STREAM): "UNIX-STREAM",
    (socket.AF_UNIX, socket.SOCK_DGRAM): "UNIX-DGRAM",
    (socket.AF_UNIX, socket.SOCK_SEQPACKET): "UNIX-SEQPACKET",
    (socket.AF_NETLINK, socket.SOCK_RAW): "NETLINK",
    (socket.AF_NETLINK, socket.SOCK_DGRAM): "NETLINK",
}


def _socket_name(call: Call) -> str:
    family, type_of = call.args[0], call.args[1] & 0xF
    return _TYPES.get((family, type_of), "socket")


# -- what each call does to descriptors -----------------------------------------------------------

Effect = Callable[[Files, Call, int], None]
"""What a call that succeeded changes; its result is the last argument."""


def _opened(path: int, flags: int | None) -> Effect:
    def effect(files: Files, call: Call, result: int) -> None:
        given = O_WRONLY if flags is None else call.args[flags]
        states = {APPENDS} if given & O_APPEND else set()
        if not given & O_ACCMODE:
            states.add(READ_ONLY)
        files.knows_opens = True
        files.open(result, path_of(files, call, path), bool(given & CLOEXEC), states)

    return effect


def _openat2(files: Files, call: Call, result: int) -> None:
    how = _last_piece(call, 2)
    flags = int.from_bytes(how.data[:8], "little") if how else 0
    files.open(result, path_of(files, call, 1), bool(flags & CLOEXEC))


def _made(name: str, flags: int | None = None, bit: int = CLOEXEC) -> Effect:
    def effect(files: Files, call: Call, result: int) -> None:
        files.open(result, name, flags is not None and bool(call.args[flags] & bit))

    return effect


def _made_cloexec(name: str) -> Effect:
    return lambda files, call, result: files.open(result, name, True)


def _memfd(files: Files, call: Call, result: int) -> None:
    flags = call.args[1]
    states = set() if flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) else {UNSEALABLE}
    files.open(result, f"memfd:{text_at(call, 0)}", bool(flags & MFD_CLOEXEC), states)


def _copied(files: Files, old: int, new: int, cloexec: bool) -> None:
    if old in files.names:
        files.open(new, files.names[old], cloexec, files.states.get(old))
    elif new != old:
        files.close(new)


def _dup(files: Files, call: Call, result: int) -> None:
    _copied(files, signed(call.args[0]), result, False)


def _dup2(files: Files, call: Call, result: int) -> None:
    if signed(call.args[0]) != result:
        _copied(files, signed(call.args[0]), result, False)


def _dup3(files: Files, call: Call, result: int) -> None:
    _copied(files, signed(call.args[0]), result, bool(call.args[2] & CLOEXEC))


def _fcntl(files: Files, call: Call, result: int) -> None:
    fd, command = signed(call.args[0]), call.args[1]
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        _copied(files, fd, result, command == F_DUPFD_CLOEXEC)
    elif command == F_ADD_SEALS and call.args[2] & F_SEAL_SEAL:
        files.states.get(fd, set()).add(SEALED)
    elif command == F_SETFD:
        (files.cloexec.add if call.args[2] & FD_CLOEXEC else files.cloexec.discard)(fd)


def _close(files: Files, call: Call, result: int) -> None:
    files.close(signed(call.args[0]))


def _close_range(files: Files, call: Call, result: int) -> None:
    within = [fd for fd in files.names if call.args[0] <= fd <= call.args[1]]
    if call.args[2] & CLOSE_RANGE_CLOEXEC:
        files.cloexec.update(within)
        return
    for fd in within:
        files.close(fd)


def _pair(array: int, flags: int | None, names: Callable[[Call], tuple[str, str]]) -> Effect:
    def effect(files: Files, call: Call, result: int) -> None:
        piece = _last_piece(call, array)
        cloexec = flags is not None and bool(call.args[flags] & CLOEXEC)
        if piece is not None and len(piece.data) >= 8:
            fds = struct.unpack_from("=ii", piece.data)
            for fd, name in zip(fds, names(call), strict=True):
                files.open(fd, name, cloexec, {CONNECTED})  # which pipes always are

    return effect


def _pipe_names(call: Call) -> tuple[str, str]:
    piece = _last_piece(call, 0)
    read, write = struct.unpack_from("=ii", piece.data) if piece else (0, 0)
    return f"pipe: read end of {write}", f"pipe: write end of {read}"


def _socketpair_names(call: Call) -> tuple[str, str]:
    return (_socket_name(call),) * 2


def _socket(files: Files, call: Call, result: int) -> None:
    files.open(result, _socket_name(call), bool(call.args[1] & CLOEXEC), set())


def _named(mark: str, state: str) -> Effect:
    """Return the effect of bind and connect: the address becomes part of the name."""

    def effect(files: Files, call: Call, result: int) -> None:
        fd, piece = signed(call.args[0]), _last_piece(call, 1)
        files.states.get(fd, set()).add(state)
        address = address_text(piece.data) if piece else ""
        if address and fd in files.names:
            before = files.names[fd].partition(mark)[0] if mark != " " else files.names[fd]
            files.rename(fd, f"{before}{mark}{address}")

    return effect


def _accept(flags: int | None) -> Effect:
    def effect(files: Files, call: Call, result: int) -> None:
        piece = _last_piece(call, 1)
        listener = files.names.get(signed(call.args[0]), "socket")
        peer = address_text(piece.data) if piece else ""
        cloexec = flags is not None and bool(call.args[flags] & CLOEXEC)
        files.open(result, f"{listener}←{peer}" if peer else listener, cloexec, {CONNECTED})

    return effect


def _listen(files: Files, call: Call, result: int) -> None:
    files.states.get(signed(call.args[0]), set()).add(LISTENS)


def _shutdown(files: Files, call: Call, result: int) -> None:
    if call.args[1]:  # SHUT_RD is 0
        files.states.get(signed(call.args[0]), set()).add(SHUT)


def _queue(files: Files, call: Call, result: int) -> None:
    flags = call.args[1]
    way = {0: {READ_ONLY}, 1: {WRITE_ONLY}}.get(flags & O_ACCMODE, set())
    files.open(result, f"/{text_at(call, 0)}", True, {QUEUE, *way})


def _chdir(files: Files, call: Call, result: int) -> None:
    files.cwd = path_of(files, call, 0) or files.cwd


def _fchdir(files: Files, call: Call, result: int) -> None:
    files.cwd = files.names.get(signed(call.args[0]), files.cwd)


def _waited(files: Files, call: Call, result: int) -> None:
    status = _last_piece(call, 1)
    if result in files.children and status and status.data[:1] not in STILL_THERE:
        files.children[result] = True


def _sigaction(files: Files, call: Call, result: int) -> None:
    piece = next((piece for piece in call.memory if piece.argument == 1), None)
    if call.args[0] == SIGCHLD and call.abi == Abi.X86_64 and piece and len(piece.data) >= 16:
        handler, flags = struct.unpack_from("=QQ", piece.data)
        files.leaves_none = handler == SIG_IGN or bool(flags & SA_NOCLDWAIT)


def _leads(files: Files, call: Call, result: int) -> None:
    files.leads = True


def _ruleset(files: Files, call: Call, result: int) -> None:
    piece = _last_piece(call, 0)
    if piece is not None:  # else it asked for the version
        rights = int.from_bytes(piece.data[:8], "little")
        files.open(result, "landlock-ruleset", True, {f"{RULES}{rights}"})


def _restricted(files: Files, call: Call, result: int) -> None:
    for state in files.states.get(signed(call.args[0]), ()):
        if state.startswith(RULES):
            files.restricted |= int(state.removeprefix(RULES))


def _exec(files: Files, call: Call, result: int) -> None:
    files.exec()


EFFECTS: dict[str, Effect] = {
    "open": _opened(0, 1),
    "openat": _opened(1, 2),
    "creat": _opened(0, None),
    "openat2": _openat2,
    "memfd_create": _memfd,
    "dup": _dup,
    "dup2": _dup2,
    "dup3": _dup3,
    "fcntl": _fcntl,
    "fcntl64": _fcntl,
    "close": _close,
    "close_range": _close_range,
    "pipe": _pair(0, None, _pipe_names),
    "pipe2": _pair(0, 1, _pipe_names),
    "socket": _socket,
    "socketpair": _pair(3, 1, _socketpair_names),
    "bind": _named(" ", BOUND),
    "connect": _named("→", CONNECTED),
    "listen": _listen,
    "shutdown": _shutdown,
    "mq_open": _queue,
    "accept": _accept(None),
    "accept4": _accept(3),
    "epoll_create": _made("epoll"),
    "epoll_create1": _made("epoll", 0),
    "eventfd": _made("eventfd"),
    "eventfd2": _made("eventfd", 1),
    "timerfd_create": _made("timerfd", 1),
    "signalfd": _made("signalfd"),
    "signalfd4": _made("signalfd", 3),
    "inotify_init": _made("inotify"),
    "inotify_init1": _made("inotify", 0),
    "fanotify_init": _made("fanotify", 0, FAN_CLOEXEC),
    "pidfd_open": _made_cloexec("pidfd"),
    "userfaultfd": _made("userfaultfd", 0),
    "io_uring_setup": _made_cloexec("io_uring"),
    "bpf": _made_cloexec("bpf"),
    "perf_event_open": _made("perf_event", 4, PERF_FLAG_FD_CLOEXEC),
    "chdir": _chdir,
    "fchdir": _fchdir,
    "execve": _exec,
    "execveat": _exec,
    "wait4": _waited,
    "setsid": _leads,
    "landlock_create_ruleset": _ruleset,
    "landlock_restrict_self": _restricted,
    "rt_sigaction": _sigaction,
}
"""Call → what it changes if it succeeds. Others that return a descriptor only replace the name."""
AFTERWARDS = ("close", "close_range", "execve", "execveat")
"""Calls whose descriptors are shown as they were before."""
FORKS = ("fork", "vfork", "clone", "clone3")
UNDER_WAY = -115
"""EINPROGRESS: a connect that goes on."""


def changes(name: str) -> bool:
    """Return whether calls of this name are needed to know what descriptors are."""
    return name in EFFECTS or name in FORKS


class Descriptors:
    """The descriptors of all processes of a session, while its calls are gone through.

    Args:
        folders: pid → the folder in which its first program was started.
    """

    def __init__(self, folders: dict[int, str]) -> None:
        self._folders = folders
        self._files: dict[int, Files] = {}

    def of(self, pid: int) -> Files:
        """Return the descriptors of a process."""
        files = self._files.get(pid)
        if files is None:
            files = self._files[pid] = Files(self._folders.get(pid, ""))
        return files

    def follow(self, made: Recorded) -> None:
        """Change what a call that succeeded changes; to be called after it was shown."""
        if made.abi == FOUND:
            self.of(made.pid).open(made.number, made.data.decode(errors="surrogateescape"))
            return
        if made.abi == END and made.tid == made.pid:
            self._files.pop(made.pid, None)
        result, name = made.result, made.name
        if (
            not made.is_call
            or result is None
            or (result < 0 and (name, result) != ("connect", UNDER_WAY))
        ):
            return
        call = made.call
        if not call.is_refused:
            self._change(made, call, name, result)

    def _change(self, made: Recorded, call: Call, name: str, result: int) -> None:
        effect = EFFECTS.get(name)
        if effect is not None:
            files = self.of(made.pid)
            files.by = made.id
            effect(files, call, result)
        elif name in FORKS:
            self._fork(made, result)
        elif result >= 0 and positions(made.abi, made.number).makes_fd:
            self.of(made.pid).close(result)

    def _fork(self, made: Recorded, child: int) -> None:
        flags = _clone_flags(made)
        if not child or flags & CLONE_THREAD:
            return
        files = self.of(made.pid)
        files.children[child] = False
        early = self._files.get(child)
        self._files[child] = files if flags & CLONE_FILES else files.copy()
        if early is not None and not flags & CLONE_FILES:  # calls that came before its parent's
            self._files[child].names.update(early.names)


def _clone_flags(made: Recorded) -> int:
    if made.name == "clone":
        return made.call.args[0]
    if made.name == "clone3":
        piece = _last_piece(made.call, 0)
        return int.from_bytes(piece.data[:8], "little") if piece else 0
    return 0
