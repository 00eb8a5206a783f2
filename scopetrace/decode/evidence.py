"""What the evidence of a call that failed says about the reason, by the error.

A record has facts only (record.h lists them by error); here they become an `Evidence`. What is not
in the record is looked up in /proc, for errors that are rare: who holds a port, and on
which file system a path is.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from scopetrace.decode.capabilities import CAPABILITIES, OF_CALLS, needed_capability
from scopetrace.decode.cgroup import reached_pids_max
from scopetrace.decode.faults import F_SETLEASE, Faulty, fault_of, may_have_fault
from scopetrace.decode.holders import (
    Holder,
    holder_in,
    holder_of_address,
    holder_of_lock,
    waits_to_end,
)
from scopetrace.decode.interpreter import SCRIPT, interpreter_of, machine_of
from scopetrace.decode.mounts import find_mount, mount_inside
from scopetrace.decode.parts import (
    HEAD,
    HOLDER,
    HOW,
    LIMIT,
    LOCKS,
    MISSING,
    MOUNTS,
    NAME,
    PATH,
    PATH2,
    SPACE,
    STATUS,
    STEP,
    TARGET,
    Parts,
)
from scopetrace.decode.path_arguments import AT_FDCWD, EXECS, NO_NAMES, OPENS, Names, open_flags
from scopetrace.decode.paths import text
from scopetrace.decode.refusal import (
    BY_OP,
    SECOND,
    SETS_TIMES,
    WRITES,
    Asker,
    Refusal,
    Step,
    Wanted,
    find_refusal,
    read_asker,
    wanted_by_access,
    wanted_by_open,
)
from scopetrace.decode.state import INT, State, signed
from scopetrace.decode.tasks import Task
from scopetrace.model.evidence import Evidence
from scopetrace.model.flow import Address
from scopetrace.model.named import build
from scopetrace.model.names import LIMITS, group_name, octal_digits, user_name
from scopetrace.model.raw import LIMIT as LIMIT_LAYOUT
from scopetrace.model.raw import PART_REMOVED, RawRecord
from scopetrace.model.raw import SPACE as SPACE_LAYOUT
from scopetrace.model.raw import STEP as STEP_LAYOUT

NOT_THERE = -errno.ENOENT
OF_MISSING = (MISSING, TARGET, HEAD, STEP)
"""Parts that say what is not there."""
MOUNTING = ("mount", "move_mount")
LOCKING = ("flock", "fcntl", "fcntl64")
ACCESSES = {"access": 2, "faccessat": 3, "faccessat2": 3}
"""Where the rights are that are asked for, counted from 1."""
AT_EACCESS = 0x200
NO_LIMIT = 2**64 - 1
OF_MEMORY = ("RLIMIT_AS", "RLIMIT_DATA")
LOCKING_MEMORY = ("mlock", "mlock2")
LOCKED_MEMORY = ("mlock", "mlock2", "mlockall", "shmget")
DEVICES = "/dev/"
"""Where files are that are full by themselves, as /dev/full."""
READ_ONLY, NO_FOLLOWING = "ro", "nosymfollow"
NOEXEC, NODEV, NO_FOLDER, LINK, TIME_WAIT = "noexec", "nodev", "no_folder", "link", "time_wait"
NO_INODES, MOUNTED, LEFT_THERE = "no_inodes", "mounted", "left_there"
NOT_TRACEABLE = "not_traceable"
UMOUNTS = ("umount", "umount2")
KERNELS = ("/proc", "/sys")
"""Where nobody makes files."""
MOST_LINKS = 40
"""That are followed on the way to a path: path_resolution(7)."""
OPEN_HOW = struct.Struct("=QQQ")
NO_MAGIC_LINKS, NO_LINKS = 2, 4
"""RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS: openat2(2)."""
PAGE, KIB = 4096, 1024
SETS_SIZE = ("truncate", "truncate64", "ftruncate", "ftruncate64", "fallocate")
NO_FILE_SO_LARGE = "the file would be larger than its file system allows"
UNUSABLE = "a part of this range is no memory that the process may use"
OF_PROCESS = re.compile(
    r"/proc/(\d+)/(task/\d+/)?(exe|cwd|root|fd/\d+|map_files/.+|(numa_)?maps|smaps(_rollup)?)(/|$)"
)
"""Links to files of a process, and its memory maps: for others if they may trace it (proc(5))."""
LOCKED = re.compile(rb"^VmLck:\s*(\d+) kB", re.MULTILINE)
INOTIFY = {
    "inotify_init": "max_user_instances",
    "inotify_init1": "max_user_instances",
    "inotify_add_watch": "max_user_watches",
}
"""Calls that a sysctl in fs.inotify limits for each user (inotify(7))."""
SYSCTL_INOTIFY = Path("/proc/sys/fs/inotify")
LAST_PRIVILEGED_PORT = 1023
"""Unless net.ipv4.ip_unprivileged_port_start says otherwise (ip(7))."""


class Failing(NamedTuple):
    """A call that failed, and what it was about."""

    state: State
    task: Task
    record: RawRecord
    parts: Parts
    op: str
    file: str = ""
    other: str = ""


def evidence_of(
    state: State,
    task: Task,
    record: RawRecord,
    op: str,
    name: Names = NO_NAMES,
    other: Names = NO_NAMES,
) -> Evidence | None:
    """Return what is known of the reason of a failure; None: nothing is."""
    parts = record.parts()
    if record.result == NOT_THERE and parts.keys().isdisjoint(OF_MISSING):
        return None  # the failure that programs have most
    known = (state, task, record, parts, op, name.file, other.file)
    reason, failing = REASONS.get(-record.result), build(Failing, known)
    found = NOTHING if reason is None else reason(failing)
    if may_have_fault(record):
        found = found._replace(detail=_fault(failing) or found.detail)
    return None if found is NOTHING or found == NOTHING else found


def _fault(failing: Failing) -> str | None:
    _, _, record, parts, op, file, other = failing
    meant = _meant(failing, 1)
    return fault_of(Faulty(record, parts, op, file, other, meant.mode if meant else 0))


NOTHING = Evidence()
AFTER_INTERPRETER = NOTHING[3:]


def _not_there(failing: Failing) -> Evidence:
    if failing.op in MOUNTING:
        which = "source" if _meant(failing, 2) else "target"
        return Evidence(detail=f"the {which} is not there")
    if closed := _closed_script(failing):
        return Evidence(detail=closed)
    parts, head = failing.parts, failing.parts.get(HEAD)
    interpreter = (interpreter_of(head) or None) if head else None
    missing, target = _text(parts, MISSING), _text(parts, TARGET)
    found = build(Evidence, (missing, target, interpreter, *AFTER_INTERPRETER))
    if missing and not target and failing.record.flags().get(MISSING, 0) & PART_REMOVED:
        return found._replace(
            detail=f"the folder where the path starts has been removed: {missing}"
        )
    return found._replace(detail=_to_make(failing, missing, target)) if target else found


def _to_make(failing: Failing, missing: str | None, target: str) -> str | None:
    """Say that open(2) cannot make what a link leads to, since the folder of that is not there."""
    makes = (
        failing.op in OPENS and open_flags(failing.record, failing.parts, failing.op) & os.O_CREAT
    )
    if not makes or target.startswith(KERNELS) or failing.file.startswith(f"{missing}/"):
        return None
    link = missing or failing.file
    made = Path(link).parent / target
    return f"{link} is a link to {target}, and there is no folder {made.parent}"


def _meant(failing: Failing, path: int) -> Step | None:
    """Return what the first or second path of a call means; None: the way there ends before."""
    steps = _of_path(steps_of(failing.record), path)
    names = failing.parts.get(PATH2 if path == 2 else PATH, b"").split(b"/")
    return steps[-1] if len(steps) > sum(map(bool, names)) else None


def _closed_script(failing: Failing) -> str:
    """Say that a script cannot be opened again by its interpreter: execveat(2)."""
    record, head = failing.record, failing.parts.get(HEAD, b"")
    fd, is_absolute = signed(record.arg1), failing.parts.get(PATH, b"").startswith(b"/")
    is_of_fd = failing.op == "execveat" and fd != AT_FDCWD and not is_absolute
    if not (is_of_fd and head.startswith(SCRIPT)):
        return ""
    closed = f"opens it by descriptor {fd}, which is closed then (O_CLOEXEC)"
    if fd in failing.task.table.cloexec:
        return f"its interpreter {closed}"
    return f"its interpreter {interpreter_of(head)} is not there, or {closed}"


def _text(parts: Parts, kind: int) -> str | None:
    found = parts.get(kind)
    return None if found is None else text(found)


def _not_executable(failing: Failing) -> Evidence:
    head = failing.parts.get(HEAD, b"")
    return Evidence(interpreter=interpreter_of(head) or None, machine=machine_of(head) or None)


# -- who refuses


def _refused(failing: Failing) -> Evidence:
    """Return who refuses, by permissions, by a mount, or by a limit or a lock."""
    if failing.op in LOCKING and not _is_lease(failing):
        return _locked(failing)
    asker = _asker(failing)
    if asker is None:
        return NOTHING
    base = Evidence(asked_uid=asker.uid, asked_gid=asker.gid)
    if _is_lease(failing):
        return base._replace(needs="CAP_LEASE")
    if _is_of_other_process(failing):
        return base._replace(refused_by=failing.file, obstacle=NOT_TRACEABLE)
    found = _refusal(_behind_link(failing), asker)
    if found is not None:
        return _with_refusal(base, found)
    if failing.op in (*EXECS, *OPENS) and failing.op not in OF_CALLS:
        return _by_mount(failing, base)
    limited = _limited(failing)
    if limited.limit_name is not None:
        return limited._replace(asked_uid=asker.uid, asked_gid=asker.gid)
    needed = needed_capability(failing.op, failing.record, failing.state.tree.tasks)
    lacks = needed is not None and not asker.has(CAPABILITIES[needed])
    return base._replace(needs=needed) if lacks else base


def _is_of_other_process(failing: Failing) -> bool:
    found = OF_PROCESS.match(failing.file)
    return found is not None and int(found[1]) != failing.task.group.pid


def _behind_link(failing: Failing) -> Failing:
    """Name what a link to a file of the process itself leads to, which is what refuses."""
    way = _of_path(steps_of(failing.record), 1) if OF_PROCESS.match(failing.file) else []
    return failing._replace(file=way[-1].name) if way else failing


def _is_lease(failing: Failing) -> bool:
    return failing.op in LOCKING[1:] and failing.record.arg2 & INT == F_SETLEASE


def _with_refusal(base: Evidence, found: Refusal) -> Evidence:
    step = found.step
    return base._replace(
        refused_by=step.name,
        refused_uid=step.uid,
        refused_user=user_name(step.uid),
        refused_gid=step.gid,
        refused_group=group_name(step.gid),
        refused_mode=octal_digits(step.mode),
        needs=found.needs,
        obstacle=found.obstacle,
    )


def _by_mount(failing: Failing, base: Evidence) -> Evidence:
    """Return what the options of a mount refuse: programs, or devices."""
    return (_noexec if failing.op in EXECS else _nodev)(failing, base)


def _nodev(failing: Failing, base: Evidence) -> Evidence:
    way = _of_path(steps_of(failing.record), 1)
    is_device = way and stat.S_IFMT(way[-1].mode) in (stat.S_IFCHR, stat.S_IFBLK)
    mount = find_mount(failing.parts.get(MOUNTS, b""), failing.file) if is_device else None
    if mount is None or NODEV not in mount.options:
        return base
    return base._replace(obstacle=NODEV, mount_point=mount.point)


def _noexec(failing: Failing, base: Evidence) -> Evidence:
    mount = find_mount(failing.parts.get(MOUNTS, b""), failing.file)
    head = failing.parts.get(HEAD, b"")
    if mount is None or NOEXEC not in mount.options:
        is_script = head.startswith(SCRIPT)
        return base._replace(interpreter=interpreter_of(head) or None if is_script else None)
    return base._replace(obstacle=NOEXEC, mount_point=mount.point)


def _asker(failing: Failing) -> Asker | None:
    record = failing.record
    real = failing.op in ("access", "faccessat") or (
        failing.op == "faccessat2" and not record.arg4 & AT_EACCESS
    )
    return read_asker(failing.parts.get(STATUS, b""), real=real)


def steps_of(record: RawRecord) -> list[Step]:
    """Return what a record says of the ways to the paths of its call."""
    parts = (part for part in record.all_parts(STEP) if len(part) >= STEP_LAYOUT.size)
    return [_step(part) for part in parts]


def _step(part: bytes) -> Step:
    mode, uid, gid, path, attributes = STEP_LAYOUT.unpack_from(part)
    return Step(mode, uid, gid, path, attributes, text(part[STEP_LAYOUT.size :]))


def _refusal(failing: Failing, asker: Asker) -> Refusal | None:
    found = _refusal_to(failing, asker)
    if found is None and asker.uid and failing.record.result == -errno.EACCES:
        # In a user namespace, capabilities are none over files of users that it does not map.
        found = _refusal_to(failing, asker._replace(capabilities=0))
    return found


def _refusal_to(failing: Failing, asker: Asker) -> Refusal | None:
    steps = steps_of(failing.record)
    first, second = (_of_path(steps, number) for number in (1, 2))
    name = failing.file or (first[-1].name if first else "")
    error = -failing.record.result
    found = (
        find_refusal(first, name, asker, _wanted(failing, first, name), error) if first else None
    )
    if found is None and second:
        wanted = SECOND.get(failing.op, Wanted())
        found = find_refusal(second, failing.other or failing.file, asker, wanted, error)
    return found


def _of_path(steps: Sequence[Step], path: int) -> list[Step]:
    return [step for step in steps if step.path == path]


def _wanted(failing: Failing, steps: Sequence[Step], name: str) -> Wanted:
    """Return the rights that a call needs of its first path."""
    op, record = failing.op, failing.record
    if op in OPENS:
        there = steps[-1].name == name
        return wanted_by_open(open_flags(record, failing.parts, op), there=there)
    if op in ACCESSES:
        return wanted_by_access(record.argument(ACCESSES[op]) & INT)
    if op in SETS_TIMES and record.result == -errno.EACCES:
        return WRITES  # to the present time, which not only the owner may
    return BY_OP.get(op, Wanted())


def _no_folder(failing: Failing) -> Evidence:
    """Return which name of a path is not of a folder: first one on the way, then what it means."""
    steps = steps_of(failing.record)
    ends = (failing.file, failing.other)
    files = [step.name for step in steps if not stat.S_ISDIR(step.mode)]
    if failing.op in OPENS and steps and steps[-1].name in ends and stat.S_ISLNK(steps[-1].mode):
        return _not_followed(steps[-1])  # O_DIRECTORY with O_NOFOLLOW
    found = min(files, key=lambda name: name in ends, default=None)
    if found is None and not steps:
        found = _started_from(failing)
    if found is None and failing.op in MOUNTING and _meant(failing, 2):
        return Evidence(detail="the target is a folder, and the source none")
    return NOTHING if found is None else Evidence(refused_by=found, obstacle=NO_FOLDER)


def _started_from(failing: Failing) -> str | None:
    """Return the file, no folder, at whose fd a path would start, or which was to be the cwd."""
    file = failing.task.table.fds.get(failing.record.arg1 & INT)
    is_file = file is not None and file.stat is not None and not stat.S_ISDIR(file.stat.mode)
    return file.path if file is not None and is_file else None


def _not_followed(step: Step) -> Evidence:
    """Return the symbolic link that open(2) was not to follow (O_NOFOLLOW)."""
    return Evidence(refused_by=step.name, obstacle=LINK)


def _loop(failing: Failing) -> Evidence:
    """Return which symbolic link is not followed, in the order in which the kernel asks.

    That is pick_link() in fs/namei.c.
    """
    steps, targets = steps_of(failing.record), failing.record.all_parts(TARGET)
    links = [step for step in steps if stat.S_ISLNK(step.mode)]
    if len(links) != len(targets):
        return NOTHING
    leads = {link.name: text(target) for link, target in zip(links, targets, strict=True)}
    for number in (1, 2):
        names = [link.name for link in _of_path(links, number)]
        if detail := _too_many_links(names, leads) or _forbidden_link(failing, names):
            return Evidence(detail=detail)
    last = next((way[-1] for path in (2, 1) if (way := _of_path(steps, path))), None)
    return _not_followed(last) if last and stat.S_ISLNK(last.mode) else NOTHING


def _too_many_links(names: list[str], leads: dict[str, str]) -> str:
    if len(names) <= MOST_LINKS:
        return ""
    first = next((name for name in names if names.count(name) > 1), None)
    if first is None:
        return f"more than {MOST_LINKS} links are on the way, from {names[0]} to {names[-1]}"
    target = leads[first]
    is_alone = target == first.rpartition("/")[2]
    back = "itself" if is_alone else f"{target}, which leads back to it"
    return f"{first} is a link to {back}"


def _forbidden_link(failing: Failing, names: list[str]) -> str:
    """Say which link a flag of openat2(2), or of the mount that it is on, forbids to follow."""
    how = failing.parts.get(HOW, b"")
    resolve = OPEN_HOW.unpack_from(how)[2] if len(how) >= OPEN_HOW.size else 0
    if names and resolve & NO_LINKS:
        return f"{names[0]} is a symbolic link, and RESOLVE_NO_SYMLINKS allows none"
    for name in names:
        if resolve & NO_MAGIC_LINKS and OF_PROCESS.match(name):
            return f"{name} is a link of the kernel's own, and RESOLVE_NO_MAGICLINKS allows none"
        mount = find_mount(failing.parts.get(MOUNTS, b""), name)
        if mount is not None and NO_FOLLOWING in mount.options:
            return f"{name} is a symbolic link, and {mount.point} is mounted {NO_FOLLOWING}"
    return ""


# -- limits and file systems


def _too_many(failing: Failing) -> Evidence:
    """Return which number of fds is reached: that of the process, or of inotify."""
    found = _limited(failing)
    if failing.op not in INOTIFY or found.limit_value is None:
        return found
    full = len(failing.task.table.fds) >= found.limit_value
    return found if full else _by_sysctl(failing)


def _by_sysctl(failing: Failing) -> Evidence:
    name = INOTIFY[failing.op]
    value = int((SYSCTL_INOTIFY / name).read_text())
    return Evidence(limit_name=f"fs.inotify.{name}", limit_value=value)


def _limited(failing: Failing) -> Evidence:
    """Return the limit that is why: of several that may be, the first that is set."""
    for part in failing.record.all_parts(LIMIT):
        if len(part) != LIMIT_LAYOUT.size:
            continue
        resource, soft, _hard = LIMIT_LAYOUT.unpack(part)
        name = LIMITS.get(resource, "")
        if name in OF_MEMORY and failing.op in LOCKING_MEMORY:
            continue
        if soft != NO_LIMIT and not (name == "RLIMIT_MEMLOCK" and _fits(failing, soft)):
            return Evidence(limit_name=name, limit_value=soft)
    return NOTHING


def _fits(failing: Failing, most: int) -> bool:
    """Return whether the memory that was to be locked is none, or no more than may be."""
    if failing.op in LOCKING_MEMORY:
        return _locked_then(failing) <= most
    return failing.op not in LOCKED_MEMORY


def _locked_then(failing: Failing) -> int:
    """Return how many bytes mlock(2) would have locked in all; 0: no limit holds (mm/mlock.c)."""
    status, record = failing.parts.get(STATUS, b""), failing.record
    asker, locked = read_asker(status), LOCKED.search(status)
    if asker is not None and asker.has(CAPABILITIES["CAP_IPC_LOCK"]):
        return 0
    pages = -(-(record.arg1 % PAGE + record.arg2) // PAGE) if status else 0
    return max(record.arg2, pages * PAGE) + (int(locked[1]) * KIB if locked else 0)


def _no_memory(failing: Failing) -> Evidence:
    """Return the limit, or that of mlock(2) the memory itself is why."""
    found = _limited(failing)
    is_known = failing.op in LOCKING_MEMORY and STATUS in failing.parts
    return Evidence(detail=UNUSABLE) if found is NOTHING and is_known else found


def _too_large(failing: Failing) -> Evidence:
    """Return the limit, or that of a call that sets a size the file system has none as large."""
    found = _limited(failing)
    is_known = failing.op in SETS_SIZE and LIMIT in failing.parts
    return Evidence(detail=NO_FILE_SO_LARGE) if found is NOTHING and is_known else found


def _try_again(failing: Failing) -> Evidence:
    """Return who holds a lock, or why there cannot be one process more."""
    if failing.op in LOCKING:
        return NOTHING if _is_lease(failing) else _locked(failing)
    if LIMIT not in failing.parts:
        return NOTHING
    most = reached_pids_max(failing.task.group.pid)
    if most is not None:
        return Evidence(limit_name="pids.max", limit_value=most)
    return NOTHING if failing.task.group.image.uid == 0 else _limited(failing)


def _file_system(failing: Failing) -> Evidence:
    if failing.op in INOTIFY:
        return _by_sysctl(failing)
    if failing.file.startswith(DEVICES):
        return NOTHING
    mount = find_mount(failing.parts.get(MOUNTS, b""), failing.other or failing.file)
    if mount is None or (failing.record.result == -errno.EROFS and READ_ONLY not in mount.options):
        return NOTHING
    return Evidence(mount_point=mount.point, obstacle=_no_inodes(failing))


def _no_inodes(failing: Failing) -> str | None:
    space = failing.parts.get(SPACE, b"")
    if len(space) != SPACE_LAYOUT.size:
        return None
    files, free = SPACE_LAYOUT.unpack(space)
    return NO_INODES if files and not free else None


def _mounted(failing: Failing) -> Evidence:
    """Return the name that cannot be removed or renamed, as something is mounted there."""
    if failing.op in UMOUNTS:
        inside = mount_inside(failing.parts.get(MOUNTS, b""), _text(failing.parts, NAME) or "")
        return Evidence(detail=f"{inside} is mounted inside of it") if inside else _busy(failing)
    for file in filter(None, (failing.file, failing.other)):
        mount = find_mount(failing.parts.get(MOUNTS, b""), file)
        if mount is not None and mount.point == file:
            return Evidence(mount_point=mount.point, obstacle=MOUNTED)
    return NOTHING


# -- who holds it


def _locked(failing: Failing) -> Evidence:
    file = failing.task.table.fds.get(failing.record.arg1 & INT)
    if file is None or file.stat is None:
        return NOTHING
    table, asker = failing.parts.get(LOCKS), failing.task.group.pid
    return _held(holder_of_lock(failing.state, file.stat, table, asker))


def _busy(failing: Failing) -> Evidence:
    return _held(holder_in(failing.state, failing.parts.get(HOLDER)))


def _held(holder: Holder | None) -> Evidence:
    return NOTHING if holder is None else Evidence(holder_pid=holder.pid, holder_cmd=holder.cmd)


def evidence_of_flow(
    state: State, task: Task, record: RawRecord, op: str, transport: str, end: Address | None
) -> Evidence | None:
    """Return what is known of why a call on a socket failed; `end` is the address that it named."""
    error = -record.result
    if error == errno.EADDRINUSE and end is not None:
        return _in_use(state, task, op, transport, end)
    name = Names(end.host) if end is not None and end.family == "unix" else NO_NAMES
    found = evidence_of(state, task, record, op, name)
    if found is not None and end is not None and error == errno.EACCES and not found.refused_by:
        return _privileged_port(found, op, end)
    return found


def _in_use(state: State, task: Task, op: str, transport: str, end: Address) -> Evidence | None:
    holder = holder_of_address(state, task, transport, end, listens=op != "bind")
    if holder is not None:
        return _held(holder)
    if end.port and waits_to_end(task, transport, end):
        return Evidence(obstacle=TIME_WAIT)
    return Evidence(obstacle=LEFT_THERE) if end.family == "unix" and end.host[:1] == "/" else None


def _privileged_port(found: Evidence, op: str, end: Address) -> Evidence:
    if op == "bind" and 0 < end.port <= LAST_PRIVILEGED_PORT:
        return found._replace(needs="CAP_NET_BIND_SERVICE")
    return found


REASONS: dict[int, Callable[[Failing], Evidence]] = {
    errno.ENOENT: _not_there,
    errno.ENOEXEC: _not_executable,
    errno.EACCES: _refused,
    errno.EPERM: _refused,
    errno.ENOTDIR: _no_folder,
    errno.ELOOP: _loop,
    errno.EMFILE: _too_many,
    errno.ENOMEM: _no_memory,
    errno.EFAULT: _limited,
    errno.EFBIG: _too_large,
    errno.EAGAIN: _try_again,
    errno.ENOSPC: _file_system,
    errno.EDQUOT: _file_system,
    errno.EROFS: _file_system,
    errno.EBUSY: _mounted,
    errno.EDEADLK: _locked,
    errno.ETXTBSY: _busy,
}
"""Error → what its evidence says."""
