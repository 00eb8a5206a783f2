"""Print system calls while they are recorded (`run --syscalls --print`), as strace does.

A line is printed when its call has returned: lines are in the order in which calls end. They go to
the copy of the program's standard error, which is kept until the program ends. As with strace, a
reader that is slow slows the program down; once the reader is gone, nothing is printed any more.
"""

from __future__ import annotations

import os
import select

from scopetrace.model.image import Image
from scopetrace.model.named import build
from scopetrace.model.whole_call import FOUND, WholeCall
from scopetrace.output.syscall_lines import CallLines, LineOptions
from scopetrace.recorder.stderr import ProgramStderr
from scopetrace.syscalls.descriptors import AFTERWARDS, Descriptors
from scopetrace.syscalls.recorded import Recorded


class LiveCalls:
    """Prints the calls of one recording.

    Args:
        stderr: where to print; nothing is printed once its copy is released.
    """

    def __init__(self, stderr: ProgramStderr) -> None:
        self._stderr = stderr
        self._lines = CallLines(LineOptions())
        self._folders: dict[int, str] = {}
        self._descriptors = Descriptors(self._folders)
        self._first_tid = 0
        self._has_threads = False
        self._waiting: list[str] = []

    def take(self, image: Image, row: WholeCall) -> None:
        """Make the line of a call; `flush` prints it."""
        self._folders.setdefault(image.pid, image.cwd)
        made = build(Recorded, (0, *row[:3], image.pid, image.proc, *row[3:]))
        is_late = made.name in AFTERWARDS
        if not is_late:
            self._descriptors.follow(made)
        if made.abi != FOUND:
            self._waiting.append(self._line(made))
        if is_late:
            self._descriptors.follow(made)

    def flush(self) -> None:
        """Print what waits."""
        lines, self._waiting = self._waiting, []
        if lines and self._stderr.kept is not None:
            text = "".join(f"{line}\n" for line in lines)
            _write(self._stderr, text.encode(errors="backslashreplace"))

    def _line(self, made: Recorded) -> str:
        self._first_tid = self._first_tid or made.tid
        self._has_threads |= made.tid != self._first_tid
        line = self._lines.line(made, self._descriptors.of(made.pid))
        return f"[pid {made.tid:5}] {line}" if self._has_threads else line


def _write(stderr: ProgramStderr, text: bytes) -> None:
    """Write all of it, as fast as it is read. Each piece is so short that it does not block."""
    poll = select.poll()
    poll.register(stderr.kept or 0, select.POLLOUT)
    try:
        while text:
            poll.poll()
            text = text[os.write(stderr.kept or 0, text[: select.PIPE_BUF]) :]
    except OSError:
        stderr.release()
