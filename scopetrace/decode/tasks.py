"""The process tree: which task runs which program, in which folders, with which table of fds.

A task is a thread. What tasks can share (clone(2)) is an object of its own: the thread group, the
table of fds, the pair of folders. A task whose birth was not recorded is adopted with its first
record. Tasks that have exited are forgotten.
"""

from __future__ import annotations

from scopetrace.decode.fd_tables import FdTable
from scopetrace.model.image import Image

CLONE_FS = 0x200
CLONE_FILES = 0x400
CLONE_VFORK = 0x4000
CLONE_PARENT = 0x8000
CLONE_NEWNS = 0x20000
CLONE_NEWUSER = 0x10000000
UNSHARES_FS = CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER
"""Each of these gives a task its own folders (unshare(2))."""

EXIT_SIGNAL = 0xFF
"""The bits of clone's flags that hold the signal for the parent."""
CHILD_TID_FLAGS = 0x01000000 | 0x00200000
"""CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID: how the C library forks."""

MOST_ANCESTORS = 64
"""A chain of daemons can be endless; a filter on ancestors looks this far."""


class Folders:
    """A task's working directory and root, as the kernel names them; empty `cwd`: not known."""

    __slots__ = ("cwd", "root")

    def __init__(self, cwd: str = "", root: str = "/") -> None:
        self.cwd = cwd
        self.root = root

    def copy(self) -> Folders:
        """Return folders of its own for a task."""
        return Folders(self.cwd, self.root)


class ThreadGroup:
    """A process, whatever program it runs."""

    __slots__ = (
        *("image", "pid", "pid_namespaces", "process_group", "started_ns", "tids"),
        "uring_noticed",
    )

    def __init__(self, pid: int, image: Image, started_ns: int) -> None:
        self.pid = pid
        self.process_group = 0
        """Its id, as the recorder sees it; 0: not known."""
        self.image = image
        self.started_ns = started_ns
        self.tids: set[int] = set()
        self.pid_namespaces: tuple[int, ...] = ()
        """Inodes of those below the recorder's that it is in; the last is its own."""
        self.uring_noticed: Image | None = None
        """The image of which a notice says that it uses io_uring."""


class Task:
    """A thread."""

    __slots__ = ("folders", "group", "table", "tid")

    def __init__(self, tid: int, group: ThreadGroup, table: FdTable, folders: Folders) -> None:
        self.tid = tid
        self.group = group
        self.table = table
        self.folders = folders
        group.tids.add(tid)


class Tree:
    """All live tasks."""

    def __init__(self) -> None:
        self.tasks: dict[int, Task] = {}
        self.groups: dict[int, ThreadGroup] = {}
        self.images = 0
        """Serial of the last image."""

    def adopt(self, pid: int, tid: int, time_ns: int) -> tuple[Task, bool]:
        """Add a task whose birth was not recorded; return whether its process is new as well."""
        group = self.groups.get(pid)
        if group is None:
            image = self.new_image(pid, 0, time_ns)
            task = self._add(tid, self._new_group(pid, image), FdTable(), Folders())
            return task, True
        other = next((self.tasks[other] for other in group.tids), None)
        if other is None:
            return self._add(tid, group, FdTable(), Folders()), False
        other.table.users += 1
        return self._add(tid, group, other.table, other.folders), False

    def new_image(self, pid: int, ppid: int, time_ns: int) -> Image:
        """Return an image with the next serial."""
        self.images += 1
        return Image(self.images, pid, ppid, time_ns)

    def clone(self, parent: Task, pid: int, tid: int, flags: int, time_ns: int) -> Task:
        """Add the task that clone(2) made; its group is the parent's, or a new one."""
        table, folders = parent.table, parent.folders
        if flags & CLONE_FILES:
            table.users += 1
        else:
            table = table.copy()
        if not flags & CLONE_FS:
            folders = folders.copy()
        group = parent.group
        if pid != group.pid:
            group = self._new_group(pid, self._inherited(group.image, pid, flags, time_ns))
            group.process_group = parent.group.process_group
        return self._add(tid, group, table, folders)

    def unshare(self, task: Task, flags: int) -> None:
        """Give a task its own table or folders."""
        if flags & CLONE_FILES and task.table.users > 1:
            task.table.users -= 1
            task.table = task.table.copy()
        if flags & UNSHARES_FS:
            task.folders = task.folders.copy()

    def remove(self, task: Task) -> bool:
        """Forget a task; return whether it was the last that used its table."""
        del self.tasks[task.tid]
        group = task.group
        group.tids.discard(task.tid)
        if not group.tids and self.groups.get(group.pid) is group:
            del self.groups[group.pid]
        task.table.users -= 1
        return task.table.users == 0

    def rename(self, task: Task, tid: int) -> None:
        """Give a task the number of its leader, as an exec does."""
        del self.tasks[task.tid]
        task.group.tids.discard(task.tid)
        task.tid = tid
        self.tasks[tid] = task
        task.group.tids.add(tid)

    def _add(self, tid: int, group: ThreadGroup, table: FdTable, folders: Folders) -> Task:
        task = self.tasks[tid] = Task(tid, group, table, folders)
        return task

    def _new_group(self, pid: int, image: Image) -> ThreadGroup:
        group = self.groups[pid] = ThreadGroup(pid, image, image.started_ns)
        return group

    def changed(self, old: Image, time_ns: int) -> Image:
        """Return a new image of a process that remains what it was but for its user."""
        image = self.new_image(old.pid, old.ppid, time_ns)
        image.parent = old.id
        image.ancestors = old.ancestors
        image.inherit(old)
        return image

    def _inherited(self, parent: Image, pid: int, flags: int, time_ns: int) -> Image:
        """Return the image of a forked child: its parent's facts until it execs."""
        ppid = parent.ppid if flags & CLONE_PARENT else parent.pid
        image = self.new_image(pid, ppid, time_ns)
        image.parent = parent.id
        image.ancestors = (parent.proc, *parent.ancestors)[:MOST_ANCESTORS]
        image.inherit(parent)
        return image


def fork_name(flags: int) -> str:
    """Return which of the calls that make processes such flags amount to (clone(2))."""
    if flags & CLONE_VFORK:
        return "vfork"
    return "fork" if flags & ~EXIT_SIGNAL & ~CHILD_TID_FLAGS == 0 else "clone"
