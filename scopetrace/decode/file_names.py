"""What open files are called, as that changes while they are open.

The engine says when the kernel has another name for a file than before (RAW_FD, `Seen.RENAMED`).
Of one kind of file the kernel never says the name: what was opened with O_TMPFILE has none, and the
one that linkat(2) gives it later is not the one by which it is open. So that name is remembered
here, and changed by the renames that are seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from scopetrace.decode.files import DecodedFile
from scopetrace.decode.parts import NAME, PATH, Parts
from scopetrace.decode.path_arguments import Names
from scopetrace.decode.paths import DELETED, text
from scopetrace.decode.state import INT, State
from scopetrace.decode.tasks import Task
from scopetrace.model.operation import Renamed
from scopetrace.model.raw import RawRecord


def take_link_name(known: DecodedFile, found: DecodedFile, link: str) -> None:
    """Call a file as the kernel's link does; one that has no name any more keeps its last."""
    if found.named and not known.named_by_link and not link.endswith(DELETED):
        _call(known, found.path)


def file_renamed(
    state: State, task: Task, known: DecodedFile, found: DecodedFile, record: RawRecord
) -> None:
    """Call an open file as it is called now, and emit that."""
    if not known.named_by_link:
        _call(known, found.path)
    _emit_renamed(state, task, known, record)


def _call(file: DecodedFile, name: str) -> None:
    """Give a file another name: the one that it was opened by is its name no more."""
    if name != file.path:
        file.passed = name if file.passed else ""
        file.path = name


def _emit_renamed(state: State, task: Task, file: DecodedFile, record: RawRecord) -> None:
    time_ns = record.entered_ns + state.offset_ns
    usage = task.table.usages.get(file)
    state.emit(Renamed(task.group.image, task.tid, time_ns, file, usage))


def name_linked(
    state: State, task: Task, record: RawRecord, parts: Parts, target: Names, new: Names
) -> Names:
    """Return what was linked; a file that had no name is called by its new one from here on."""
    file = _file_without_name(task, record, parts)
    if file is None or file.stat is None:
        return target
    target = Names(file.path, target.passed)
    _call(file, new.file)
    file.named_by_link = True
    state.named_by_link.add(file)
    _emit_renamed(state, task, file, record)
    return target


def _file_without_name(task: Task, record: RawRecord, parts: Parts) -> DecodedFile | None:
    """Return the open file without a name that linkat(2) was about, if it was about one.

    1. AT_EMPTY_PATH: the file of its fd. 2. /proc/self/fd/N: the kernel's name of that link.
    """
    link = text(parts.get(NAME, b""))
    if not parts.get(PATH):
        files: Iterator[DecodedFile] = filter(None, [task.table.fds.get(record.arg1 & INT)])
    elif link.endswith(DELETED):
        name = link.removesuffix(DELETED)
        files = (file for file in task.table.fds.values() if file.path == name)
    else:
        return None
    return next(filter(_has_no_name, files), None)


def _has_no_name(file: DecodedFile) -> bool:
    return not file.named_by_link and file.stat is not None and not file.stat.links


def path_renamed(state: State, record: RawRecord, old: str, new: str, exchanged: bool) -> None:
    """Change the names that linkat gave to what was renamed, or is in a folder that was."""
    for file in list(state.named_by_link):
        name = _renamed_path(file.path, old, new)
        if not name and exchanged:
            name = _renamed_path(file.path, new, old)
        if name:
            _call(file, name)
            _emit_renamed_to_all(state, file, record)


def _emit_renamed_to_all(state: State, file: DecodedFile, record: RawRecord) -> None:
    """Emit the new name of a file once for each table of fds by which it was used."""
    tables = set()
    for task in state.tree.tasks.values():
        if task.table not in tables and file in task.table.usages:
            tables.add(task.table)
            _emit_renamed(state, task, file, record)


def _renamed_path(path: str, old: str, new: str) -> str:
    """Return what a path is after a rename; empty if that does not concern it."""
    if path == old or path.startswith(old + "/"):
        return new + path[len(old) :]
    return ""
