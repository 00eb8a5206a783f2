"""Fs: files opened, closed, named and changed; and every call about files that failed.

What has no path (pipes, sockets, memory) is not for this source. An open is one event for each
open file description; a close is one for each process that opened a file or transferred bytes
through it, with the counts of that process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from scopetrace.model.evidence import Evidence
from scopetrace.model.form import form
from scopetrace.model.image import Image
from scopetrace.model.named import values
from scopetrace.model.names import error_name, octal_digits
from scopetrace.model.open_file import OpenFile, Usage
from scopetrace.model.operation import (
    AttributeChanged,
    Closed,
    Counted,
    Failed,
    NameChanged,
    Opened,
    Used,
)
from scopetrace.model.rules import Rules as RulesOfProcess
from scopetrace.source import Handlers, Mode, Needs, Outlet, Source
from scopetrace.sources.fs.flags import flag_names

FS = "fs"

FOLLOWS_FDS = {"open": Mode.ALL, "close": Mode.ALL, "fd": Mode.ALL}
FOLLOWS_FOLDERS = {"cwd": Mode.ALL}


SEEK_VERBOSITY = 8
"""From this verbosity on fs.seek is measured: every lseek of a program has to stop it then."""


MOST_FLAGS = 512
"""Combinations of flags whose names are remembered."""


class Wanted:
    """What one set of rules wants of the events and metrics that programs cause most."""

    __slots__ = ("closes", "failures", "measures", "opens")

    def __init__(self, rules: RulesOfProcess) -> None:
        self.measures = FS in rules.measures
        self.opens = rules.wants(FS, "fs.open")
        self.closes = rules.wants(FS, "fs.close")
        self.failures = rules.wants(FS, "fs.error")


class FsSource(Source):
    """Makes fs.* events."""

    sourcetype = FS
    measures = FS
    needs_in_detail: ClassVar[Mapping[int, Mapping[str, Mode]]] = {
        SEEK_VERBOSITY: {"seek": Mode.FAILURES}
    }
    needs: ClassVar[Needs] = {
        "fs.open": {"open": Mode.ALL, "fd": Mode.ALL},
        "fs.close": {
            **FOLLOWS_FDS,
            "read": Mode.ALL,
            "write": Mode.ALL,
            "move": Mode.ALL,
            "map": Mode.ALL,
            "rename": Mode.ALL,
            "link": Mode.ALL,
        },
        "fs.delete": {**FOLLOWS_FOLDERS, "delete": Mode.ALL},
        "fs.rename": {**FOLLOWS_FOLDERS, "rename": Mode.ALL},
        "fs.mkdir": {**FOLLOWS_FOLDERS, "mkdir": Mode.ALL},
        "fs.link": {**FOLLOWS_FOLDERS, "link": Mode.ALL},
        "fs.attr": {**FOLLOWS_FOLDERS, **FOLLOWS_FDS, "attr": Mode.ALL},
        "fs.error": {
            **FOLLOWS_FOLDERS,
            **FOLLOWS_FDS,
            "read": Mode.FAILURES,
            "write": Mode.FAILURES,
            "move": Mode.FAILURES,
            "delete": Mode.FAILURES,
            "rename": Mode.FAILURES,
            "mkdir": Mode.FAILURES,
            "link": Mode.FAILURES,
            "attr": Mode.FAILURES,
            "stat": Mode.FAILURES,
        },
    }

    failures: ClassVar[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
        "fs.error": {"rare": ("lock", "touch")}
    }

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self._wanted: dict[RulesOfProcess, Wanted] = {}
        self._flag_names: dict[int, str] = {}

    def handlers(self) -> Handlers:
        """Return what this source does with operations."""
        return {
            Opened: self._opened,
            Closed: self._closed,
            Used: self._used,
            NameChanged: self._name_changed,
            AttributeChanged: self._attribute_changed,
            Failed: self._failed,
            Counted: self._counted,
        }

    def _opened(self, operation: Opened) -> None:
        image, tid, time_ns, op, file, fd, flags, passed, created = values(operation)
        wanted = self._wanted_by(image.rules)
        if wanted.measures:
            self.outlet.measure_with(image, time_ns, "fs.open", 1, 1, (op, file.path, fd))
        if not wanted.opens:
            return
        named = None if flags is None else self._flag_names.get(flags) or self._name_flags(flags)
        uid, gid, perms, owner, group = _owners(image, file)
        data = (
            OPENED,
            file.path,
            passed or None,
            op,
            fd,
            named,
            created or None,
            uid,
            gid,
            perms,
            owner,
            group,
        )
        self.outlet.emit(image, time_ns, tid, FS, "fs.open", file.opened_ns, data)

    def _closed(self, operation: Closed) -> None:
        image, tid, time_ns, op, file, usage = values(operation)
        if not file.named or not (usage.opened or usage.reads or usage.writes):
            return
        wanted = self._wanted_by(image.rules)
        if wanted.measures:
            self.outlet.measure_with(image, time_ns, "fs.close", 1, 1, (op, file.path, file.fd))
            self._measure_use(image, time_ns, file, usage)
        if not wanted.closes:
            return
        uid, gid, perms, owner, group = _owners(image, file)
        data = (
            CLOSED,
            file.path,
            op,
            usage.read_bytes,
            usage.reads,
            usage.write_bytes,
            usage.writes,
            max(0, time_ns - file.opened_ns) // 1000,
            (usage.read_ns + usage.write_ns) // 1000,
            usage.mapped or None,
            uid,
            gid,
            perms,
            owner,
            group,
        )
        self.outlet.emit(image, time_ns, tid, FS, "fs.close", file.opened_ns, data)

    def _used(self, operation: Used) -> None:
        image, _tid, time_ns, file, usage = values(operation)
        if file.named and self._wanted_by(image.rules).measures:
            self._measure_use(image, time_ns, file, usage)

    def _measure_use(self, image: Image, time_ns: int, file: OpenFile, usage: Usage) -> None:
        """Measure what a file was used for since that was measured last."""
        outlet = self.outlet
        for which, op, (calls, size, used_ns) in usage.unmeasured_calls():
            tags = (op, file.path, file.fd)
            if calls or size:
                outlet.measure_with(image, time_ns, TRANSFERS[which], size, calls, tags)
            if calls:
                outlet.measure_with(image, time_ns, "fs.duration", used_ns / 1000, calls, tags)

    def _name_changed(self, operation: NameChanged) -> None:
        image, tid, time_ns, op, group, file, passed, other, other_passed, mode, exchanged = values(
            operation
        )
        data = _named(op, file, passed)
        if group in OTHER_NAME:
            _add_other(data, OTHER_NAME[group], other, other_passed)
            if exchanged:
                data["file_exchanged"] = True
        elif group == "mkdir":
            data["file_perms"] = octal_digits(mode)
        self._emit(f"fs.{group}", image, time_ns, tid, data)

    def _attribute_changed(self, operation: AttributeChanged) -> None:
        image, tid, time_ns, op, file, passed, perms, owner, group, size = values(operation)
        data = _named(op, file, passed)
        if perms is not None:
            data["file_perms"] = octal_digits(perms)
        if owner is not None:
            data["file_owner"] = owner
        if group is not None:
            data["file_group"] = group
        if size is not None:
            data["file_size"] = size
        self._emit("fs.attr", image, time_ns, tid, data)

    def _failed(self, operation: Failed) -> None:
        image, tid, time_ns, op, kind, file, passed, other, other_passed, errno, evidence = values(
            operation
        )
        wanted = self._wanted_by(image.rules)
        if wanted.measures:
            self.outlet.measure_with(image, time_ns, "fs.error", 1, 1, (kind, op, file))
        if not wanted.failures:
            return
        data: tuple[Any, ...] = (
            FAILED,
            op,
            file,
            passed or None,
            other or None,
            other_passed or None,
            error_name(errno),
            kind,
        )
        if evidence is not None:
            data = (EXPLAINED, *data[1:], *evidence)
        self.outlet.emit(image, time_ns, tid, FS, "fs.error", 0, data)

    def _counted(self, operation: Counted) -> None:
        image, _tid, time_ns, op, group, calls = values(operation)
        if FS in image.rules.measures:
            self.outlet.measure(image, time_ns, f"fs.{group}", calls, op=op)

    def _wanted_by(self, rules: RulesOfProcess) -> Wanted:
        return self._wanted.get(rules) or self._ask(rules)

    def _ask(self, rules: RulesOfProcess) -> Wanted:
        wanted = self._wanted[rules] = Wanted(rules)
        return wanted

    def _name_flags(self, flags: int) -> str:
        if len(self._flag_names) >= MOST_FLAGS:
            self._flag_names.clear()
        names = self._flag_names[flags] = flag_names(flags)
        return names

    def _emit(self, name: str, image: Image, time_ns: int, tid: int, data: dict[str, Any]) -> None:
        rules = image.rules
        if rules.wants(FS, name):
            self.outlet.emit(image, time_ns, tid, FS, name, 0, data)


OWNERS = ("proc_uid", "proc_gid", "file_perms", "file_owner", "file_group")
NOT_WANTED = (None, None, None, None, None)
OPENED = form("file", "file_passed", "op", "fd", "flags", "file_created", *OWNERS)
CLOSED = form(
    *("file", "op", "file_read_bytes", "file_read_ops", "file_write_bytes", "file_write_ops"),
    *("duration", "io_duration", "file_mapped", *OWNERS),
)
FAILED = form("op", "file", "file_passed", "file_new", "file_new_passed", "error", "class")
EXPLAINED = form(*FAILED.names, *Evidence._fields)
TRANSFERS = {"read": "fs.read", "write": "fs.write"}
OTHER_NAME = {"rename": "file_new", "link": "file_target"}


def _named(op: str, file: str, passed: str) -> dict[str, Any]:
    """Return the fields of a call and its file."""
    if passed:
        return {"op": op, "file": file, "file_passed": passed}
    return {"op": op, "file": file}


def _add_other(data: dict[str, Any], field: str, file: str, passed: str) -> None:
    """Add the other file that a call was about."""
    data[field] = file
    if passed:
        data[f"{field}_passed"] = passed


def _owners(image: Image, file: OpenFile) -> tuple[int | None, ...]:
    """Return the values of `OWNERS`: whose process it was and whose file, if that is wanted."""
    rules, status = image.rules, file.stat
    if not rules.enhancefs:
        return NOT_WANTED
    if status is None:
        return (image.uid, image.gid, None, None, None)
    _dev, _ino, _size, _rdev, mode, uid, gid, _links, _born_ns = values(status)
    return (image.uid, image.gid, octal_digits(mode), uid, gid)
