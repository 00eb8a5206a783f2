"""What fds 1 and 2 were when the session began, known again by whatever way it is reached.

A pipe, a file or a terminal may be opened once more: as /dev/stdout, by a link to that, by its own
name, by another program. It is the same if device and inode are; /dev/tty is the same as a console
whose terminal controls the process. Other devices (/dev/null) are not recognised: of them only the
fds themselves are the console.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING
from weakref import WeakSet

from scopetrace.model.open_file import CONSOLE_NAMES, OpenFile

if TYPE_CHECKING:
    from scopetrace.decode.fd_tables import FdTable
    from scopetrace.decode.tasks import Task, Tree

CONTROLLING_TERMINAL = "/dev/tty"
MEMORY_DEVICES = 1
"""The major number of /dev/null, /dev/zero and their like (MEM_MAJOR, linux/major.h)."""
OWN_FDS = {"/dev/stdin": "0", "/dev/stdout": "1", "/dev/stderr": "2"}


class Console:
    """One thing that is stdout, stderr or both."""

    __slots__ = ("holders", "names")

    def __init__(self, lasts: bool) -> None:
        self.names: list[str] = []
        self.holders: WeakSet[OpenFile] | None = None if lasts else WeakSet()
        """Of a regular file: who has it open; with the last of them its inode may be another's."""

    def is_there(self) -> bool:
        """Whether it is still what it was."""
        return self.holders is None or bool(self.holders)

    def give(self, file: OpenFile, name: str) -> None:
        """Make an open file one of this console."""
        file.console = name
        if self.holders is not None:
            self.holders.add(file)


class Consoles:
    """The consoles of a session."""

    def __init__(self) -> None:
        self._by_inode: dict[tuple[int, ...], Console] = {}
        self._by_terminal: dict[int, Console] = {}

    def add(self, file: OpenFile, name: str) -> None:
        """Note that an open file is a console of the session."""
        file.console = name
        status = file.stat
        if status is None or not _can_be_reached(status.mode, status.rdev):
            return
        console = self._find(file)
        if console is None:
            console = Console(lasts=not stat.S_ISREG(status.mode))
        if not _is_controlling(file):
            self._by_inode[status[:2]] = console
        if stat.S_ISCHR(status.mode):
            self._by_terminal[status.rdev] = console
        console.names.append(name)
        console.give(file, name)

    def recognise(self, file: OpenFile, name: str = "") -> None:
        """Call an open file what it is if it is a console; `name` is how it was asked for."""
        console = self._find(file)
        if console is not None and console.is_there():
            console.give(file, name if name in console.names else console.names[0])

    def recognise_opened(self, file: OpenFile, task: Task, tree: Tree) -> None:
        """As `recognise`, of a file that was opened by its name."""
        self.recognise(file)
        if file.console:
            self.recognise(file, _asked_for(file.passed, task, tree))

    def _find(self, file: OpenFile) -> Console | None:
        if file.stat is None:
            return None
        if _is_controlling(file):
            return self._by_terminal.get(file.stat.rdev)
        return self._by_inode.get(file.stat[:2])


def _is_controlling(file: OpenFile) -> bool:
    """Whether a file is /dev/tty: one inode, and as many terminals as there are sessions."""
    return file.path.endswith(CONTROLLING_TERMINAL)


def _can_be_reached(mode: int, rdev: int) -> bool:
    if stat.S_ISCHR(mode):
        return os.major(rdev) != MEMORY_DEVICES
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode)


def _asked_for(passed: str, task: Task, tree: Tree) -> str:
    """Return what the fd is called that a name such as /dev/stderr or /proc/PID/fd/2 is about."""
    folder, _, number = passed.rpartition("/")
    number = OWN_FDS.get(passed, number)
    if not number.isdecimal() or not (passed in OWN_FDS or folder.endswith("/fd")):
        return ""
    table = _table_of(folder, task, tree)
    file = table.fds.get(int(number))
    return (file.console if file is not None else "") or CONSOLE_NAMES.get(int(number), "")


def _table_of(folder: str, task: Task, tree: Tree) -> FdTable:
    """Return whose fds a folder such as /proc/PID/fd lists; of all others, the task's own."""
    names = folder.split("/")
    pid = names[2] if len(names) > 2 and names[1] == "proc" else ""
    other = tree.tasks.get(int(pid)) if pid.isdecimal() else None
    return task.table if other is None else other.table
