"""Calls that change names and attributes of files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scopetrace.decode.failed import emit_failed, emit_failed_fd
from scopetrace.decode.file_names import name_linked, path_renamed
from scopetrace.decode.parts import PATH
from scopetrace.decode.path_arguments import NO_NAMES, Names, path_of, second_path_of
from scopetrace.decode.paths import text
from scopetrace.decode.state import INT, Handler, State
from scopetrace.decode.tasks import Task
from scopetrace.model.call import Call
from scopetrace.model.operation import AttributeChanged, NameChanged
from scopetrace.model.raw import RawRecord

PERMISSIONS = 0o7777
UNCHANGED = 0xFFFFFFFF
"""An owner or group of -1 stays as it is (chown(2))."""
RENAME_EXCHANGE = 2
"""A flag of renameat2(2): both names stay, and what they mean is swapped."""

MODE_ARGUMENT = {
    **dict.fromkeys(("mkdir", "mknod"), 2),
    **dict.fromkeys(("mkdirat", "mknodat", "io_uring_enter__mkdirat"), 3),
}
"""Where the permissions are, counted from 1."""
RENAMES_WITH_FLAGS = ("renameat2", "io_uring_enter__renameat2")
LINKS_OF_FDS = ("linkat", "io_uring_enter__linkat")
"""Calls that can name a file that has no name (O_TMPFILE)."""


def on_unlink(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a name was deleted."""
    path = path_of(task, record, record.parts(), call)
    _name_changed(state, task, record, call.op, "delete", path)
    if record.result == 0:
        state.created_files.deleted(path.file)


def on_rename(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a name became another."""
    parts = record.parts()
    file, new = path_of(task, record, parts, call), second_path_of(task, record, parts, call)
    exchanged = call.name in RENAMES_WITH_FLAGS and bool(record.arg5 & RENAME_EXCHANGE)
    _name_changed(state, task, record, call.op, "rename", file, new, exchanged=exchanged)
    if record.result == 0:
        path_renamed(state, record, file.file, new.file, exchanged)
        state.created_files.renamed(file.file, new.file)


def on_link(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a file got one more name."""
    parts = record.parts()
    target, new = path_of(task, record, parts, call), second_path_of(task, record, parts, call)
    if call.name in LINKS_OF_FDS and record.result == 0:
        target = name_linked(state, task, record, parts, target, new)
    _emit_linked(state, task, record, call.op, target, new)


def on_symlink(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a symbolic link was made; its target is text, whatever it leads to."""
    parts = record.parts()
    target, new = Names(text(parts.get(PATH, b""))), second_path_of(task, record, parts, call)
    _emit_linked(state, task, record, call.op, target, new)


def _emit_linked(
    state: State, task: Task, record: RawRecord, op: str, target: Names, new: Names
) -> None:
    """Emit a new name of what was there before, or, in the order of the arguments, why not."""
    if record.result < 0:
        emit_failed(state, task, record, op, "link", target, new)
    else:
        _name_changed(state, task, record, op, "link", new, target)


def on_mkdir(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a folder or a special file was made: mkdir, mknod."""
    mode = record.argument(MODE_ARGUMENT[call.name]) & PERMISSIONS
    file = path_of(task, record, record.parts(), call)
    _name_changed(state, task, record, call.op, "mkdir", file, mode=mode)


def _name_changed(
    state: State,
    task: Task,
    record: RawRecord,
    op: str,
    group: str,
    name: Names,
    other: Names = NO_NAMES,
    mode: int = 0,
    exchanged: bool = False,
) -> None:
    """Emit the change, or that it failed."""
    if record.result < 0:
        emit_failed(state, task, record, op, group, name, other)
        return
    time_ns = record.entered_ns + state.offset_ns
    image = task.group.image
    state.emit(NameChanged(image, task.tid, time_ns, op, group, *name, *other, mode, exchanged))


def _permissions(position: int) -> Callable[[RawRecord], dict[str, int]]:
    return lambda record: {"perms": record.argument(position) & PERMISSIONS}


def _owner(position: int) -> Callable[[RawRecord], dict[str, int]]:
    def read(record: RawRecord) -> dict[str, int]:
        ids = {
            "owner": record.argument(position) & INT,
            "group": record.argument(position + 1) & INT,
        }
        return {name: value for name, value in ids.items() if value != UNCHANGED}

    return read


def _size(record: RawRecord) -> dict[str, int]:
    return {"size": record.arg2}


def _size_in_halves(record: RawRecord) -> dict[str, int]:
    """The 64-bit calls of a 32-bit ABI have the low half first."""
    return {"size": record.arg2 & INT | (record.arg3 & INT) << 32}


def _on_attribute(read: Callable[[RawRecord], dict[str, int]]) -> Handler:
    """Return the handler of a call that sets what `read` finds in its arguments."""

    def handler(state: State, task: Task, record: RawRecord, call: Call) -> None:
        parts = record.parts()
        has_path = PATH in parts
        if record.result < 0 and not has_path:
            emit_failed_fd(state, task, record, call.op, "attr", record.arg1)
        elif record.result < 0:
            emit_failed(state, task, record, call.op, "attr", path_of(task, record, parts, call))
        elif has_path:
            path = path_of(task, record, parts, call)
            _attribute_changed(state, task, record, call.op, path, read(record))
        else:
            file = task.table.fds.get(record.arg1 & INT)
            if file is not None and file.named:
                _attribute_changed(state, task, record, call.op, Names(file.path), read(record))

    return handler


def _attribute_changed(
    state: State, task: Task, record: RawRecord, op: str, name: Names, values: dict[str, Any]
) -> None:
    time_ns = record.entered_ns + state.offset_ns
    state.emit(AttributeChanged(task.group.image, task.tid, time_ns, op, *name, **values))


CHOWNS = ("chown", "lchown", "fchown", "chown32", "lchown32", "fchown32")

CALLS: dict[str, Handler] = {
    **dict.fromkeys(("unlink", "unlinkat", "rmdir", "io_uring_enter__unlinkat"), on_unlink),
    **dict.fromkeys(("rename", "renameat", *RENAMES_WITH_FLAGS), on_rename),
    **dict.fromkeys(("link", *LINKS_OF_FDS), on_link),
    **dict.fromkeys(("symlink", "symlinkat", "io_uring_enter__symlinkat"), on_symlink),
    **dict.fromkeys(MODE_ARGUMENT, on_mkdir),
    **dict.fromkeys(("truncate", "ftruncate", "io_uring_enter__ftruncate"), _on_attribute(_size)),
    **dict.fromkeys(("truncate64", "ftruncate64"), _on_attribute(_size_in_halves)),
    **dict.fromkeys(("chmod", "fchmod"), _on_attribute(_permissions(2))),
    **dict.fromkeys(("fchmodat", "fchmodat2"), _on_attribute(_permissions(3))),
    **dict.fromkeys(CHOWNS, _on_attribute(_owner(2))),
    "fchownat": _on_attribute(_owner(3)),
}
