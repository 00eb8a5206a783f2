"""Print on the program's standard error, from the recorder, which has none.

The recorder must not keep the program's standard error open: a reader that waits for the end of
that pipe would wait for the recorder. It remembers which file it was, and opens it for one write.
The exceptions are `run --summary` and `--report`: their reader has to wait for the end of the
program, so a copy is kept until then (`kept`, `release`).
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from scopetrace import _engine
from scopetrace.model.shown import stderr_line

_LOWEST_COPY = 3
"""The copy that is kept is none of the standard streams."""
_PATIENCE_S = 2.0
"""How long to wait for a reader that does not read, or a terminal that was stopped (Ctrl-S)."""


class ProgramStderr:
    """The file that was standard error when scopetrace was started."""

    def __init__(self) -> None:
        """Remember the file (as /proc/self/fd/2 names it); called before fd 2 is closed."""
        self._link = _link(Path("/proc/self/fd/2"))
        self.terminal = _terminal(2)
        """The device number of that terminal; 0: it is none."""
        self.has_stdout = _link(Path("/proc/self/fd/1")) == self._link
        """Whether standard output is the same file."""
        self.is_piped_on = _is_piped(1)
        """Whether standard output is a pipe or a socket: its reader may use the terminal, too."""
        self.kept = _copy(2)
        """A copy of the descriptor, until `release`; None: there is none."""

    def release(self) -> None:
        """Close the copy of the descriptor."""
        kept, self.kept = self.kept, None
        if kept is not None:
            os.close(kept)

    def print(self, sentence: str, pid: int) -> None:
        """Write a sentence to that file; see `write`."""
        self.write(stderr_line(sentence).encode(), pid)

    def write(self, text: bytes, pid: int) -> None:
        """Write to that file, if it can still be opened: through `pid`, or by its name.

        All fds of the program are searched for it, since a program may redirect its standard error
        for a moment, as shells do. If the program has ended, those of its parent are searched: it
        may have passed its own standard error on, or read from the other end of the pipe.
        """
        for open_file in self._openers(pid):
            with suppress(OSError):
                fd = open_file()
                try:
                    write_patiently(fd, text)
                finally:
                    os.close(fd)
                return

    def _openers(self, pid: int) -> Iterator[Callable[[], int]]:
        """Yield functions that open the file, the likeliest first; each returns an fd.

        1. A copy of an fd of the holder (pidfd_getfd(2)); works for a pipe of another user too.
        2. /proc/PID/fd/N of a pipe: works where the holder has only the reading end.
        3. The path, if the file has one.
        """
        for holder in (pid, _parent(pid)):
            for path in _descriptors(holder):
                if _link(path) == self._link:
                    yield partial(_engine.borrow_fd, holder, int(path.name))
                    if self._link.startswith("pipe:"):
                        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
                        yield partial(os.open, path, flags)
        if self._link.startswith("/"):
            flags = os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
            yield partial(os.open, self._link, flags)


def write_patiently(fd: int, text: bytes) -> None:
    """Write `text`, or as much of it as is taken within `_PATIENCE_S`.

    A pipe that poll(2) calls writable takes PIPE_BUF bytes without blocking.
    """
    deadline = time.monotonic() + _PATIENCE_S
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    while text and poll.poll(max(deadline - time.monotonic(), 0) * 1000):
        text = text[os.write(fd, text[: select.PIPE_BUF]) :]


def _terminal(fd: int) -> int:
    try:
        return os.fstat(fd).st_rdev if os.isatty(fd) else 0
    except OSError:
        return 0


def _is_piped(fd: int) -> bool:
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _copy(fd: int) -> int | None:
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LOWEST_COPY)
    except OSError:
        return None


def _descriptors(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return []


def _parent(pid: int) -> int:
    """Return the pid of a process's parent, also of a zombie's; 0: unknown."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.partition("\nPPid:\t")[2].partition("\n")[0] or 0)


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
