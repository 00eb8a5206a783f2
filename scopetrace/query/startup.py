"""What belongs to the start-up of a program, rather than to its own work, for views on a terminal.

1. Of files: events about paths whose class is not `own` (`query.path_classes`), about two of them
   if both are; the folders of PATH in which a program was not, or could not be looked for; and what
   compilers look for and do without. What a program changes is its own work (a library that it
   builds, a package that it installs), except caches and files of the kernel; and so is what the
   recorded command names as its argument. The file of a program that ran (node reads its own) is
   the loader's.
2. Of connections: unix sockets of such paths (name service caches), and pairs of sockets that have
   no name, by which the processes of one program talk to each other.
3. Of processes: scripts whose path has another class than `own` and in whose place an exec put the
   program, until then, and the processes that they made: with pyenv, rbenv or asdf `python3` is
   such a script, and with npm what is in `node_modules/.bin`. What these print or change is shown.
"""

from __future__ import annotations

import json
import posixpath
import re
import sqlite3
from collections.abc import Collection
from typing import Any

from scopetrace._fs_sums import open_changes
from scopetrace.model.event import EventRecord
from scopetrace.model.file_record import OWN, SEARCH, SYSTEM
from scopetrace.model.flow_record import FlowRecord
from scopetrace.query.path_classes import PathClasses

NOT_THERE = frozenset(("ENOENT", "ENOTDIR"))
NOT_FOUND = NOT_THERE | {"EACCES"}
"""Errors of a search that goes on in the next folder (execvp(3))."""
_ASKS = ("stat", "exec")
"""Classes of calls by which programs are looked for."""
_OF_PROGRAMS = re.compile(r"/(?:s?bin|shims|games)/[^/]*$")
"""A path in a folder as PATH has them: `/var/log/nginx` that was refused is no search."""
_OPTIONAL = re.compile(
    r"/(?:s?bin|shims|games)/(?:g?nm|g?strip|ld)$|/(?:RCS|SCCS|[^/]+\.gch|-l[^/]+)$"
)
"""What gcc, ld and make look for and do without: programs (collect2.cc), precompiled headers,
archives of versions (make(1), implicit rules), files called as libraries are on a command line."""
_OF_CODE = re.compile(r"[\s'\"();$]")
"""What the text of a program has, as `perl -e` takes one, and a path in general has not."""
_MOST_PATH = 4096
"""Bytes of a path (PATH_MAX)."""
LOADER = "loader"
"""The class of shared libraries, and of the file of a program."""
_WRITTEN_AT_START = frozenset(("caches", SYSTEM))
"""Classes whose files a start-up writes, too."""
_CHANGES = frozenset(("fs.delete", "fs.rename", "fs.mkdir", "fs.link", "fs.attr"))
_PATHS = ("file", "file_new", "file_target")
_SOCKETS = ("unix_peer_path", "unix_local_path")


class StartUp:
    """Tells start-up noise from the rest.

    Args:
        classes: those of paths.
        programs: base names of the programs that ran, and those by which they were called.
        named: absolute paths that the recorded command names.
        exes: absolute paths of the programs that ran.
        images: numbers of process images (rule 3).
    """

    def __init__(
        self,
        classes: PathClasses,
        programs: set[str],
        named: Collection[str] = (),
        exes: Collection[str] = (),
        images: frozenset[int] = frozenset(),
    ) -> None:
        self._classes = classes
        self._programs = programs
        self._named = named
        self._exes = exes
        self._images = images

    def class_of(self, path: str, errors: Collection[str] = (), changed: bool = False) -> str:
        """Return the class of a path.

        Args:
            path: an absolute path.
            errors: those of a path that was looked for in vain.
            changed: whether the program made, wrote, renamed or deleted it.
        """
        if errors and path.rpartition("/")[2] in self._programs:
            if NOT_THERE.issuperset(errors):
                return SEARCH
            if NOT_FOUND.issuperset(errors) and _OF_PROGRAMS.search(path):
                return SEARCH
        if errors and NOT_THERE.issuperset(errors) and _OPTIONAL.search(path):
            return SEARCH
        found = self._classes.of(path)
        if path in self._named or (changed and found not in _WRITTEN_AT_START):
            return OWN
        return LOADER if found == OWN and path in self._exes else found

    def has_event(self, record: EventRecord) -> bool:
        """Return whether an event belongs to the start-up."""
        data = record.data
        if record.process in self._images and _changes_nothing(record):
            return True
        if record.sourcetype == "fs":
            error = str(data.get("error", ""))
            asks = error in NOT_THERE or (error in NOT_FOUND and data.get("class") in _ASKS)
            errors = (error,) if asks else ()
            paths = [str(data[name]) for name in _PATHS if name in data]
            changed = _is_change(record)
            return bool(paths) and all(
                self.class_of(path, errors, changed) != OWN for path in paths
            )
        if record.sourcetype == "net":
            return self._has_socket(data)
        return False

    def _has_socket(self, data: dict[str, Any]) -> bool:
        paths = [str(data[name]) for name in _SOCKETS if name in data]
        if not paths:
            return str(data.get("net_transport", "")).startswith("Unix.")
        return all(self._classes.of(path) != OWN for path in paths)

    def has_flow(self, flow: FlowRecord) -> bool:
        """Return whether a flow belongs to the start-up."""
        ends = [end for end in (flow.local, flow.peer) if end is not None and end.family == "unix"]
        paths = [end.host for end in ends if end.host]
        return bool(ends) and all(self._classes.of(path) != OWN for path in paths)


def _changes_nothing(record: EventRecord) -> bool:
    return record.sourcetype == "process" or (record.sourcetype == "fs" and not _is_change(record))


def _is_change(record: EventRecord) -> bool:
    data = record.data
    return (
        record.source in _CHANGES
        or bool(data.get("file_write_ops"))
        or bool(data.get("file_created"))
        or open_changes(str(data.get("flags", "")))
    )


def start_up_images(db: sqlite3.Connection, classes: PathClasses) -> frozenset[int]:
    """Return the numbers of the process images of the start-up (rule 3)."""
    replaced = "SELECT DISTINCT exe, args, cwd FROM process WHERE replaced AND instr(cmd, '/')"
    scripts = {
        (exe, args, cwd)
        for exe, args, cwd in db.execute(replaced)
        if _is_start_script(exe, args, cwd, classes)
    }
    if not scripts:
        return frozenset()
    stand_ins: dict[int, int] = {}
    """Number of the image of such a script → pid of its process."""
    started: set[int] = set()
    rows = db.execute("SELECT id, pid, parent, replaced, exe, args, cwd FROM process ORDER BY id")
    for number, pid, parent, was_replaced, exe, args, cwd in rows:
        if parent in started or stand_ins.get(parent, pid) != pid:
            started.add(number)
        elif was_replaced and (exe, args, cwd) in scripts:
            stand_ins[number] = pid
    return frozenset(started.union(stand_ins))


def _is_start_script(exe: str, args: str, cwd: str, classes: PathClasses) -> bool:
    """Whether an interpreter, perhaps found by env(1), runs a script that is not its user's own."""
    for arg in json.loads(args)[2 if exe.endswith("/env") else 1 :]:
        if not arg.startswith("-"):
            is_path = "/" in arg and len(arg) < _MOST_PATH and not _OF_CODE.search(arg)
            return is_path and classes.of(posixpath.normpath(posixpath.join(cwd, arg))) != OWN
        if "c" in arg and not arg.startswith("--"):  # -c: a text follows
            return False
    return False


def read_start_up(
    db: sqlite3.Connection, classes: PathClasses, images: frozenset[int] = frozenset()
) -> StartUp:
    """Return what knows the programs of a session, by their files and as they were called.

    `images` are those of `start_up_images`: only events need them.
    """
    programs, exes = set(), set()
    for exe, cmd in db.execute("SELECT DISTINCT exe, cmd FROM process"):
        exes.add(exe)
        programs |= {exe.rpartition("/")[2], cmd.partition(" ")[0].rpartition("/")[2]}
    named = {
        posixpath.normpath(posixpath.join(cwd, arg))
        for cwd, args in db.execute("SELECT cwd, args FROM session")
        for arg in json.loads(args)[1:]
    }
    return StartUp(classes, programs, named, exes, images)
