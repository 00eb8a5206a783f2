"""Print a sentence on the program's standard error, from the recorder, which has none.

The recorder must not keep the program's standard error open: a reader that waits for the end of
that pipe would wait for the recorder. It remembers which file it was, and opens it for one write.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from scopetrace import _engine
from scopetrace.model.shown import stderr_line


class ProgramStderr:
    """The file that was standard error when scopetrace was started."""

    def __init__(self) -> None:
        """Remember the file (as /proc/self/fd/2 names it); called before fd 2 is closed."""
        self._link = _link(Path("/proc/self/fd/2"))

    def print(self, sentence: str, pid: int) -> None:
        """Write `sentence` to that file, if it can still be opened: through `pid`, or by its name.

        All fds of the program are searched for it, since a program may redirect its standard error
        for a moment, as shells do. If the program has ended, those of its parent are searched: it
        may have passed its own standard error on, or read from the other end of the pipe.
        """
        line = stderr_line(sentence).encode()
        for open_file in self._openers(pid):
            with suppress(OSError):
                fd = open_file()
                try:
                    os.write(fd, line)
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
