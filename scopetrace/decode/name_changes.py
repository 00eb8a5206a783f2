"""Calls that change names and attributes of files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scopetrace.decode.file_names import name_given, path_renamed
from scopetrace.decode.paths import text
from scopetrace.decode.state import (
    FD,
    NO_NAMES,
    PATH,
    Handler,
    Names,
    State,
    failed,
    failed_fd,
    path_of,
    second_path_of,
)
from scopetrace.decode.tasks import Task
from scopetrace.model.operation import AttributeChanged, NameChanged
from scopetrace.model.raw import RawRecord

PERMISSIONS = 0o7777
UNCHANGED = 0xFFFFFFFF
"""An owner or group of -1 stays as it is (chown(2))."""

MODE_ARGUMENT = {"mkdir": 1, "mkdirat": 2, "mknod": 1, "mknodat": 2}
"""Where the permissions are, counted from 0."""


def deleted(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A name was deleted."""
    _name_changed(state, task, record, op, "delete", path_of(task, record, record.parts(), op))


def renamed(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A name became another."""
    parts = record.parts()
    file, new = path_of(task, record, parts, op), second_path_of(task, record, parts, op)
    _name_changed(state, task, record, op, "rename", file, new)
    if record.result == 0:
        flags = record.arg5 if op == "renameat2" else 0
        path_renamed(state, record, file.file, new.file, flags)


def linked(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A file got one more name."""
    parts = record.parts()
    target, new = path_of(task, record, parts, op), second_path_of(task, record, parts, op)
    if op == "linkat" and record.result == 0:
        target = name_given(state, task, record, parts, target, new)
    _linked(state, task, record, op, target, new)


def symlinked(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A symbolic link was made; its target is text, whatever it leads to."""
    parts = record.parts()
    target, new = Names(text(parts.get(PATH, b""))), second_path_of(task, record, parts, op)
    _linked(state, task, record, op, target, new)


def _linked(
    state: State, task: Task, record: RawRecord, op: str, target: Names, new: Names
) -> None:  # fmt: skip
    """Emit a new name of what was there before, or, in the order of the arguments, why not."""
    if record.result < 0:
        failed(state, task, record, op, "link", target, new)
    else:
        _name_changed(state, task, record, op, "link", new, target)


def made(state: State, task: Task, record: RawRecord, op: str) -> None:
    """A folder or special file was made."""
    mode = record.args[MODE_ARGUMENT[op]] & PERMISSIONS
    file = path_of(task, record, record.parts(), op)
    _name_changed(state, task, record, op, "mkdir", file, mode=mode)


def _name_changed(
    state: State, task: Task, record: RawRecord, op: str, group: str, name: Names,
    other: Names = NO_NAMES, mode: int = 0,
) -> None:  # fmt: skip
    """Emit the change, or that it failed."""
    if record.result < 0:
        failed(state, task, record, op, group, name, other)
        return
    time_ns = record.entered_ns + state.offset_ns
    image = task.group.image
    state.emit(NameChanged(image, task.tid, time_ns, op, group, *name, *other, mode))


def _permissions(argument: int) -> Callable[[RawRecord], dict[str, int]]:
    return lambda record: {"perms": record.args[argument] & PERMISSIONS}


def _owner(argument: int) -> Callable[[RawRecord], dict[str, int]]:
    def read(record: RawRecord) -> dict[str, int]:
        ids = {
            "owner": record.args[argument] & FD,
            "group": record.args[argument + 1] & FD,
        }
        return {name: value for name, value in ids.items() if value != UNCHANGED}

    return read


def _size(record: RawRecord) -> dict[str, int]:
    return {"size": record.arg2}


def _size_in_halves(record: RawRecord) -> dict[str, int]:
    """The 64-bit calls of a 32-bit ABI have the low half first."""
    return {"size": record.arg2 & FD | (record.arg3 & FD) << 32}


def _attribute(read: Callable[[RawRecord], dict[str, int]]) -> Handler:
    """Return the handler of a call that sets what `read` finds in its arguments."""

    def handler(state: State, task: Task, record: RawRecord, op: str) -> None:
        parts = record.parts()
        has_path = PATH in parts
        if record.result < 0 and not has_path:
            failed_fd(state, task, record, op, "attr", record.arg1)
        elif record.result < 0:
            failed(state, task, record, op, "attr", path_of(task, record, parts, op))
        elif has_path:
            path = path_of(task, record, parts, op)
            _attribute_changed(state, task, record, op, path, read(record))
        else:
            file = task.table.fds.get(record.arg1 & FD)
            if file is not None and file.named:
                _attribute_changed(state, task, record, op, Names(file.path), read(record))

    return handler


def _attribute_changed(
    state: State, task: Task, record: RawRecord, op: str, name: Names, values: dict[str, Any]
) -> None:
    time_ns = record.entered_ns + state.offset_ns
    state.emit(AttributeChanged(task.group.image, task.tid, time_ns, op, *name, **values))


CALLS: dict[str, Handler] = {
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), deleted),
    **dict.fromkeys(("rename", "renameat", "renameat2"), renamed),
    **dict.fromkeys(("link", "linkat"), linked),
    **dict.fromkeys(("symlink", "symlinkat"), symlinked),
    **dict.fromkeys(MODE_ARGUMENT, made),
    **dict.fromkeys(("truncate", "ftruncate"), _attribute(_size)),
    **dict.fromkeys(("truncate64", "ftruncate64"), _attribute(_size_in_halves)),
    **dict.fromkeys(("chmod", "fchmod"), _attribute(_permissions(1))),
    **dict.fromkeys(("fchmodat", "fchmodat2"), _attribute(_permissions(2))),
    **dict.fromkeys(
        ("chown", "lchown", "fchown", "chown32", "lchown32", "fchown32"), _attribute(_owner(1))
    ),
    "fchownat": _attribute(_owner(2)),
}
