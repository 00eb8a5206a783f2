"""What open files are called, as that changes while they are open.

The engine says when the kernel has another name for a file than before (RAW_FD, `Seen.RENAMED`).
Of one kind of file the kernel never says the name: what was opened with O_TMPFILE has none, and the
one that linkat(2) gives it later is not the one by which it is open. So that name is remembered
here, and changed by the renames that are seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from scopetrace.decode.paths import DELETED, text
from scopetrace.decode.state import FD, NAME, PATH, Names, Parts, State
from scopetrace.decode.tasks import Task
from scopetrace.model.open_file import OpenFile
from scopetrace.model.operation import Renamed
from scopetrace.model.raw import RawRecord

RENAME_EXCHANGE = 2
"""A flag of renameat2(2): both names stay, and what they mean is swapped."""


def take_name(known: OpenFile, found: OpenFile, link: str) -> None:
    """Call a file as the kernel's link does; one that has no name any more keeps its last."""
    if found.named and not known.given and not link.endswith(DELETED):
        _call(known, found.path)


def renamed(state: State, task: Task, known: OpenFile, found: OpenFile, record: RawRecord) -> None:
    """A file is called otherwise now: what is told of it from here on is under that name."""
    if not known.given:
        _call(known, found.path)
    _tell(state, task, known, record)


def _call(file: OpenFile, name: str) -> None:
    """Give a file another name: the one that it was opened by is its name no more."""
    if name != file.path:
        file.passed = name if file.passed else ""
        file.path = name


def _tell(state: State, task: Task, file: OpenFile, record: RawRecord) -> None:
    time_ns = record.entered_ns + state.offset_ns
    usage = task.table.usages.get(file)
    state.emit(Renamed(task.group.image, task.tid, time_ns, file, usage))


def name_given(
    state: State, task: Task, record: RawRecord, parts: Parts, target: Names, new: Names
) -> Names:  # fmt: skip
    """Return what was linked; a file that had no name is called by its new one from here on."""
    file = _nameless(task, record, parts)
    if file is None or file.stat is None:
        return target
    target = Names(file.path, target.passed)
    _call(file, new.file)
    file.given = True
    state.given.add(file)
    _tell(state, task, file, record)
    return target


def _nameless(task: Task, record: RawRecord, parts: Parts) -> OpenFile | None:
    """Return the open file without a name that linkat(2) was about, if it was about one."""
    link = text(parts.get(NAME, b""))
    if not parts.get(PATH):
        files: Iterator[OpenFile] = filter(None, [task.table.fds.get(record.arg1 & FD)])
    elif link.endswith(DELETED):
        name = link.removesuffix(DELETED)
        files = (file for file in task.table.fds.values() if file.path == name)
    else:
        return None
    return next((f for f in files if not f.given and f.stat is not None and not f.stat.links), None)


def path_renamed(state: State, record: RawRecord, old: str, new: str, flags: int) -> None:
    """Change the names that were given to what was renamed, or is in a folder that was."""
    for file in list(state.given):
        name = _moved(file.path, old, new)
        if not name and flags & RENAME_EXCHANGE:
            name = _moved(file.path, new, old)
        if name:
            _call(file, name)
            _tell_all(state, file, record)


def _tell_all(state: State, file: OpenFile, record: RawRecord) -> None:
    """Tell each process that has used a file of its new name."""
    tables = set()
    for task in state.tree.tasks.values():
        if task.table not in tables and file in task.table.usages:
            tables.add(task.table)
            _tell(state, task, file, record)


def _moved(path: str, old: str, new: str) -> str:
    """Return what a path is after a rename; empty if that does not concern it."""
    if path == old or path.startswith(old + "/"):
        return new + path[len(old) :]
    return ""
