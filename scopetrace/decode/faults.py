"""What is wrong with the arguments of a call that failed: a flag, a length, an fd, in words.

What is said follows from the arguments and from what /proc said of the fd (FDINFO). Rows are for
what manual pages of section 2 list under EINVAL; a call that no row explains may have a
flag or a value that has no name in `scopetrace.syscalls`.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scopetrace.decode.addresses import AF_INET, AF_INET6
from scopetrace.decode.interpreter import SCRIPT, interpreter_of
from scopetrace.decode.mounts import find_mount
from scopetrace.decode.parts import (
    ADDRESS,
    EXCESS,
    FDINFO,
    HEAD,
    MOUNTS,
    NAME,
    NAME2,
    PATH,
    PATH2,
    STATUS,
    VALUE,
    Parts,
)
from scopetrace.decode.path_arguments import AT_FDCWD, EXECS, OPENS, open_flags
from scopetrace.decode.state import INT, signed
from scopetrace.model.raw import EXCESS as EXCESS_LAYOUT
from scopetrace.model.raw import ExcessPlace, RawRecord


class Faulty(NamedTuple):
    """A call that failed."""

    record: RawRecord
    parts: Parts
    op: str
    file: str
    other: str
    """The second path, as the kernel names it."""
    mode: int = 0
    """The type and the permissions of what the first path means; 0: not known."""


Fault = Callable[[Faulty], str]
"""Says what is wrong; empty: not this."""

_FLAGS = re.compile(rb"^flags:\t([0-7]+)$", re.MULTILINE)
"""In fdinfo, octal: proc_pid_fdinfo(5)."""
O_PATH = getattr(os, "O_PATH", 0x200000)
O_TMPFILE_ALONE = 0x400000
"""O_TMPFILE without the O_DIRECTORY that belongs to it."""
RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_FLAGS = 1, 2, 7
SYNC_AS_ASKED = 0x6000
"""AT_STATX_FORCE_SYNC and AT_STATX_DONT_SYNC."""
LAST_SIGNAL, LIMIT_COUNT, PAGE = 64, 16, 4096
TYPE_MASK, TYPE_FLAGS, TYPES = 0xF, 0x80800, (1, 2, 3, 4, 5, 6, 10)
"""Of the type of socket(2): SOCK_CLOEXEC and SOCK_NONBLOCK; SOCK_STREAM to SOCK_PACKET."""
PIPE_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_DIRECT | os.O_EXCL
"""O_EXCL is O_NOTIFICATION_PIPE there."""
MEMORY_FLAGS, HUGE_SIZE = 0x1F, 0xFC000000
"""MFD_CLOEXEC to MFD_EXEC, and the size of pages (memfd_create(2))."""
LOCK_NB, LOCKS = 4, (1, 2, 8)
FD_ARGUMENTS = {
    **dict.fromkeys(("sendfile", "sendfile64"), (2, 1)),
    **dict.fromkeys(("splice", "copy_file_range"), (1, 3)),
    **dict.fromkeys(("mmap", "mmap2"), (5,)),
}
"""Which arguments are fds, counted from 1, where not only the first is: first what is read."""
SECOND_FOLDERS = {"symlinkat": 2, "linkat": 3, "renameat": 3, "renameat2": 3}
"""Where the fd of the folder is that the last path starts from."""
OF_ANY_FD = ("fchdir", "setns", "landlock_restrict_self")
"""Calls that have another error for an fd that is open, but of the wrong kind."""
OF_PIDFDS = ("pidfd_send_signal", "pidfd_getfd", "process_mrelease")
F_SETLEASE = 1024
LOCK_COMMANDS = (5, 6, 7, 12, 13, 14, 36, 37, 38)
"""F_GETLK to F_SETLKW, those of 64 bits, and those of open file descriptions."""
COPIES_FROM = (0, 1030)
"""F_DUPFD and F_DUPFD_CLOEXEC."""
DIRECT = "with O_DIRECT address, length and position have to be multiples of the block size"
VM, FS, SIGHAND, THREAD = 0x100, 0x200, 0x800, 0x10000
NEW_MOUNTS, NEW_USER, NEW_PIDS = 0x20000, 0x10000000, 0x20000000
EXCLUDES = "exclude each other"
CLONE_FLAGS = (
    (THREAD, SIGHAND, "CLONE_THREAD needs CLONE_SIGHAND"),
    (SIGHAND, VM, "CLONE_SIGHAND needs CLONE_VM"),
    (FS, NEW_MOUNTS, f"CLONE_FS and CLONE_NEWNS {EXCLUDES}"),
    (FS, NEW_USER, f"CLONE_FS and CLONE_NEWUSER {EXCLUDES}"),
    (THREAD, NEW_USER, f"CLONE_THREAD and CLONE_NEWUSER {EXCLUDES}"),
    (THREAD, NEW_PIDS, f"CLONE_THREAD and CLONE_NEWPID {EXCLUDES}"),
)
"""Two flags, and why clone(2) refuses the first without the other, or with it."""
RESET_ON_FORK = 0x40000000
"""SCHED_RESET_ON_FORK: sched_setscheduler(2)."""
MCL_CURRENT, MCL_FUTURE = 1, 2
PROTOCOLS = 263
"""IPPROTO_MAX: inet_create() in net/ipv4/af_inet.c."""
MOST_PATH, MOST_NAME = 4095, 255
MS_REMOUNT = 0x20
MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_FLAGS = 1, 2, 4, 0xF
ADDRESSES = {AF_INET: 16, AF_INET6: 24}
"""Family → bytes of its shortest address: the kernel takes one of IPv6 without a scope."""
SHM_RND, SHM_REMAP = 0o20000, 0o40000
KEEP_SIZE, PUNCH_HOLE = 1, 2
NO_DEVICE = "there is no such device"
NO_OTHER_END = {
    stat.S_IFIFO: "no process has the fifo open for reading",
    stat.S_IFSOCK: "it is a socket, which is connected to and not opened",
    stat.S_IFCHR: NO_DEVICE,
    stat.S_IFBLK: NO_DEVICE,
}
"""Type of a file → why open(2) fails with ENXIO."""
OF_SEMAPHORES = (11, 12, 14, 15, 16)
"""GETPID, GETVAL, GETNCNT, GETZCNT, SETVAL: semctl(2)."""
OF_SETS = (0, 1, 2, 13, 17, *OF_SEMAPHORES)
"""IPC_RMID, IPC_SET, IPC_STAT, GETALL, SETALL."""
IPC_64 = 0x100
ATTACHES = (16, 0x4206)
"""PTRACE_ATTACH and PTRACE_SEIZE."""
SESSION = re.compile(rb"^NStgid:.*?(\d+)$.*^NSsid:.*?(\d+)$", re.MULTILINE | re.DOTALL)
"""In /proc/PID/status: a process and its session, each as its own namespace numbers it."""
TERMINAL = "/dev/tty"
SYSCTL_KERNEL = "/proc/sys/kernel"


def may_have_fault(record: RawRecord) -> bool:
    """Whether an error may be that of an argument; of names that are not there it never is."""
    return -record.result in BY_ERROR


def fault_of(faulty: Faulty) -> str | None:
    """Return what is wrong with the arguments of a call; None: that is not known."""
    reasons = BY_ERROR.get(-faulty.record.result, ())
    return next(filter(None, (reason(faulty) for reason in reasons)), None)


# -- fds


def _fds(faulty: Faulty) -> list[tuple[int, bytes]]:
    """Return the fds of a call, and how each is open; as no bytes one that is not."""
    found = faulty.record.all_parts(FDINFO)
    numbers = map(faulty.record.argument, FD_ARGUMENTS.get(faulty.op, (1,)))
    return [(signed(fd), info) for fd, info in zip(numbers, found, strict=False)]


def _not_open(faulty: Faulty) -> str:
    closed = [fd for fd, info in _fds(faulty) if not info and fd != AT_FDCWD]
    if faulty.op in OF_ANY_FD:
        closed = [signed(faulty.record.arg1)]
    elif not closed and faulty.op in SECOND_FOLDERS:
        closed = [signed(faulty.record.argument(SECOND_FOLDERS[faulty.op]))]
    return f"no file is open as descriptor {closed[0]}" if closed else ""


def _no_pidfd(faulty: Faulty) -> str:
    if faulty.op not in OF_PIDFDS:
        return ""
    no_pidfd = f"descriptor {signed(faulty.record.arg1)} is no pidfd"
    if faulty.op != "pidfd_getfd":
        return no_pidfd
    return f"{no_pidfd}, or descriptor {signed(faulty.record.arg2)} is not open in that process"


def _opened_for(faulty: Faulty) -> str:
    """Say for what alone an fd is open; of two, for what one of them is not."""
    fds = _fds(faulty)
    modes = [int(found[1], 8) for _, info in fds if (found := _FLAGS.search(info))]
    if len(modes) == 2:
        return _wrong_way(fds, modes)
    if not modes:
        return ""
    if modes[0] & O_PATH:
        return "it is open for its name only (O_PATH)"
    return OPENED_FOR.get(modes[0] & os.O_ACCMODE, "")


def _wrong_way(fds: list[tuple[int, bytes]], modes: list[int]) -> str:
    """Say which of the fds from and to which bytes are copied is not open for that."""
    for (fd, _), mode, wrong in zip(fds, modes, (os.O_WRONLY, os.O_RDONLY), strict=True):
        if mode & O_PATH:
            return f"descriptor {fd} is open for its name only (O_PATH)"
        if mode & os.O_ACCMODE == wrong:
            return OPENED_FOR[wrong].replace("it", f"descriptor {fd}", 1)
    appends = modes[1] & os.O_APPEND
    return f"descriptor {fds[1][0]} is open with O_APPEND" if appends else ""


OPENED_FOR = {
    os.O_RDONLY: "it is open for reading only",
    os.O_WRONLY: "it is open for writing only",
}


def _beyond_limit(faulty: Faulty) -> str:
    if faulty.op not in ("dup2", "dup3") or not faulty.parts.get(FDINFO):
        return ""
    return f"descriptor {signed(faulty.record.arg2)} is not below RLIMIT_NOFILE"


def _of_mapping(faulty: Faulty) -> str:
    return _opened_for(faulty) if faulty.op.startswith("mmap") else ""


# -- files


def _is_folder(faulty: Faulty) -> str:
    runs = faulty.op in EXECS
    if (runs or faulty.op in ("link", "linkat")) and stat.S_ISDIR(faulty.mode):
        return "it is a folder"
    return "it is no regular file" if runs and faulty.mode and not stat.S_ISREG(faulty.mode) else ""


def _no_interpreter(faulty: Faulty) -> str:
    head = faulty.parts.get(HEAD, b"")
    none = head.startswith(SCRIPT) and not interpreter_of(head)
    return "its first line, #!, names no interpreter" if none else ""


def _circle(faulty: Faulty) -> str:
    is_script = faulty.parts.get(HEAD, b"").startswith(SCRIPT)
    return "its interpreter is a script, and so on, more than 4 times" if is_script else ""


def _two_mounts(faulty: Faulty) -> str:
    table = faulty.parts.get(MOUNTS, b"")
    one, two = find_mount(table, faulty.file), find_mount(table, faulty.other)
    if one is None or two is None or one.point == two.point:
        return ""
    what = (
        "different file systems"
        if one.device != two.device
        else "different mounts of one file system"
    )
    return f"the two are on {what}: {one.point} and {two.point}"


def _opened(faulty: Faulty) -> str:
    if faulty.op not in OPENS:
        return ""
    flags = open_flags(faulty.record, faulty.parts, faulty.op)
    if flags & O_TMPFILE_ALONE and flags & os.O_ACCMODE == os.O_RDONLY:
        return "O_TMPFILE needs O_WRONLY or O_RDWR"
    if flags & os.O_CREAT and flags & os.O_DIRECTORY:
        return "O_CREAT and O_DIRECTORY exclude each other"
    return "the file system may not support O_DIRECT" if flags & os.O_DIRECT else ""


def _renamed(faulty: Faulty) -> str:
    if faulty.op == "renameat2" and (unknown := _flags(5, RENAME_FLAGS)(faulty)):
        return unknown
    both = RENAME_NOREPLACE | RENAME_EXCHANGE
    if faulty.op == "renameat2" and faulty.record.arg5 & both == both:
        return "RENAME_NOREPLACE and RENAME_EXCHANGE exclude each other"
    inside = faulty.other.startswith(f"{faulty.file}/")
    return "the new name is inside the folder itself" if inside else ""


def _last_name(faulty: Faulty) -> str:
    last = faulty.parts.get(PATH, b"").rstrip(b"/").rpartition(b"/")[2]
    return f"the last name of the path is {last.decode()}" if last in (b".", b"..") else ""


def _queue_name(faulty: Faulty) -> str:
    is_path = faulty.op == "mq_open" and b"/" in faulty.parts.get(PATH, b"")
    return "the name of a queue has no / but the first" if is_path else ""


def _no_attributes(faulty: Faulty) -> str:
    """Say what cannot have attributes that are called user.…: xattr(7)."""
    kind = stat.S_IFMT(faulty.mode)
    others = faulty.op.endswith("xattr") and kind not in (0, stat.S_IFREG, stat.S_IFDIR)
    return "only files and folders can have attributes of the user" if others else ""


def _leased(faulty: Faulty) -> str:
    is_lease = faulty.op in ("fcntl", "fcntl64") and faulty.record.arg2 & INT == F_SETLEASE
    return LEASES[-faulty.record.result] if is_lease else ""


LEASES = {
    errno.EAGAIN: "the file is open elsewhere, so it cannot be leased",
    errno.EINVAL: "only regular files can be leased",
}


def _cut(faulty: Faulty) -> str:
    return "the length is negative" if _long(faulty.record.arg2) < 0 else _opened_for(faulty)


def _allocated(faulty: Faulty) -> str:
    offset, length = _long(faulty.record.arg3), _long(faulty.record.arg4)
    if offset < 0:
        return "the offset is negative"
    return _not_positive("length", length)


# -- numbers


def _long(value: int) -> int:
    """Return an argument of 64 bits with its sign."""
    return value - (1 << 64) if value >> 63 else value


def _not_positive(name: str, value: int) -> str:
    return f"the {name} is {value or 'zero'}" if value <= 0 else ""


def _signal(position: int) -> Fault:
    """Return what says that there is no such signal; its number is the argument there."""

    def fault(faulty: Faulty) -> str:
        number = signed(faulty.record.argument(position))
        return "" if 0 <= number <= LAST_SIGNAL else f"there is no signal {number}"

    return fault


def _limit(position: int) -> Fault:
    def fault(faulty: Faulty) -> str:
        number = signed(faulty.record.argument(position))
        if not 0 <= number < LIMIT_COUNT:
            return f"there is no limit {number}"
        return "the soft limit is larger than the hard limit"

    return fault


def _socket(faulty: Faulty) -> str:
    kind = faulty.record.arg2 & INT
    if unknown := kind & ~TYPE_MASK & ~TYPE_FLAGS:
        return f"{unknown:#x} in type is no known flag"
    number, protocol = kind & TYPE_MASK, signed(faulty.record.arg3)
    if number not in TYPES:
        return f"there is no socket type {number}"
    is_none = faulty.record.arg1 & INT in ADDRESSES and not 0 <= protocol < PROTOCOLS
    return f"there is no protocol {protocol}" if is_none else ""


def _locked(faulty: Faulty) -> str:
    operation = signed(faulty.record.arg2)
    named = operation & ~LOCK_NB in LOCKS
    return "" if named else f"operation {operation} is none of LOCK_SH, LOCK_EX and LOCK_UN"


def _mapped(faulty: Faulty) -> str:
    from scopetrace.syscalls.memory import wrong_mapping  # as in _unnamed

    return wrong_mapping(faulty.op, faulty.record.args)


def _aligned(name: str, value: int) -> str:
    return f"the {name} is no multiple of {PAGE}" if value % PAGE else ""


def _same_fds(faulty: Faulty) -> str:
    old, new = signed(faulty.record.arg1), signed(faulty.record.arg2)
    return f"both descriptors are {old}" if old == new else _flags(3, os.O_CLOEXEC)(faulty)


def _flags(position: int, known: int) -> Fault:
    """Return what says which flags a call does not have; they are the argument there."""

    def fault(faulty: Faulty) -> str:
        rest = faulty.record.argument(position) & INT & ~known
        return f"{rest:#x} in flags is no known flag" if rest else ""

    return fault


def _fd_range(faulty: Faulty) -> str:
    first, last = faulty.record.arg1 & INT, faulty.record.arg2 & INT
    return f"the first descriptor, {first}, is behind the last, {last}" if first > last else ""


def _no_events(faulty: Faulty) -> str:
    return "the mask names no event" if not faulty.record.arg3 & INT else ""


def _always(text: str) -> Fault:
    return lambda faulty: text


def _size(position: int) -> Fault:
    return lambda faulty: _not_positive("size", signed(faulty.record.argument(position)))


def _transferred_at(faulty: Faulty) -> str:
    return "the offset is negative" if _long(faulty.record.arg4) < 0 else _direct(faulty)


def _direct(faulty: Faulty) -> str:
    found = _FLAGS.search(faulty.parts.get(FDINFO, b""))
    direct = found is not None and int(found[1], 8) & os.O_DIRECT
    return DIRECT if direct else ""


def _commanded(faulty: Faulty) -> str:
    if faulty.record.arg2 & INT in COPIES_FROM:
        least = signed(faulty.record.arg3)
        return f"descriptor {least} is {'negative' if least < 0 else 'not below RLIMIT_NOFILE'}"
    return _leased(faulty)


def _lock_type(faulty: Faulty) -> str:
    is_lock = faulty.record.arg2 & INT in LOCK_COMMANDS
    return "the lock has no such type, or starts before the file" if is_lock else ""


def _shared(faulty: Faulty) -> str:
    """Say which flags of clone(2) need, or exclude, each other."""
    flags = faulty.record.arg1
    for one, other, text in CLONE_FLAGS:
        if flags & one and bool(flags & other) == text.endswith(EXCLUDES):
            return text
    return ""


def _scheduled(faulty: Faulty) -> str:
    from scopetrace.syscalls.names import name_set  # as in _unnamed

    policy = signed(faulty.record.arg2) & ~RESET_ON_FORK
    known = policy in name_set("sched").by_value
    return "the priority is none of this policy" if known else f"there is no policy {policy}"


def _unmounted(faulty: Faulty) -> str:
    flags = faulty.record.arg2
    if faulty.op == "umount2" and flags & INT & ~UMOUNT_FLAGS:
        return _flags(2, UMOUNT_FLAGS)(faulty)
    if flags & MNT_EXPIRE and flags & (MNT_FORCE | MNT_DETACH):
        return "MNT_EXPIRE excludes MNT_FORCE and MNT_DETACH"
    if MOUNTS not in faulty.parts:
        return "it is no mount point, or one that belongs to another namespace"
    locked = "its mount came from another user namespace, and is locked (mount_namespaces(7))"
    return locked if _is_mount_point(faulty, NAME) else "it is no mount point"


def _is_mount_point(faulty: Faulty, path: int) -> bool:
    name = os.fsdecode(faulty.parts.get(path, b""))
    mount = find_mount(faulty.parts.get(MOUNTS, b""), name)
    return mount is not None and mount.point == name


def _remounted(faulty: Faulty) -> str:
    if not faulty.record.arg4 & MS_REMOUNT or MOUNTS not in faulty.parts:
        return ""
    known = _is_mount_point(faulty, NAME2)
    return "the file system takes no such option" if known else "it is no mount point"


def _bound(faulty: Faulty) -> str:
    """Say what is wrong with bind(2); of an address as long as its family asks for the rest."""
    length, address = signed(faulty.record.arg3), faulty.parts.get(ADDRESS, b"")
    family = int.from_bytes(address[:2], sys.byteorder)
    least = ADDRESSES.get(family, 0)
    if length < least:
        return f"the address has {length} bytes, fewer than {least}"
    if family == AF_INET6 and _is_link_local(address[8:10]) and not any(address[24:28]):
        return "a link-local address needs sin6_scope_id, or the socket is bound already"
    return ""


def _is_link_local(start: bytes) -> bool:
    return int.from_bytes(start, "big") & 0xFFC0 == 0xFE80


def _attached(faulty: Faulty) -> str:
    address, flags = faulty.record.arg2, faulty.record.arg3
    if not flags & SHM_RND and (text := _aligned("address", address)):
        return text
    if address or flags & SHM_REMAP:
        return "there is no such segment, or it cannot be at that address"
    return "there is no segment of this id"


def _of_key(smaller: str, beyond: str, sysctl: str) -> Fault:
    """Say why what has a key does not suffice, or cannot be made so large.

    Args:
        smaller: the first of the two.
        beyond: the second one.
        sysctl: the file in which the largest size stands first.
    """

    def fault(faulty: Faulty) -> str:
        try:
            most = int(Path(SYSCTL_KERNEL, sysctl).read_text().split()[0])
        except OSError:  # as in a container without it
            return f"{smaller}, or {beyond}" if faulty.record.arg1 & INT else beyond
        return smaller if faulty.record.arg1 & INT and faulty.record.arg2 <= most else beyond

    return fault


def _asked_for(faulty: Faulty) -> str:
    both = faulty.record.arg3 & SYNC_AS_ASKED == SYNC_AS_ASKED
    return "AT_STATX_FORCE_SYNC and AT_STATX_DONT_SYNC exclude each other" if both else ""


def _nothing_locked(faulty: Faulty) -> str:
    named = faulty.record.arg1 & (MCL_CURRENT | MCL_FUTURE)
    return "" if named else "the flags have neither MCL_CURRENT nor MCL_FUTURE"


def _address(faulty: Faulty) -> str:
    return _aligned("address", faulty.record.arg1)


def _of_set(faulty: Faulty) -> str:
    """Say that there is no such set of semaphores, or no such one in it: semctl(2)."""
    value, command = faulty.parts.get(VALUE), faulty.record.arg3 & INT & ~IPC_64
    if value is None or command not in OF_SETS:
        return ""
    count, number = int.from_bytes(value, sys.byteorder), signed(faulty.record.arg2)
    if not count:
        return f"there is no set of the id {signed(faulty.record.arg1)}"
    is_none = command in OF_SEMAPHORES and not 0 <= number < count
    others = "semaphore 0 only" if count == 1 else f"the semaphores 0 to {count - 1}"
    return f"the set has {others}, and no {number}" if is_none else ""


INVALID: dict[str, Fault] = {
    **dict.fromkeys(("rename", "renameat", "renameat2"), _renamed),
    "rmdir": _last_name,
    **dict.fromkeys(("truncate", "truncate64", "ftruncate", "ftruncate64"), _cut),
    "fallocate": _allocated,
    "dup3": _same_fds,
    "pipe2": _flags(2, PIPE_FLAGS),
    "memfd_create": _flags(2, MEMORY_FLAGS | HUGE_SIZE),
    "close_range": _fd_range,
    "epoll_create": _size(1),
    "shmget": lambda faulty: "" if faulty.record.arg2 else "the size is zero",
    "io_uring_setup": lambda faulty: _not_positive("number of entries", signed(faulty.record.arg1)),
    "statx": _asked_for,
    "mlockall": _nothing_locked,
    "inotify_add_watch": _no_events,
    **dict.fromkeys(("kill", "tkill", "rt_sigqueueinfo", "pidfd_send_signal"), _signal(2)),
    **dict.fromkeys(("tgkill", "rt_tgsigqueueinfo"), _signal(3)),
    "prlimit64": _limit(2),
    "setrlimit": _limit(1),
    "socket": _socket,
    "flock": _locked,
    **dict.fromkeys(("mmap", "mmap2"), _mapped),
    **dict.fromkeys(("munmap", "mprotect", "mremap", "msync"), _address),
    "bind": _bound,
    "shmat": _attached,
    "semctl": _of_set,
    **dict.fromkeys(("pread64", "pwrite64", "preadv", "pwritev"), _transferred_at),
    "sched_setscheduler": _scheduled,
    **dict.fromkeys(("umount", "umount2"), _unmounted),
    "mount": _remounted,
    **dict.fromkeys(("fcntl", "fcntl64"), _commanded),
    "clone": _shared,
    **dict.fromkeys(("read", "write", "readv", "writev"), _direct),
}
"""What can be wrong with the arguments of a call."""
USUAL: dict[str, Fault] = {
    "accept": _always("the socket does not listen"),
    "accept4": _always("the socket does not listen"),
    "listen": _always("the socket is bound to no address, or is connected"),
    "bind": _always("the socket is bound already, or the address is none of its family"),
    "sched_setaffinity": _always("the set names no CPU that the process may use"),
    "splice": _always("neither of the two is a pipe, or the other one cannot be spliced"),
    "shmget": _of_key(
        "the segment with this key is smaller", "the size is beyond kernel.shmmax", "shmmax"
    ),
    "semget": _of_key(
        "the set with this key has fewer",
        "the number of semaphores is not within kernel.sem",
        "sem",
    ),
    **dict.fromkeys(("fcntl", "fcntl64"), _lock_type),
    "mount": _always("the source has no such file system, or an option is wrong"),
    "inotify_add_watch": _always("the descriptor is no inotify"),
    "memfd_create": _always("the name is longer than 249 bytes"),
    **dict.fromkeys(
        ("truncate", "truncate64", "ftruncate", "ftruncate64"), _always("it is no regular file")
    ),
    **dict.fromkeys(
        ("utimensat", "utimensat_time64"),
        _always("a time has nanoseconds that are not within 0 to 999999999"),
    ),
    "setns": _always(
        "the descriptor is of no namespace of this type, or of the user namespace it is in"
    ),
}
"""What it is if nothing else is wrong."""


def _specific(faulty: Faulty) -> str:
    return INVALID[faulty.op](faulty) if faulty.op in INVALID else _opened(faulty)


def _usual(faulty: Faulty) -> str:
    return USUAL[faulty.op](faulty) if faulty.op in USUAL else ""


def _unnamed(faulty: Faulty) -> str:
    """Say which flag or value of the call has no name, and so is no known one."""
    from scopetrace.syscalls.names import unnamed_value
    from scopetrace.syscalls.rows import named  # it reads the table, which few recordings need

    return next((unnamed_value(row, faulty.record.args) for row in named(faulty.op)), "")


def _operation(faulty: Faulty) -> str:
    mode = faulty.record.arg2
    if faulty.op == "fallocate" and mode & PUNCH_HOLE and not mode & KEEP_SIZE:
        return "FALLOC_FL_PUNCH_HOLE needs FALLOC_FL_KEEP_SIZE"
    return _unnamed(faulty) if faulty.op in ("keyctl", "fallocate") else ""


def _other_end(faulty: Faulty) -> str:
    """Say what a special file lacks, so that it cannot be opened."""
    if faulty.op not in OPENS or faulty.file == TERMINAL:
        return ""
    return NO_OTHER_END.get(stat.S_IFMT(faulty.mode), "")


def _no_socket(faulty: Faulty) -> str:
    """Say that a path to connect to is of something else; a folder may be that of the path."""
    kind = stat.S_IFMT(faulty.mode)
    return "" if kind in (0, stat.S_IFSOCK, stat.S_IFDIR) else "it is no socket"


def _excess(faulty: Faulty) -> str:
    """Say which argument or variable of exec is too long, or that all together are: execve(2)."""
    part = faulty.parts.get(EXCESS, b"")
    if len(part) < EXCESS_LAYOUT.size:
        return ""
    place, number, size, limit = EXCESS_LAYOUT.unpack_from(part)
    if place == ExcessPlace.ALL:
        what = f"the {number} arguments and variables" if number else "the arguments and variables"
        much = f"have {size} bytes with their pointers, more" if number else "have more bytes"
        return f"{what} {much} than {limit} (a quarter of RLIMIT_STACK, 128 KiB to 6 MiB)"
    name, is_whole, _ = part[EXCESS_LAYOUT.size :].partition(b"=")
    which = f"argument {number}" if place == ExcessPlace.ARGUMENT else f"variable {number}"
    if place == ExcessPlace.VARIABLE and is_whole:
        which = f"the variable {os.fsdecode(name)}"
    return f"{which} has {size} bytes, more than {limit}"


def _grouped(faulty: Faulty) -> str:
    """Say why a process does not come into a process group: setpgid() in kernel/sys.c."""
    pid, group = signed(faulty.record.arg1), signed(faulty.record.arg2)
    found = [SESSION.search(status) for status in faulty.record.all_parts(STATUS)]
    if faulty.op != "setpgid" or not all(found) or len(found) != 1 + bool(pid):
        return ""
    (process, session), (_, own) = (each.groups() for each in (found[0], found[-1]) if each)
    if session != own:
        return f"process {pid} is of another session"
    if process == session:
        return "the process leads a session"
    return f"its session has no process group {group}"


def _traces_itself(faulty: Faulty) -> str:
    record = faulty.record
    itself = faulty.op == "ptrace" and record.arg1 in ATTACHES and record.arg2 & INT == record.pid
    return "a process cannot trace itself" if itself else ""


def _too_long(faulty: Faulty) -> str:
    """Say that a path is too long, or a name in it; symlink's first one is just text."""
    for kind in (PATH, PATH2):
        path = faulty.parts.get(kind, b"")
        if len(path) > MOST_PATH:
            return f"the path is longer than {MOST_PATH} bytes"
        is_text = kind == PATH and faulty.op.startswith("symlink")
        if not is_text and max(map(len, path.split(b"/"))) > MOST_NAME:
            return f"a name in the path is longer than {MOST_NAME} bytes"
    return ""


def _ends_in_slash(faulty: Faulty) -> str:
    """Say why open(2) makes no file: what ends so is the name of a folder."""
    makes = faulty.op in OPENS and open_flags(faulty.record, faulty.parts, faulty.op) & os.O_CREAT
    ends = faulty.parts.get(PATH, b"").endswith(b"/")
    return "the path ends in /, and O_CREAT makes no folder" if makes and ends else ""


BY_ERROR: dict[int, tuple[Fault, ...]] = {
    errno.EBADF: (_no_pidfd, _not_open, _beyond_limit, _opened_for),
    errno.EACCES: (_of_mapping, _is_folder, _queue_name),
    errno.EPERM: (_is_folder, _no_attributes, _grouped, _traces_itself),
    errno.E2BIG: (_excess,),
    errno.ENAMETOOLONG: (_too_long,),
    errno.EBUSY: (_last_name,),
    errno.ENOEXEC: (_no_interpreter,),
    errno.ELOOP: (_circle,),
    errno.EAGAIN: (_leased,),
    errno.EINVAL: (_specific, _unnamed, _usual),
    errno.EOPNOTSUPP: (_operation,),
    errno.EXDEV: (_two_mounts,),
    errno.ENXIO: (_other_end,),
    errno.ECONNREFUSED: (_no_socket,),
    errno.EISDIR: (_ends_in_slash,),
}
"""What can be wrong if a call failed with an error, in the order in which it is asked."""
