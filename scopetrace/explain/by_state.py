"""Why a call failed, where several reasons are possible and its descriptors leave one of them.

The rule: a descriptor is known by the calls of the session alone (`syscalls.descriptors`); of what
these do not say (it was open at the start, or came through a socket) nothing is said here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from scopetrace.explain.certain import takes_any_open
from scopetrace.model.shown import escape
from scopetrace.syscalls.call import Call
from scopetrace.syscalls.descriptors import (
    APPENDS,
    BOUND,
    CONNECTED,
    LISTENS,
    QUEUE,
    READ_ONLY,
    SEALED,
    SHUT,
    UNSEALABLE,
    WRITE_ONLY,
    Files,
    path_of,
    positions,
    signed,
)
from scopetrace.syscalls.recorded import Recorded, call_name

KINDS = (
    (re.compile(r"pipe:"), "a pipe"),
    (re.compile(r"(TCP|UDP|UNIX-|NETLINK|socket)"), "a socket"),
    (re.compile(r"/dev/(pts/|ptmx|tty|console)"), "a terminal"),
    (re.compile(r"epoll$"), "a list of epoll"),
    (re.compile(r"(eventfd|timerfd|signalfd|inotify|fanotify|pidfd)$"), "of the kind {}"),
)
"""How the names of descriptors begin that are no regular file → what they are."""
WITHOUT_POSITIONS = ("a pipe", "a socket", "a terminal")
ADDRESSES = {"TCP": (16, 128), "UDP": (16, 128), "TCPv6": (24, 128), "UDPv6": (24, 128)}
OF_UNIX = (3, 110)
"""Least and most bytes of an address that a socket of this kind takes."""
NAMESPACE = re.compile(r"/ns/(\w+)$")
NAMESPACES = {
    0x80: "time", 0x20000: "mnt", 0x2000000: "cgroup", 0x4000000: "uts", 0x8000000: "ipc",
    0x10000000: "user", 0x20000000: "pid", 0x40000000: "net",
}  # fmt: skip
"""CLONE_NEW… → what such a namespace is called in /proc/PID/ns."""
OF_ITSELF = ("/proc/self/", "/proc/thread-self/")
UNWRITABLE = re.compile(r"(epoll|timerfd|signalfd|inotify|pidfd)$")
UNREADABLE = ("epoll", "pidfd")
SHORT = {
    "inotify": "the next event is longer than the memory for it",
    "signalfd": "a signalfd gives 128 bytes at once",
}
"""Name of a descriptor → why it cannot be read."""
F_ADD_SEALS = 1033
IOCB, IOCB_FD = 64, 20
"""Bytes of a struct iocb, and where its descriptor stands (linux/aio_abi.h)."""
WCLONE, TIOCSCTTY = 0x80000000, 0x540E
_OPENING, _UNLINKING = 0x410E, 0x30
"""Rights to write, read, list, and truncate; and to delete files and folders: landlock(7)."""
OF_LANDLOCK = {
    **dict.fromkeys(("open", "openat", "openat2", "creat"), _OPENING | 0x100),
    **dict.fromkeys(("execve", "execveat"), 0x1),
    **dict.fromkeys(("truncate", "ftruncate"), 0x4000),
    **dict.fromkeys(("mkdir", "mkdirat"), 0x80),
    **dict.fromkeys(("rmdir", "unlink", "unlinkat"), _UNLINKING),
    **dict.fromkeys(("symlink", "symlinkat"), 0x1000),
    **dict.fromkeys(("mknod", "mknodat"), 0xF40),
    **dict.fromkeys(("link", "linkat", "rename", "renameat", "renameat2"), 0x3FF0),
}
"""Call → the rights to files of Landlock that it may need (linux/landlock.h)."""
LENGTHS = {"connect": 2, "bind": 2, "sendto": 5}
"""Where the length of an address stands, counted from 0."""

Reason = Callable[[Call, Files], str]
"""Says why; empty: not for this."""


def reason_by_state(made: Recorded, files: Files) -> str:
    """Return the reason that the descriptors of a failed call leave; empty: it is not known."""
    found = REASONS.get((made.name, made.error)) or OF_ERRORS.get(made.error)
    return found(made.call, files) if found else ""


def kind_of(files: Files, fd: int) -> str:
    """Return what a descriptor is, if it is known to be no file: `a pipe`; else an empty text."""
    name = files.names.get(fd, "")
    return next((kind.format(name) for start, kind in KINDS if start.match(name)), "")


def _fd(call: Call, position: int = 0) -> int:
    return signed(call.args[position])


def _state(call: Call, files: Files) -> set[str] | None:
    """Return what was done with the first descriptor of a call; None: not all of it is known."""
    return files.states.get(_fd(call))


def _stateful(text: Callable[[set[str]], str]) -> Reason:
    """Return a reason that follows from what was done with the first descriptor."""

    def found(call: Call, files: Files) -> str:
        state = _state(call, files)
        return "" if state is None else text(state)

    return found


# -- sockets --------------------------------------------------------------------------------------


def _unsent(call: Call, files: Files) -> str:
    """Say why nothing can be sent: of a pipe the error says so alone."""
    state = _state(call, files) or set()
    if SHUT in state:
        return "it was shut down for sending"
    is_socket = kind_of(files, _fd(call)) == "a socket"
    return "the other end has gone" if is_socket and CONNECTED in state else ""


def _unlistening(state: set[str]) -> str:
    if CONNECTED in state:
        return "the socket is connected"
    return "" if BOUND in state else "the socket is bound to no address"


def _bound(call: Call, files: Files) -> str:
    state = _state(call, files) or set()
    is_bound = "the socket is bound already" if state & {BOUND, CONNECTED} else ""
    return _address(call, files) or is_bound or _without_scope(call, files)


def _without_scope(call: Call, files: Files) -> str:
    """Say that a link-local address lacks its scope, of a socket that is known not to be bound."""
    data = next((piece.data for piece in call.memory if piece.argument == 1), b"")
    is_ipv6 = _state(call, files) is not None and data[:2] == b"\x0a\0"
    lacks = is_ipv6 and data[8:9] == b"\xfe" and data[9] & 0xC0 == 0x80 and not any(data[24:28])
    return "a link-local address needs sin6_scope_id" if lacks else ""


def _address(call: Call, files: Files, name: str = "bind") -> str:
    """Say that an address is shorter or longer than the socket takes."""
    kind = files.names.get(_fd(call), "").partition(" ")[0].partition("→")[0]
    least, most = OF_UNIX if kind.startswith("UNIX-") else ADDRESSES.get(kind, (0, 0))
    length = signed(call.args[LENGTHS[name]])
    if not most or least <= length <= most:
        return ""
    other = f"fewer than {least}" if length < least else f"more than {most}"
    return f"the address has {length} bytes, {other}"


def _unconnected(call: Call, files: Files) -> str:
    """Say why connect(2) is invalid; a route of the type blackhole drops what is sent."""
    if wrong := _address(call, files, "connect"):
        return wrong
    is_ipv4 = files.names.get(_fd(call), "").startswith(("TCP", "UDP"))
    data = next((piece.data for piece in call.memory if piece.argument == 1), b"")
    drops = is_ipv4 and data[:2] == b"\2\0" and LISTENS not in (_state(call, files) or ())
    return "a route has all dropped that goes there (blackhole)" if drops else ""


def _sent_to(call: Call, files: Files) -> str:
    return _address(call, files, "sendto") if call.args[4] else ""


# -- files ----------------------------------------------------------------------------------------


def _no_positions(call: Call, files: Files) -> str:
    """Say which of the descriptors has no positions."""
    places = positions(call.abi, call.number).fds
    kinds = [(at, kind_of(files, _fd(call, at))) for at in places]
    found = [(at, kind) for at, kind in kinds if kind in WITHOUT_POSITIONS]
    if len(found) != 1:
        return ""
    ((at, kind),) = found
    which = "it" if len(places) == 1 else f"descriptor {_fd(call, at)}"
    return f"{which} has no positions, since it is {kind}"


def _not_open_at_all(call: Call, files: Files) -> str:
    """Say that a descriptor is not open, or by O_PATH, where any other would do."""
    at = positions(call.abi, call.number).fds
    fd = _fd(call, at[0]) if at and takes_any_open(call_name(call.abi, call.number), call) else -1
    if fd in files.names:
        return f"descriptor {fd} is open for its name only (O_PATH)"
    return f"no file is open as descriptor {fd}" if fd >= 0 and files.knows_opens else ""


def _not_submitted(call: Call, files: Files) -> str:
    """Say that the first operation of io_submit(2) is about a descriptor that is not open."""
    found = (piece.data for piece in call.memory if piece.argument == 2 and len(piece.data) == IOCB)
    data = next(found, b"")
    fd = int.from_bytes(data[IOCB_FD : IOCB_FD + 4], "little", signed=True)
    is_open = not data or fd in files.names or not files.knows_opens
    return "" if is_open else f"no file is open as descriptor {fd}"


def _not_passed(call: Call, files: Files) -> str:
    """Say that of the descriptors of sendmsg(2) it is not the socket that is not open."""
    return "a descriptor that was to be passed is not open" if _fd(call) in files.names else ""


def _in_use(call: Call, files: Files) -> str:
    """Say what the process itself has on a file system that is to be unmounted."""
    point = path_of(files, call, 0).rstrip("/")
    if f"{files.cwd}/".startswith(f"{point}/"):
        return f"the process has its working folder there, {escape(files.cwd)}"
    open_there = (
        (fd, name) for fd, name in files.names.items() if f"{name}/".startswith(f"{point}/")
    )
    return next(
        (f"the process has {escape(name)} open as descriptor {fd}" for fd, name in open_there), ""
    )


def _namespace(call: Call, files: Files) -> str:
    """Say which namespace a descriptor of setns(2) is of, or that it is of none."""
    name, asked = files.names.get(_fd(call), ""), call.args[1] & 0xFFFFFFFF
    found = NAMESPACE.search(name)
    if found is None:
        is_file = name.startswith("/") and not name.startswith("/proc/")
        return "the descriptor is no namespace, but a file" if is_file else ""
    wanted = NAMESPACES.get(asked)
    if wanted and wanted != found[1]:
        return f"the descriptor is of a namespace of the type {found[1]}, not {wanted}"
    is_own = found[1] == "user" and name.startswith(OF_ITSELF)
    return "the process is in this user namespace already" if is_own else ""


def _queue(way: str, other: str) -> Reason:
    """Say why a descriptor is none of a queue that can be used this way."""

    def found(call: Call, files: Files) -> str:
        fd = _fd(call)
        state = files.states.get(fd, set())
        if QUEUE not in state:
            return f"descriptor {fd} is no message queue" if fd in files.names else ""
        return f"the queue is open for {other} only" if way in state else ""

    return found


def _which_closed(call: Call, files: Files) -> str:
    """Say which of the two descriptors of epoll_ctl(2) is not open: one is, as it is known."""
    one, other = _fd(call), _fd(call, 2)
    known = [fd in files.names for fd in (one, other)]
    if known == [True, False]:
        return f"no file is open as descriptor {other}"
    return f"no file is open as descriptor {one}" if known == [False, True] else ""


def _not_written(call: Call, files: Files) -> str:
    name = files.names.get(_fd(call), "")
    if UNWRITABLE.match(name):
        return f"nothing can be written to it: it is {kind_of(files, _fd(call))}"
    if name != "eventfd":
        return ""
    few = call.args[2] < 8
    return "an eventfd takes 8 bytes at once" if few else "an eventfd does not take 2**64 - 1"


def _not_read(call: Call, files: Files) -> str:
    if files.names.get(_fd(call)) in UNREADABLE:
        return f"nothing can be read from it: it is {kind_of(files, _fd(call))}"
    return SHORT.get(files.names.get(_fd(call), ""), "")


def _tee(call: Call, files: Files) -> str:
    for at in (0, 1):
        fd = _fd(call, at)
        if fd in files.names and kind_of(files, fd) != "a pipe":
            return f"it copies from pipe to pipe, and descriptor {fd} is none"
    return _same_pipe(call, files, 1)


def _same_pipe(call: Call, files: Files, other: int) -> str:
    """Say that both descriptors are ends of one pipe: one call opened them."""
    origins = [files.origins.get(_fd(call, at), 0) for at in (0, other)]
    pipes = all(kind_of(files, _fd(call, at)) == "a pipe" for at in (0, other))
    return "both are ends of the same pipe" if pipes and origins[0] == origins[1] != 0 else ""


def _appends(call: Call, files: Files, target: int) -> str:
    """Say that the target of a copy was opened to be written at its end only."""
    fd = _fd(call, target)
    appends = APPENDS in files.states.get(fd, ())
    return f"descriptor {fd} is open with O_APPEND" if appends else ""


def _sent_file(call: Call, files: Files) -> str:
    fd = _fd(call, 1)
    kind = kind_of(files, fd)
    cannot = f"descriptor {fd} is {kind}, from which sendfile cannot copy" if kind else ""
    return cannot or _appends(call, files, 0)


def _spliced(call: Call, files: Files) -> str:
    fds = [_fd(call, at) for at in (0, 2)]
    known = all(fd in files.names for fd in fds)
    if known and "a pipe" not in (kind_of(files, fd) for fd in fds):
        return "neither of the two is a pipe"
    return _same_pipe(call, files, 2) or _appends(call, files, 2)


def _copied(call: Call, files: Files) -> str:
    """Say which descriptor of copy_file_range(2) is of no regular file."""
    kinds = ((_fd(call, at), kind_of(files, _fd(call, at))) for at in (0, 2))
    return next((f"descriptor {fd} is {kind}, no regular file" for fd, kind in kinds if kind), "")


def _unsealed(call: Call, files: Files) -> str:
    """Say why seals are not added, in the order of memfd_add_seals() in mm/memfd.c."""
    state = (_state(call, files) or set()) if call.args[1] == F_ADD_SEALS else set()
    if READ_ONLY in state:
        return "it is open for reading only"
    if UNSEALABLE in state:
        return "it was made without MFD_ALLOW_SEALING"
    return "F_SEAL_SEAL, which was added before, forbids further seals" if SEALED in state else ""


# -- children -------------------------------------------------------------------------------------


def _no_child(call: Call, files: Files) -> str:
    """Say why there is no child to wait for: wait(2)."""
    pid = _fd(call)
    if files.children.get(pid):
        return f"process {pid} was waited for already"
    left = [child for child, waited in files.children.items() if not waited]
    if files.leaves_none and (pid in left or (pid == -1 and left)):
        return "children that end leave nothing to wait for, as SIGCHLD is ignored"
    if call.args[2] & WCLONE and (pid in left or (pid == -1 and left)):
        return "with __WCLONE it waits only for children that do not send SIGCHLD when they end"
    return ""


# -- rights ---------------------------------------------------------------------------------------


def _no_session(call: Call, files: Files) -> str:
    """Say that only who leads a session gets a terminal for it: ioctl_tty(2)."""
    return "the process leads no session" if call.args[1] == TIOCSCTTY and not files.leads else ""


def restricted_reason(made: Recorded, files: Files) -> str:
    """Return that a process restricted itself by Landlock, of a call that permissions allow."""
    if made.error != "EACCES" or not OF_LANDLOCK.get(made.name, 0) & files.restricted:
        return ""
    return "the process restricted itself by Landlock, and no rule of it allows this"


REASONS: dict[tuple[str, str], Reason] = {
    ("ioctl", "EPERM"): _no_session,
    ("io_submit", "EBADF"): _not_submitted,
    ("mq_notify", "EBADF"): _queue("", ""),
    ("mq_getsetattr", "EBADF"): _queue("", ""),
    **dict.fromkeys((("wait4", "ECHILD"), ("waitpid", "ECHILD")), _no_child),
    ("fcntl", "EPERM"): _unsealed,
    ("sendmsg", "EBADF"): _not_passed,
    ("connect", "EISCONN"): _stateful(
        lambda state: "the socket listens for others" if LISTENS in state else ""
    ),
    ("connect", "EINVAL"): _unconnected,
    ("bind", "EINVAL"): _bound,
    ("listen", "EINVAL"): _stateful(_unlistening),
    ("sendto", "EINVAL"): _sent_to,
    **dict.fromkeys(
        (
            (name, "EPIPE")
            for name in ("sendto", "sendmsg", "sendmmsg", "send", "write", "writev", "sendfile")
        ),
        _unsent,
    ),
    **dict.fromkeys((("umount2", "EBUSY"), ("umount", "EBUSY")), _in_use),
    ("setns", "EINVAL"): _namespace,
    ("mq_timedsend", "EBADF"): _queue(READ_ONLY, "reading"),
    ("mq_timedreceive", "EBADF"): _queue(WRITE_ONLY, "writing"),
    ("epoll_ctl", "EBADF"): _which_closed,
    ("write", "EINVAL"): _not_written,
    ("read", "EINVAL"): _not_read,
    ("tee", "EINVAL"): _tee,
    ("splice", "EINVAL"): _spliced,
    ("sendfile", "EINVAL"): _sent_file,
    ("copy_file_range", "EINVAL"): _copied,
}
"""Call and error → why."""
OF_ERRORS: dict[str, Reason] = {"ESPIPE": _no_positions, "EBADF": _not_open_at_all}
"""Error of any call → why."""
