"""System calls as lines, in strace's form, with what may stand before and behind them.

The line itself is `syscalls.render`. Lines of calls that are the same in all numbers and bytes are
made once: a program repeats itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    of_cpu = "/glibc-hwcaps/" in path  # libraries for newer CPUs: the loader asks for the folders
    return of_cpu or path.startswith(LIBRARY_FILES) or name.endswith(".so") or ".so." in name


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


class Folded:
    """Calls of a start-up, which one line stands for.

    Args:
        first: the first row.
        files: the descriptors of its process.
        is_loader: False: they are of scripts that stand before the program, and of what these
            started.
    """

    def __init__(self, first: Recorded, files: Files, is_loader: bool) -> None:
        self.first = first
        self.files = files
        self.is_loader = is_loader
        self._calls = self._spent_ns = self._ended_ns = 0
        self._pids: set[int] = set()

    def add(self, made: Recorded) -> None:
        """Take a row, also the first one."""
        self._calls += made.is_call
        self._spent_ns += made.duration_ns
        self._ended_ns = max(self._ended_ns, made.time_ns + made.duration_ns)
        self._pids.add(made.pid)

    @property
    def text(self) -> str:
        """How many calls they are, and how long they took."""
        if self.is_loader:
            took_ns, whose = self._spent_ns, "the loader"
        else:
            took_ns = self._ended_ns - self.first.time_ns
            processes = number_of(len(self._pids), "process")
            whose = f"{processes} that looked for the program and started it"
        took = format_microseconds(took_ns // 1000)
        return f"{number_of(self._calls, 'call')} of {whose}, {took} (-A shows them)"


Shown = tuple[Recorded, Files, Folded | None]
"""A call that is shown; or the first of a start-up, which is shown in place of all of it."""


class StartUps:
    """Folds calls that are made before a program's own code begins.

    Args:
        images: process images that belong to the start-up (`Session.start_up_images`).
    """

    def __init__(self, images: frozenset[int]) -> None:
        self._images = images
        self._of_scripts: Folded | None = None
        """The last rows, if they are of these images."""
        self._of_loader: dict[int, Folded | None] = {}
        """Pid → the calls since its exec, while it starts."""

    def take(self, made: Recorded, files: Files) -> Iterator[Shown]:
        """Yield what is shown now."""
        if made.process in self._images:
            self._of_scripts = self._of_scripts or Folded(made, files, False)
            self._of_scripts.add(made)
            return
        yield from self.end()
        if made.pid in self._of_loader and made.is_call and is_start_up(made, files):
            of_loader = self._of_loader[made.pid] or Folded(made, files, True)
            of_loader.add(made)
            self._of_loader[made.pid] = of_loader
            return
        yield from _in_place(self._of_loader.pop(made.pid, None))
        if made.name in EXECS and made.result == 0:
            self._of_loader[made.pid] = None
        yield made, files, None

    def end(self) -> Iterator[Shown]:
        """Yield what stands for the last rows, if they are of scripts."""
        yield from _in_place(self._of_scripts)
        self._of_scripts = None


def _in_place(start_up: Folded | None) -> Iterator[Shown]:
    if start_up is not None:
        yield start_up.first, start_up.files, start_up


def folded_lines(
    rows: Iterable[tuple[Recorded, Files]], lines: CallLines, fold: frozenset[int] | None
) -> Iterator[str]:
    """Yield the lines of calls.

    Args:
        rows: the calls, with the descriptors of their processes.
        lines: makes the lines.
        fold: start-ups are one line each, those of these process images, too; None: they are not.
    """
    for made, files, start_up in folded(rows, fold):
        if start_up:
            yield f"{lines.before(made)}… {start_up.text}"
        else:
            yield lines.line(made, files)


def folded(rows: Iterable[tuple[Recorded, Files]], fold: frozenset[int] | None) -> Iterator[Shown]:
    """Yield the calls that are shown, and in place of a start-up its first call and all of them.

    Args:
        rows: the calls, with the descriptors of their processes.
        fold: start-ups are one line each, those of these process images, too; None: they are not.
    """
    if fold is None:
        yield from ((made, files, None) for made, files in rows)
        return
    start_ups = StartUps(fold)
    for made, files in rows:
        yield from start_ups.take(made, files)
    yield from start_ups.end()
