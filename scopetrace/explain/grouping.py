"""Calls grouped into acts: what a program did, for who does not know calls yet.

The rule: calls on one descriptor are one act from its opening to its closing; other calls are one
act if they are alike and no call of the thread is between them. An act is shown where it began.
Acts about files that are not the program's own, and housekeeping, are one while they follow each
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scopetrace.explain.acts import (
    COPIES,
    READS,
    WRITES,
    Act,
    FileAct,
    HousekeepingAct,
    IdentityAct,
    LookAct,
    MemoryAct,
    MissingAct,
    NoiseAct,
    SignalAct,
    SingleAct,
    StandardAct,
    StreamAct,
)
from scopetrace.explain.phrases import STANDARD
from scopetrace.explain.subject import Subject
from scopetrace.explain.values import Values
from scopetrace.syscalls.descriptors import positions, signed

MOST_PENDING = 200
"""So many acts wait for the end of one that began before them."""
NOT_THERE = ("ENOENT", "ENOTDIR")
NO_LINK = "EINVAL"
LOOKS = frozenset(
    (
        "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "access",
        "faccessat", "faccessat2", "readlink", "readlinkat",
    )
)  # fmt: skip
ATTRIBUTES = frozenset(("getxattr", "lgetxattr", "listxattr", "llistxattr"))
NO_ATTRIBUTE = ("ENODATA", "EOPNOTSUPP")
SEARCHES = LOOKS | {"open", "openat", "openat2", "execve", "statfs", "statfs64"}
ASKS = frozenset(
    ("fstat", "fstat64", "newfstatat", "fstatat64", "ioctl", "lseek", "_llseek", "fcntl")
)
"""Calls by which programs find out what their standard streams are."""
MEMORY = frozenset(("brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise"))
SIGNALS = frozenset(("rt_sigaction", "rt_sigprocmask", "sigaction", "sigprocmask", "sigaltstack"))
IDENTITY = frozenset(
    (
        "getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32", "getegid32",
        "getpid", "getppid", "gettid", "getpgrp", "getpgid", "getsid", "getgroups", "uname",
        "getresuid", "getresgid",
    )
)  # fmt: skip
OWN_IDS = frozenset(f"get{of}id{bits}" for of in ("u", "eu", "g", "eg") for bits in ("", "32"))
HOUSEKEEPING = frozenset(
    (
        "getrandom", "set_robust_list", "rseq", "set_tid_address", "arch_prctl", "futex", "sysinfo",
        "prlimit64", "getrlimit", "ugetrlimit", "sched_getaffinity", "getcpu", "membarrier",
        "set_thread_area", "sched_yield", "fadvise64",
    )
)  # fmt: skip
"""Calls that the C library and languages make for themselves."""
NOISE = (MemoryAct, HousekeepingAct)
Key = tuple[object, ...]
"""Equal for calls that can be one act of their thread."""
BY_NAME: tuple[tuple[frozenset[str], type[Act]], ...] = (
    (SIGNALS, SignalAct),
    (IDENTITY, IdentityAct),
    (HOUSEKEEPING, HousekeepingAct),
)


def _kind_of(call: Subject, is_own: Callable[[str], bool]) -> tuple[Key, type[Act]]:
    """Return which calls a call is alike to, and what they are, if it is about no open act's fd."""
    error = call.error
    if error in NOT_THERE and call.name in SEARCHES:
        return ("missing", is_own(Values(call)["path"])), MissingAct
    if call.name in ASKS and _is_about_standard(call):
        return ("standard",), StandardAct
    if (call.name in LOOKS and error in ("", NO_LINK)) or (
        call.name in ATTRIBUTES and error in ("", *NO_ATTRIBUTE)
    ):
        return ("look", is_own(Values(call)["path"])), LookAct
    return _kind_by_name(call)


def _is_about_standard(call: Subject) -> bool:
    argument = call.first("fd", "dirfd")
    return 0 <= call.number(argument) < len(STANDARD) and not call.path(call.first("path"))


def _kind_by_name(call: Subject) -> tuple[Key, type[Act]]:
    if call.name in MEMORY and call.number("fd") <= 0:
        return ("memory",), MemoryAct
    for names, kind in BY_NAME:
        if call.name in names:
            return (kind,), kind
    if (call.name in READS or call.name in WRITES) and call.succeeded:
        return ("stream", call.name in READS, call.call.args[0]), StreamAct
    return ("single", call.made.id), SingleAct


def _origin(call: Subject) -> int:
    """Return the number of the call that opened the descriptor of a call; 0: none did."""
    made = call.made
    if call.name in COPIES and call.succeeded:
        return call.files.origins.get(call.number("oldfd"), 0)
    at = positions(call.call.abi, call.call.number)
    if at.makes_fd and call.succeeded and made.result is not None:
        return call.files.origins.get(made.result, 0)
    fds = [fd for place in at.fds if (fd := signed(call.call.args[place])) >= len(STANDARD)]
    return call.files.origins.get(fds[0], 0) if len(fds) == 1 else 0


def _is_sought(call: Subject, kind: type[Act], act: Act) -> bool:
    """Return whether an act is a search for the file of a call: where it is not, then where it is.

    A shell then asks whether it may execute that, and for its own user and group.
    """
    if not isinstance(act, MissingAct):
        return False
    if act.found:
        return call.name in OWN_IDS or (kind is LookAct and Values(call)["path"] == act.found)
    if kind not in (MissingAct, LookAct):
        return False
    name = Values(call)["path"].rpartition("/")[2]
    sought = [path.rpartition("/")[2] for path in act.paths]
    if kind is MissingAct:
        return sought[-1] == name
    return call.succeeded and {*sought} == {name}


class Acts:
    """Groups calls into acts.

    Args:
        is_own: whether a path is of the program itself, not of the system or the language.
    """

    def __init__(self, is_own: Callable[[str], bool]) -> None:
        self._is_own = is_own
        self._pending: list[Act] = []
        self._open: dict[Key, Act] = {}
        self._last: dict[int, tuple[Key, Act]] = {}
        """Thread → key and act of its last call."""
        self._noise: NoiseAct | None = None
        self._asked: set[tuple[int, str]] = set()
        """Processes, and the files that they asked about in an act that was shown."""
        self._questions: dict[int, set[str]] = {}
        """Process → what it asked or set (`Act.question`) in an act that was shown."""
        self._asides: dict[int, NoiseAct] = {}
        """Process → calls that say nothing new, for the act behind them."""

    def take(self, call: Subject) -> Iterator[Act]:
        """Take the next call; yield the acts that are complete now."""
        key, kind = self._kind(call)
        act = self._act(call, key) or self._begin(kind(call.made))
        act.add(call)
        if isinstance(act, MissingAct) and act.found:
            key = ("found", act.found)
        self._last[call.made.tid] = key, act
        if act.is_open:
            self._open[key] = act
        else:
            self._open.pop(key, None)
        yield from self._complete()

    def end(self) -> Iterator[Act]:
        """Yield the acts that are left, as before a signal or at the end."""
        self._open.clear()
        self._last.clear()
        yield from self._complete()
        yield from self._end_noise()
        yield from self._asides.values()
        self._asides.clear()

    def _kind(self, call: Subject) -> tuple[Key, type[Act]]:
        origin = _origin(call)
        key: Key = ("file", call.made.pid, origin)
        if origin and (origin == call.made.id or key in self._open):
            return key, FileAct
        key, kind = _kind_of(call, self._is_own)
        last = self._last.get(call.made.tid)
        return (last[0] if last and _is_sought(call, kind, last[1]) else key), kind

    def _act(self, call: Subject, key: Key) -> Act | None:
        """Return the act that a call belongs to; None: it begins one."""
        if key in self._open:
            return self._open[key]
        last = self._last.get(call.made.tid)
        return last[1] if last and last[0] == key else None

    def _begin(self, act: Act) -> Act:
        self._pending.append(act)
        return act

    def _complete(self) -> Iterator[Act]:
        """Yield the first acts, as far as no call will follow."""
        while self._pending and (
            len(self._pending) > MOST_PENDING or not self._waits(self._pending[0])
        ):
            act = self._pending.pop(0)
            self._open = {key: found for key, found in self._open.items() if found is not act}
            self._last = {tid: last for tid, last in self._last.items() if last[1] is not act}
            yield from self._without_noise(act)

    def _waits(self, act: Act) -> bool:
        last = self._last.get(act.first.tid)
        return (last is not None and last[1] is act) or (
            act.is_open and any(found is act for found in self._open.values())
        )

    def _without_noise(self, act: Act) -> Iterator[Act]:
        """Yield an act, or keep it if it is noise that others may follow."""
        is_again = self._is_asked_again(act)
        if self._noise is not None and self._noise.first.pid == act.first.pid and is_again:
            self._noise.pass_over(act)
        elif not self._is_noise(act):
            if self._says_nothing(act):
                self._put_aside(act)
                return
            yield from self._end_noise()
            yield self._with_asides(act)
        elif self._noise is not None and self._noise.first.pid == act.first.pid:
            self._noise.merge(act)
        else:
            yield from self._end_noise()
            self._noise = NoiseAct(act)

    def _end_noise(self) -> Iterator[Act]:
        noise, self._noise = self._noise, None
        if noise is not None and noise.is_idle():
            self._put_aside(noise)
        elif noise is not None:
            yield self._with_asides(noise)

    def _says_nothing(self, act: Act) -> bool:
        """Return whether an act says nothing that its process has not said before."""
        if act.is_idle():
            return True
        asked, question = self._questions.setdefault(act.first.pid, set()), act.question()
        is_again = question != "" and question in asked
        asked.add(question)
        return is_again

    def _put_aside(self, act: Act) -> None:
        pid = act.first.pid
        if self._noise is not None and self._noise.first.pid == pid:
            self._noise.pass_over(act)
        elif pid in self._asides:
            self._asides[pid].pass_over(act)
        else:
            self._asides[pid] = NoiseAct(act)

    def _with_asides(self, act: Act) -> Act:
        aside = self._asides.pop(act.first.pid, None)
        if aside is not None:
            act.before = aside.names
        return act

    def _is_asked_again(self, act: Act) -> bool:
        """Return whether an act is of questions about files that were all asked before."""
        asked = {(act.first.pid, path) for path in act.paths if isinstance(act, LookAct)}
        is_again = bool(asked) and asked <= self._asked
        self._asked |= asked
        return is_again

    def _is_noise(self, act: Act) -> bool:
        if isinstance(act, NOISE):
            return True
        paths = act.paths or act.sought
        return bool(paths) and not any(map(self._is_own, paths))
