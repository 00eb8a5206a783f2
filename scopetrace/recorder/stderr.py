"""One sentence to the terminal, from a process that has none.

A recorder must not hold the program's standard error open: whoever waits for the end of that stream
would wait for the recorder. So it remembers what the stream was, and opens it anew for a moment.
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
    """Where this process's standard error goes now."""

    def __init__(self) -> None:
        """Remember it, before it is let go."""
        self._link = _link(Path("/proc/self/fd/2"))

    def print(self, sentence: str, pid: int) -> None:
        """Write `sentence` there, if the stream can still be reached: through `pid`, or by name.

        The program may have redirected its own standard error for a moment, as shells do, so the
        stream is looked for among all its descriptors; and if it has ended by now, among those of
        whoever started it, who may well have handed it on, or hold the other end of a pipe.
        """
        line = stderr_line(sentence).encode()
        for open_stream in self._ways(pid):
            with suppress(OSError):
                stream = open_stream()
                try:
                    os.write(stream, line)
                finally:
                    os.close(stream)
                return

    def _ways(self, pid: int) -> Iterator[Callable[[], int]]:
        """Yield what opens the stream, the likeliest first.

        Of a pipe a process may have the reading end only, which can be opened for writing; but a
        pipe of another user, which the program was handed, can only be borrowed.
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
    """Return who started a process, even one that has ended and was not waited for; 0: unknown."""
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
