"""Programs and tasks: exec, fork, exit, signals."""

from __future__ import annotations

import re
import signal
import stat
import struct

from scopetrace.decode.closing import close_table, emit_closed, end_tasks, forget_process
from scopetrace.decode.cwd import change_folders
from scopetrace.decode.failed import emit_failed, emit_process_failed
from scopetrace.decode.parts import ARGV, CAPS, ENVIRON, EXE, FDS, PATH, STAT, STATUS, Parts
from scopetrace.decode.parts import IDS as IDS_PART
from scopetrace.decode.path_arguments import EXECS, NO_NAMES, Names, path_of
from scopetrace.decode.paths import text
from scopetrace.decode.state import INT, Handler, State, signed
from scopetrace.decode.tasks import CLONE_FILES, Task, fork_name
from scopetrace.model.call import Call
from scopetrace.model.image import Image
from scopetrace.model.named import build
from scopetrace.model.names import group_name, user_name
from scopetrace.model.operation import (
    Executed,
    Exited,
    Forked,
    ImageEnded,
    ImageStarted,
    Leaving,
    Noticed,
    Signalled,
)
from scopetrace.model.raw import IDS, RawKind, RawRecord
from scopetrace.model.raw import STAT as STAT_LAYOUT

SETS_IDS = (
    *("setuid", "setreuid", "setresuid", "setgid", "setregid", "setresgid"),
    *("setuid32", "setreuid32", "setresuid32", "setgid32", "setregid32", "setresgid32"),
)
"""Calls that change who a process is (credentials(7))."""
UNRECORDED = (
    *("clone", "clone3", "prctl__dumpable"),
    *("setfsuid", "setfsgid", "setfsuid32", "setfsgid32"),
)
"""Calls of the group task."""

SI_USER, SI_QUEUE, SI_MESGQ, SI_TKILL = 0, -1, -3, -6
SI_KERNEL = 0x80
SIGCHLD = int(signal.SIGCHLD)
FAULTS = frozenset((signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL))
"""Signals that have the address of a fault, unless a process or the kernel at large sent them."""
SENT_BY_PROCESSES = frozenset((SI_USER, SI_QUEUE, SI_MESGQ, SI_TKILL))
"""Codes of signals that say who sent them (sigaction(2)); so does SIGCHLD."""

CORE_DUMPED = 0x80
"""In a wait status (waitpid(2))."""
AT_EMPTY_PATH = 0x1000
SET_USER, SET_GROUP = stat.S_ISUID, stat.S_ISGID | stat.S_IXGRP
"""Modes of programs that run as another user or group; without S_IXGRP it means a lock."""
BEHIND_FDS = ("/proc/", "/dev/fd/")
"""Programs run by such a path are called as their file is, not as the last part of it."""


def on_exec(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Replace the image of a process by its new program (RAW_EXEC).

    1. The other threads have exited; the caller has the tid of its leader now.
    2. The caller has a table of fds of its own, without those that were marked close-on-exec.
    3. The old image ended, the new one began.
    """
    time_ns = record.entered_ns + state.offset_ns
    parts = record.parts()
    task = _only_task(state, task, record, time_ns)
    _close_at_exec(state, task, parts, record.arg4 != 0, time_ns)
    change_folders(task, parts)
    old, new = task.group.image, _image(state, task, record, parts, time_ns)
    state.emit(build(ImageEnded, (old, time_ns, None, None, True)))
    task.group.image = new
    state.emit(build(ImageStarted, (new, time_ns, True)))
    op = call.op if call.op in EXECS else "execve"
    state.emit(build(Executed, (new, task.tid, time_ns, op)))
    _notice_lost_privilege(state, task, parts, time_ns)


def _only_task(state: State, leader: Task, record: RawRecord, time_ns: int) -> Task:
    """Return the task that called exec, which now has its leader's number and is alone."""
    tree, group = state.tree, leader.group
    caller = tree.tasks.get(record.arg1)
    if caller is None or caller.group is not group:
        caller = leader
    for tid in sorted(group.tids - {caller.tid}):
        other = tree.tasks[tid]
        if tree.remove(other):
            close_table(state, other, other.table, time_ns)
    if caller.tid != record.tid:
        tree.rename(caller, record.tid)
    return caller


def _close_at_exec(state: State, task: Task, parts: Parts, none_closed: bool, time_ns: int) -> None:
    """Close what the kernel closed: all that it no longer lists, else what was marked (cloexec)."""
    state.tree.unshare(task, CLONE_FILES)
    table, listed = task.table, parts.get(FDS)
    if none_closed:
        closed = set()
    elif listed is None:
        closed = table.cloexec & table.fds.keys()
    else:
        open_fds = struct.unpack(f"={len(listed) // 4}I", listed[: len(listed) & ~3])
        closed = table.fds.keys() - set(open_fds)
    for released in table.close_many(closed):
        emit_closed(state, task, time_ns, "execve", released)
    table.cloexec.clear()


def _image(state: State, task: Task, record: RawRecord, parts: Parts, time_ns: int) -> Image:
    """Return the image of a program that just started, with what the record says about it."""
    old = task.group.image
    image = state.tree.new_image(task.group.pid, old.ppid, time_ns)
    image.parent = old.id
    image.ancestors = old.ancestors
    image.args = strings(parts.get(ARGV, b""))
    image.env = strings(parts.get(ENVIRON, b""))
    image.args_missing, image.env_missing = record.arg2, record.arg3
    image.cmd = command_line(image.args, image.args_missing)
    image.exe = text(parts.get(EXE, b""))
    image.cwd = task.folders.cwd
    image.proc = program_name(text(parts.get(PATH, b"")), image.exe)
    ids = _ids(parts, (old.ppid, task.group.process_group, old.uid, old.gid))
    image.ppid, task.group.process_group, image.uid, image.gid = ids
    image.username, image.groupname = user_name(image.uid), group_name(image.gid)
    return image


def _ids(parts: Parts, before: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return parent, process group, user and group; what is not known is as `before`."""
    ids = parts.get(IDS_PART, b"")
    if len(ids) == IDS.size:
        return IDS.unpack(ids)
    status = read_status(parts.get(STATUS, b""))
    ppid, group, uid, gid = before
    return (
        status.get("PPid", ppid),
        status.get("NSpgid", group),
        status.get("Uid", uid),
        status.get("Gid", gid),
    )


def command_line(args: tuple[str, ...], missing: int) -> str:
    """Return arguments as one text, which says how many were not kept."""
    return " ".join((*args, f"... ({missing} more)") if missing else args)


def strings(joined: bytes) -> tuple[str, ...]:
    """Split strings that each end with a NUL."""
    return tuple(text(joined).removesuffix("\0").split("\0")) if joined else ()


def program_name(path: str, exe: str) -> str:
    """Return the name that a program was run by: python3 and not python3.11."""
    if path and not path.startswith(BEHIND_FDS):
        return path.rpartition("/")[2] or path
    return exe.rpartition("/")[2]


def read_status(status: bytes) -> dict[str, int]:
    """Return the numbers of /proc/PID/status that we need; of ids, the effective ones."""
    found = {}
    for name, (start, rest) in STATUS_LINES.items():
        at = status.find(start)
        number = rest.match(status, at + len(start)) if at >= 0 else None
        if number is not None:
            found[name] = int(number[1])
    return found


NUMBER, EFFECTIVE_ID = re.compile(rb"(\d+)"), re.compile(rb"\d+\t(\d+)")
STATUS_LINES = {
    "PPid": (b"\nPPid:\t", NUMBER),
    "Uid": (b"\nUid:\t", EFFECTIVE_ID),
    "Gid": (b"\nGid:\t", EFFECTIVE_ID),
    "NSpgid": (b"\nNSpgid:\t", NUMBER),
    "NoNewPrivs": (b"\nNoNewPrivs:\t", NUMBER),
}
"""The lines of /proc/PID/status that are wanted: their beginning, and their number (proc(5))."""


def _notice_lost_privilege(state: State, task: Task, parts: Parts, time_ns: int) -> None:
    """Report a set-user-id program, or one with file capabilities, that runs without them."""
    if not _gives_privilege(task.group.image, parts):
        return
    if read_status(parts.get(STATUS, b"")).get("NoNewPrivs") != 1:
        return
    image = task.group.image
    message = (
        f"{image.proc} ({image.pid}) runs without the privileges that {image.exe or 'its file'}"
        " gives, because a program recorded without root cannot gain any"
    )
    state.emit(Noticed(image, task.tid, time_ns, message, "privilege", 1))


def _gives_privilege(image: Image, parts: Parts) -> bool:
    """Whether a program file changes user or group, or has capabilities."""
    if parts.get(CAPS):
        return True
    raw_stat = parts.get(STAT)
    if not raw_stat:
        return False
    _dev, _ino, _size, _rdev, mode, uid, gid, _links, _born_ns = STAT_LAYOUT.unpack(raw_stat)
    changes_user = mode & SET_USER and uid != image.uid
    changes_group = mode & SET_GROUP == SET_GROUP
    return bool(changes_user or (changes_group and gid != image.gid))


def on_execve(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a program could not be started; of one that was there is an RAW_EXEC."""
    if record.result < 0:
        path = path_of(task, record, record.parts(), call)
        if not path.file and call.op == "execveat" and record.arg5 & AT_EMPTY_PATH:
            path = _of_fd(task, record)
        emit_failed(state, task, record, call.op, "exec", path)


def _of_fd(task: Task, record: RawRecord) -> Names:
    file = task.table.fds.get(record.arg1 & INT)
    return NO_NAMES if file is None or not file.named else Names(file.path)


def on_setuid(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Begin a new image if a process has another user or group now, as servers do."""
    status = read_status(record.parts().get(STATUS, b""))
    old = task.group.image
    uid, gid = status.get("Uid", old.uid), status.get("Gid", old.gid)
    if record.result < 0:
        emit_process_failed(state, task, record, call.op, _wanted_ids(record, call.op))
    if record.result != 0 or (uid, gid) == (old.uid, old.gid):
        return
    time_ns = record.entered_ns + state.offset_ns
    new = state.tree.changed(old, time_ns)
    new.uid, new.gid = uid, gid
    new.username, new.groupname = user_name(uid), group_name(gid)
    state.emit(build(ImageEnded, (old, time_ns, None, None, True)))
    task.group.image = new
    state.emit(build(ImageStarted, (new, time_ns, True)))


def _wanted_ids(record: RawRecord, op: str) -> str:
    """Name the users or groups that were asked for: `user 0`, `groups -1, 5`."""
    count = 3 if "setres" in op else 2 if "setre" in op else 1
    kind = "user" if "uid" in op else "group"
    ids = ", ".join(str(signed(number)) for number in record.args[:count])
    return f"{kind}{'s' if count > 1 else ''} {ids}"


def on_fork(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Add the process or thread that a task made (RAW_FORK)."""
    tid, flags, pid = record.result, record.arg1, record.arg2
    time_ns = record.entered_ns + state.offset_ns
    if tid <= 0 or tid in (task.tid, task.group.pid):
        return  # no other task can have its tid or that of its leader while it lives
    stale = state.tree.tasks.get(tid)
    if stale is not None:
        _forget(state, stale, pid, time_ns)
    child = state.tree.clone(task, pid, tid, flags, time_ns)
    if child.group is task.group:
        return
    if record.arg3:
        status = record.parts().get(STATUS, b"")
        state.pids.born(child.group, task.group, record.arg3, status)
    state.emit(build(ImageStarted, (child.group.image, time_ns, True)))
    forked = (task.group.image, task.tid, time_ns, fork_name(flags), pid)
    state.emit(build(Forked, forked))


def _forget(state: State, stale: Task, pid: int, time_ns: int) -> None:
    """Forget a task whose end was missed: a new one has its tid now."""
    group = stale.group
    is_thread = stale.tid != group.pid
    if is_thread or (group.pid == pid and group.tids != {stale.tid}):
        if state.tree.remove(stale):
            close_table(state, stale, stale.table, time_ns)
        return
    forget_process(state, stale, time_ns)


def on_leave(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a process is about to exit (RAW_LEAVE)."""
    fds, threads, virtual_kib, resident_kib, *_ = record.args
    time_ns = record.entered_ns + state.offset_ns
    leaving = (task.group.image, time_ns, fds, threads, virtual_kib, resident_kib)
    state.emit(build(Leaving, leaving))


def on_exit(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Forget a thread that exited, or with its leader's record the process (RAW_EXIT)."""
    time_ns = record.entered_ns + state.offset_ns
    if record.tid != record.pid:
        if len(task.group.tids) > 1 and state.tree.remove(task):
            close_table(state, task, task.table, time_ns)
        return
    group = task.group
    end_tasks(state, task, time_ns)
    code, number, core = wait_status(record.result)
    image = group.image
    lasted_ns = time_ns - group.started_ns
    usage, process_group = record.args, group.process_group
    exited = (image, task.tid, time_ns, code, number, core, lasted_ns, usage, process_group)
    state.emit(build(Exited, exited))
    state.emit(build(ImageEnded, (image, time_ns, code, number, False)))


def wait_status(status: int) -> tuple[int | None, int | None, bool]:
    """Return (exit code, signal, core dumped) of a wait status (waitpid(2))."""
    if not 0 <= status <= 0xFFFF:
        return None, None, False
    number = status & 0x7F
    if number == 0:
        return status >> 8, None, False
    if number == 0x7F:
        return None, None, False
    return None, number, bool(status & CORE_DUMPED)


def on_signal(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a signal was delivered, or many of its kind within a short time (RAW_SIGNAL)."""
    number, code, count = record.arg1 & 0x7F, signed(record.arg2), record.args[4]
    time_ns = record.entered_ns + state.offset_ns
    has_sender = code in SENT_BY_PROCESSES or number == SIGCHLD
    pid = state.pids.of(task.group, record.arg3) if has_sender else 0
    uid = record.arg4 if pid else 0
    is_fault = number in FAULTS and 0 < code < SI_KERNEL
    address = record.arg3 & INT | (record.arg4 & INT) << 32 if is_fault else None
    image = task.group.image
    signalled = (image, task.tid, time_ns, number, code, pid, uid, count, address)
    state.emit(build(Signalled, signalled))


def on_unrecorded(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Do nothing: such a call stops for the engine alone, which writes no record of it."""


KINDS: dict[int, Handler] = {
    RawKind.EXEC: on_exec,
    RawKind.FORK: on_fork,
    RawKind.EXIT: on_exit,
    RawKind.LEAVE: on_leave,
    RawKind.SIGNAL: on_signal,
}

CALLS: dict[str, Handler] = {
    **dict.fromkeys(EXECS, on_execve),
    **dict.fromkeys(SETS_IDS, on_setuid),
    **dict.fromkeys(UNRECORDED, on_unrecorded),
}
