"""System calls as lines, in strace's form, with what may stand before and behind them.

The line itself is `syscalls.render`. Lines of calls that are the same in all numbers and bytes are
made once: a program repeats itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from scopetrace.model.counts import number_of
from scopetrace.model.whole_call import END, SIGNAL
from scopetrace.output.event_times import EventTimes
from scopetrace.output.syscall_signals import end_line, signal_line
from scopetrace.output.units import format_microseconds
from scopetrace.syscalls.descriptors import Files, path_of, positions, signed
from scopetrace.syscalls.packed import unpack_signal
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.render import render

MOST_CACHED = 4096
NO_FILES = Files()

START_UP = frozenset(
    (
        "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "mprotect", "munmap",
        "mmap", "mmap2", "prlimit64", "ugetrlimit", "getrandom", "set_thread_area", "readlink",
        "readlinkat", "futex",
    )
)  # fmt: skip
"""Calls of the loader and of the start of the C library, whatever their arguments are."""
OF_LIBRARIES = frozenset(
    (
        "access", "open", "openat", "read", "pread64", "fstat", "fstat64", "stat", "stat64",
        "newfstatat", "fstatat64", "statx", "close", "_llseek", "lseek",
    )
)  # fmt: skip
"""Calls that belong to it if they are about a library, or the loader's own files."""
LIBRARY_FILES = (
    "/etc/ld.so.",
    "/usr/lib/locale/",
    "/usr/share/locale/",
    "/usr/lib/x86_64-linux-gnu/gconv/",
)
"""How files begin that the loader and the C library read for themselves."""
EXECS = ("execve", "execveat")


class LineOptions(NamedTuple):
    """How lines look."""

    strings: int = 32
    """Bytes of a string that are shown."""
    verbose: bool = False
    fd_names: bool = True
    """Whether descriptors are shown with what they are."""
    pids: bool = False
    """Whether each line begins with the thread."""
    duration: bool = False
    """Whether each line ends with how long the call took."""
    times: EventTimes | None = None


class CallLines:
    """Makes the lines of calls."""

    def __init__(self, options: LineOptions) -> None:
        self._options = options
        self._cache: dict[tuple[Any, ...], str] = {}

    def text(self, made: Recorded, files: Files = NO_FILES) -> str:
        """Return a call as strace prints it, without anything before or behind it."""
        if not made.is_call:
            return _between(made)
        uses_fds = self._options.fd_names and self._uses_fds(made)
        version = (id(files), files.version) if uses_fds else None
        key = (made.abi, made.number, made.result, made.data, version)
        line = self._cache.get(key)
        if line is None:
            if len(self._cache) >= MOST_CACHED:
                self._cache.clear()
            line = self._cache[key] = self._render(made, files if uses_fds else None)
        return line

    def line(self, made: Recorded, files: Files = NO_FILES) -> str:
        """Return the whole line."""
        line = self.text(made, files)
        if self._options.duration and made.is_call:
            line = f"{line} <{made.duration_ns / 1e9:.6f}>"
        return self.before(made) + line

    def before(self, made: Recorded) -> str:
        """Return what stands in front of a line: the thread and the time, if they are wanted."""
        options = self._options
        time = f"{options.times.format(made.time_ns, True)} " if options.times else ""
        return f"{made.tid:<5} {time}" if options.pids else time

    def _uses_fds(self, made: Recorded) -> bool:
        at = positions(made.abi, made.number)
        return bool(at.fds or at.makes_fd)

    def _render(self, made: Recorded, files: Files | None) -> str:
        return render(
            made.call,
            strings=self._options.strings,
            verbose=self._options.verbose,
            fd_names=files.names if files else None,
        )


def _between(made: Recorded) -> str:
    """Return the line of what is no call."""
    if made.abi == SIGNAL:
        return signal_line(unpack_signal(made.data))
    return end_line(made.result or 0) if made.abi == END else f"... row {made.id} is damaged ..."


# -- the start of a program ----------------------------------------------------------------------


def _is_library(path: str) -> bool:
    name = path.rpartition("/")[2]
    return path.startswith(LIBRARY_FILES) or name.endswith(".so") or ".so." in name


def is_start_up(made: Recorded, files: Files) -> bool:
    """Return whether a call is one that the loader makes before the program begins."""
    if made.name in START_UP:
        return True
    if made.name not in OF_LIBRARIES:
        return False
    at, call = positions(made.abi, made.number), made.call
    paths = [path_of(files, call, argument) for argument in at.paths]
    if any(paths):
        return _is_library(paths[0])
    return any(_is_library(files.names.get(signed(call.args[fd]), "")) for fd in at.fds)


class StartUps:
    """Folds the calls that a program makes before its own code begins into one line."""

    def __init__(self) -> None:
        self._folded: dict[int, list[Recorded]] = {}
        """Pid → the calls since its exec, while it starts."""

    def take(self, made: Recorded, files: Files) -> tuple[bool, list[Recorded]]:
        """Return whether a call belongs to a start-up, and the calls of one that ends with it."""
        folded = self._folded.get(made.pid)
        if folded is not None and made.is_call and is_start_up(made, files):
            folded.append(made)
            return True, []
        ended = self._folded.pop(made.pid, [])
        if made.name in EXECS and made.result == 0:
            self._folded[made.pid] = []
        return False, ended


def start_up_text(calls: Sequence[Recorded]) -> str:
    """Return what stands for the calls of a start-up."""
    took = format_microseconds(sum(made.duration_ns for made in calls) // 1000)
    return f"{number_of(len(calls), 'call')} of the loader, {took} (-A shows them)"


def folded_lines(
    rows: Iterable[tuple[Recorded, Files]], lines: CallLines, fold: bool
) -> Iterator[str]:
    """Yield the lines of calls.

    Args:
        rows: the calls, with the descriptors of their processes.
        lines: makes the lines.
        fold: start-ups are one line each.
    """
    for made, files, start_up in folded(rows, fold):
        if start_up:
            yield f"{lines.before(start_up[0])}… {start_up_text(start_up)}"
        else:
            yield lines.line(made, files)


def folded(
    rows: Iterable[tuple[Recorded, Files]], fold: bool
) -> Iterator[tuple[Recorded, Files, list[Recorded]]]:
    """Yield the calls that are shown, and in place of a start-up its first call and all of them.

    Args:
        rows: the calls, with the descriptors of their processes.
        fold: start-ups are one line each.
    """
    start_ups = StartUps()
    for made, files in rows:
        if fold:
            is_folded, start_up = start_ups.take(made, files)
            if start_up:
                yield start_up[0], files, start_up
            if is_folded:
                continue
        yield made, files, []
