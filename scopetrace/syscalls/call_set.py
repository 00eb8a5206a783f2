"""Which system calls a text means: `all`, names, classes, regular expressions, exceptions.

The rule: terms are separated by commas and taken from left to right. A name, a `%class` or a
`/regex` adds calls, with `!` before it removes them; a set that begins with `!` begins with all.
Classes are those of strace(1). Those that follow from what the arguments are (`%file`, `%desc`) are
found in the table, the others are lists of names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from scopetrace.model.nearest import did_you_mean
from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.copies import plan
from scopetrace.syscalls.rows import Row, rows

ALL = "all"
NUMBERS = 1024
"""Numbers of calls are below this (ABI_NUMBERS)."""
NOT_RECORDED = 255
REGISTERS = 6
"""Arguments that are kept of a call that the table lacks."""

NETWORK = (
    "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg"
    " recvmmsg_time64 recvmsg send sendfile sendfile64 sendmmsg sendmsg sendto setsockopt shutdown"
    " socket socketcall socketpair"
)
PROCESS = (
    "clone clone3 execve execveat exit exit_group fork kill pidfd_open pidfd_send_signal"
    " process_madvise process_mrelease rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill vfork wait4"
    " waitid waitpid"
)
MEMORY = (
    "brk cachestat get_mempolicy madvise mbind map_shadow_stack migrate_pages mincore mlock mlock2"
    " mlockall mmap mmap2 move_pages mprotect mremap msync munlock munlockall munmap"
    " pkey_mprotect process_madvise remap_file_pages set_mempolicy set_mempolicy_home_node"
)
SIGNAL = (
    "kill pause pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo"
    " rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sgetmask"
    " sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend"
    " ssetmask tgkill tkill"
)
IPC = (
    "ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl"
    " shmdt shmget"
)
CREDS = (
    "capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid"
    " setgid setgroups setregid setresgid setresuid setreuid setuid"
)
CLOCK = (
    "adjtimex clock_adjtime clock_getres clock_gettime clock_settime gettimeofday settimeofday"
    " stime time"
)
TIME = (
    f"{CLOCK} alarm clock_nanosleep getitimer nanosleep setitimer timer_create timer_delete"
    " timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime"
    " times"
)
PURE = (
    "getegid geteuid getgid getpgid getpgrp getpid getppid getsid gettid getuid get_robust_list"
    " get_thread_area"
)
STAT = (
    "stat stat64 oldstat lstat lstat64 oldlstat fstat fstat64 oldfstat fstatat64 newfstatat statx"
)
STATFS = "statfs statfs64 fstatfs fstatfs64 ustat"

LISTED = {
    "network": NETWORK,
    "net": NETWORK,
    "process": PROCESS,
    "memory": MEMORY,
    "signal": SIGNAL,
    "ipc": IPC,
    "creds": CREDS,
    "clock": CLOCK,
    "time": TIME,
    "pure": PURE,
    "stat": STAT,
    "statfs": STATFS,
}
"""Class → names of its calls, also of those that only some ABI has."""
PATH_KINDS = ("path", "outpath")
FD_KINDS = ("fd", "dirfd")


class UnknownCall(ValueError):
    """A term of a set means no call; the message is one sentence."""


def _takes(row: Row, kinds: tuple[str, ...]) -> bool:
    return row.result.name in kinds or any(each.kind.name in kinds for each in row.arguments)


BY_ARGUMENTS: dict[str, Callable[[Row], bool]] = {
    "file": lambda row: _takes(row, PATH_KINDS),
    "desc": lambda row: _takes(row, FD_KINDS),
}
"""Class → whether a call is in it."""
CLASSES = (*BY_ARGUMENTS, *LISTED)


@cache
def call_names() -> frozenset[str]:
    """Return the names of all calls of the table."""
    return frozenset(row.name for row in rows())


def _of_class(name: str) -> set[str]:
    if name in BY_ARGUMENTS:
        return {row.name for row in rows() if BY_ARGUMENTS[name](row)}
    if name in LISTED:
        return set(LISTED[name].split()) & call_names()
    known = ", ".join(f"%{each}" for each in CLASSES)
    raise UnknownCall(f"there is no class of calls %{name}: there are {known}")


def _matching(pattern: str) -> set[str]:
    try:
        found = {name for name in call_names() if re.search(pattern, name)}
    except re.error as error:
        raise UnknownCall(f"/{pattern} is no regular expression: {error}") from None
    if not found:
        raise UnknownCall(f"no system call matches /{pattern}")
    return found


def _meant(term: str) -> set[str]:
    if term == ALL:
        return set(call_names())
    if term.startswith("%"):
        return _of_class(term[1:])
    if term.startswith("/"):
        return _matching(term[1:])
    if term not in call_names():
        raise UnknownCall(f"there is no system call {term}{did_you_mean(term, call_names())}")
    return {term}


def parse_call_set(text: str) -> frozenset[str]:
    """Return the names of the calls that a text means: `openat,%network,!close`.

    Raises:
        UnknownCall: a term means no call, or nothing is left.
    """
    found: set[str] = set()
    for position, term in enumerate(each.strip() for each in text.split(",")):
        if term.startswith("!"):
            found = set(call_names()) if position == 0 else found
            found -= _meant(term[1:])
        else:
            found |= _meant(term)
    if not found:
        raise UnknownCall(f"{text} means no system call")
    return frozenset(found)


class WholeCalls(NamedTuple):
    """Which calls the engine records whole, as it takes it."""

    arguments: bytes
    """Of each number of each ABI (`NUMBERS` each): how many arguments the call has, or
    `NOT_RECORDED`."""
    others: bool
    """Whether calls that the table lacks are recorded too."""
    copies: bytes
    """`copies.plan()`."""
    snaplen: int
    """Most bytes that are copied of one buffer."""


def _numbers(row: Row) -> Iterator[int]:
    """Yield the places of a call in `WholeCalls.arguments`."""
    for abi in Abi:
        number = row.numbers[abi]
        if number is not None:
            yield abi * NUMBERS + number


def whole_calls(text: str, snaplen: int, environment: bool = False) -> WholeCalls | None:
    """Return what the engine needs to record a set of calls; None for an empty text.

    Args:
        text: the set.
        snaplen: most bytes that are copied of one buffer.
        environment: also copy the variables that an exec passes, not only how many there are.

    Raises:
        UnknownCall: the text is no set of calls.
    """
    if not text:
        return None
    names = parse_call_set(text)
    others = text.split(",")[0].strip() == ALL or text.startswith("!")
    arguments = bytearray([REGISTERS if others else NOT_RECORDED]) * (len(Abi) * NUMBERS)
    for row in rows():
        for place in _numbers(row):
            arguments[place] = len(row.arguments) if row.name in names else NOT_RECORDED
    return WholeCalls(bytes(arguments), others, plan(environment), snaplen)
