"""Calls that are watched for their failures alone: locks, rights, limits, memory, mounts.

A few words describe what such a call was about, made of its arguments as the program passed them.
"""

from __future__ import annotations

from collections.abc import Callable

from scopetrace.decode.failed import emit_failed, emit_failed_fd, emit_process_failed
from scopetrace.decode.parts import PATH, Parts
from scopetrace.decode.path_arguments import Names, path_of, second_path_of
from scopetrace.decode.paths import text
from scopetrace.decode.state import INT, Handler, State, signed
from scopetrace.decode.tasks import Task, fork_name
from scopetrace.model.call import Call
from scopetrace.model.names import LIMITS
from scopetrace.model.raw import RawRecord

What = Callable[[Task, RawRecord, Parts, Call], str]
"""Describes what a call was about."""

MAP_ANONYMOUS = 0x20
CLONE_THREAD = 0x10000

KINDS = {
    "lock": ("flock", "fcntl__lock", "fcntl64__lock"),
    "attr": (
        *("utime", "utimes", "futimesat", "utimensat", "utimensat_time64"),
        *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
    ),
    "read_write": ("fallocate", "fsync", "fdatasync", "syncfs"),
    "watch": ("inotify_add_watch", "fanotify_mark"),
}
"""What fs.error calls class → the calls of it."""

NAMESPACES = {
    0x80: "CLONE_NEWTIME",
    0x200: "CLONE_FS",
    0x400: "CLONE_FILES",
    0x20000: "CLONE_NEWNS",
    0x40000: "CLONE_SYSVSEM",
    0x2000000: "CLONE_NEWCGROUP",
    0x4000000: "CLONE_NEWUTS",
    0x8000000: "CLONE_NEWIPC",
    0x10000000: "CLONE_NEWUSER",
    0x20000000: "CLONE_NEWPID",
    0x40000000: "CLONE_NEWNET",
}
"""Flags of unshare(2)."""
WHOSE = ("process", "group", "user")
"""What setpriority(2) and ioprio_set(2), there from 1, count from."""
RIGHTS = {
    8: "PR_SET_KEEPCAPS",
    22: "PR_SET_SECCOMP",
    24: "PR_CAPBSET_DROP",
    28: "PR_SET_SECUREBITS",
    35: "PR_SET_MM",
    47: "PR_CAP_AMBIENT",
}
"""Options of prctl(2)."""
SECCOMP = (
    "SECCOMP_SET_MODE_STRICT",
    "SECCOMP_SET_MODE_FILTER",
    "SECCOMP_GET_ACTION_AVAIL",
    "SECCOMP_GET_NOTIF_SIZES",
)
TRACES = {0: "PTRACE_TRACEME", 16: "PTRACE_ATTACH", 0x4206: "PTRACE_SEIZE"}
BPF = ("BPF_MAP_CREATE", *(f"command {number}" for number in range(1, 5)), "BPF_PROG_LOAD")


def _on_file_call(kind: str) -> Handler:
    """Return the handler of a call about a path, or else about the file behind its first fd."""

    def handler(state: State, task: Task, record: RawRecord, call: Call) -> None:
        parts = record.parts()
        if record.result >= 0:
            return
        if PATH in parts:
            emit_failed(state, task, record, call.op, kind, path_of(task, record, parts, call))
        else:
            emit_failed_fd(state, task, record, call.op, kind, record.arg1)

    return handler


def on_getcwd(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that the working directory has no name: getcwd(2)."""
    if record.result < 0:
        emit_failed(state, task, record, call.op, "cwd", Names(task.folders.cwd))


def on_fork(state: State, task: Task, record: RawRecord, call: Call) -> None:
    """Emit that a process or a thread could not be made; named as `proc.fork` names the call."""
    if record.result >= 0:
        return
    flags = record.arg1 if call.op.startswith("clone") else 0
    name = "vfork" if call.op == "vfork" else fork_name(flags)
    emit_process_failed(state, task, record, name, "thread" if flags & CLONE_THREAD else "process")


def on_process_call(what: What) -> Handler:
    """Return the handler of a call that is about what `what` says."""

    def handler(state: State, task: Task, record: RawRecord, call: Call) -> None:
        if record.result < 0:
            about = what(task, record, record.parts(), call)
            emit_process_failed(state, task, record, call.op, about)

    return handler


def named(names: dict[int, str] | tuple[str, ...], number: int) -> str:
    """Return the name of a number, or itself."""
    found = names if isinstance(names, dict) else dict(enumerate(names))
    return found.get(number & INT, str(signed(number)))


def _nothing(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    return ""


def _path(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    return path_of(task, record, parts, call).file


def _text(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    """What is passed like a path, and is plain text."""
    return text(parts.get(PATH, b""))


def _mounted(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    """What is mounted may be a device, a folder, or just a word."""
    source = _text(task, record, parts, call)
    target = second_path_of(task, record, parts, call).file
    return f"{source} on {target}" if source else target


def _argument(form: str, position: int) -> What:
    """Describe a call by the argument at that position, an int."""
    return lambda task, record, parts, call: form.format(signed(record.argument(position)))


def _arguments(form: str, count: int) -> What:
    """Describe a call by its first arguments, each an int."""
    return lambda task, record, parts, call: form.format(*map(signed, record.args[:count]))


def _bytes(position: int) -> What:
    """Describe a call by a number of bytes, the argument at that position."""
    return lambda task, record, parts, call: f"{record.argument(position)} bytes"


def _name(names: dict[int, str] | tuple[str, ...], position: int) -> What:
    """Describe a call by the name of the argument at that position."""
    return lambda task, record, parts, call: named(names, record.argument(position))


def _limited(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    """Name the limit, and the process if it is another one than the caller (pid 0)."""
    name, pid = named(LIMITS, record.arg2), signed(record.arg1)
    return f"{name} of process {pid}" if pid else name


def _mapped(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    """So many bytes, and of which file."""
    file = None if record.arg4 & MAP_ANONYMOUS else task.table.fds.get(record.arg5 & INT)
    return f"{record.arg2} bytes{f' of {file.path}' if file is not None and file.path else ''}"


def _grown(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    """How much was asked for: from where the heap ends to where it should end."""
    return f"{record.arg1 - record.arg2} bytes more"


def _namespaces(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    return "|".join(name for bit, name in NAMESPACES.items() if record.arg1 & bit)


def _namespace_of(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    file = task.table.fds.get(record.arg1 & INT)
    return file.path if file is not None and file.path else f"fd {signed(record.arg1)}"


def _traced(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    name = named(TRACES, record.arg1)
    return f"{name} of {signed(record.arg2)}" if record.arg1 else name


def _priority(task: Task, record: RawRecord, parts: Parts, call: Call) -> str:
    which = record.arg1 - (call.op == "ioprio_set")
    whose = WHOSE[which] if 0 <= which < len(WHOSE) else f"{which}"
    return f"priority {signed(record.arg3)} of {whose} {signed(record.arg2)}"


ABOUT_A_PATH = (
    *("umount", "umount2", "open_tree", "mount_setattr", "fspick"),
    *("swapon", "swapoff", "acct", "quotactl"),
)
NAMED_BY_THE_CALL = (
    *("capset", "mlockall", "fsconfig", "fsmount", "quotactl_fd", "add_key"),
    *("request_key", "userfaultfd", "timerfd_create", "signalfd", "signalfd4"),
    *("inotify_init", "inotify_init1", "fanotify_init", "memfd_secret", "msgget"),
    *("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"),
    *("timer_create", "set_mempolicy", "adjtimex", "clock_adjtime"),
    *("sethostname", "setdomainname", "settimeofday", "stime", "clock_settime"),
    *("clock_settime64", "init_module", "finit_module", "kexec_load", "kexec_file_load"),
    *("reboot", "syslog", "vhangup", "iopl", "ioperm"),
)
"""Calls whose name is all that is said: their arguments are structs, keys or flags."""

WHATS: dict[str, What] = {
    **dict.fromkeys(("setgroups", "setgroups32"), _argument("{} groups", 1)),
    "prctl__rights": _name(RIGHTS, 1),
    "prctl": _name(RIGHTS, 1),
    "seccomp": _name(SECCOMP, 1),
    "ptrace": _traced,
    "setrlimit": _name(LIMITS, 1),
    "prlimit64": _limited,
    "nice": _argument("{}", 1),
    **dict.fromkeys(("setpriority", "ioprio_set"), _priority),
    **dict.fromkeys(
        (
            *("sched_setscheduler", "sched_setparam", "sched_setattr", "sched_setaffinity"),
            *("migrate_pages", "move_pages"),
        ),
        _argument("process {}", 1),
    ),
    "pidfd_open": _argument("process {}", 1),
    "perf_event_open": lambda task, record, parts, call: (
        f"process {signed(record.arg2)}, CPU {signed(record.arg3)}"
    ),
    "unshare__any": _namespaces,
    "setns__any": _namespace_of,
    "mount": _mounted,
    **dict.fromkeys(ABOUT_A_PATH, _path),
    "move_mount": _mounted,
    **dict.fromkeys(("fsopen", "mq_open", "mq_unlink", "delete_module"), _text),
    "io_setup": _argument("{} operations", 1),
    "keyctl": _argument("operation {}", 1),
    "bpf": _name(BPF, 1),
    **dict.fromkeys(
        ("mlock", "mlock2", "shmget", "mbind", "mprotect", "munmap", "msync"), _bytes(2)
    ),
    **dict.fromkeys(("mremap", "mremap__large"), _bytes(3)),
    **dict.fromkeys(("mmap__any", "mmap2__any", "mmap__large", "mmap2__large"), _mapped),
    "brk": _grown,
    **dict.fromkeys(("shmat", "shmctl"), _argument("segment {}", 1)),
    "semget": _argument("{} semaphores", 2),
    "semctl": _argument("semaphores {}", 1),
    "msgctl": _argument("queue {}", 1),
    "personality": lambda task, record, parts, call: f"{record.arg1 & INT:#x}",
    **dict.fromkeys(NAMED_BY_THE_CALL, _nothing),
}
"""What each call is about."""

unshare_failed = on_process_call(_namespaces)
"""Handles an unshare(2) that failed."""
setns_failed = on_process_call(_namespace_of)
"""Handles a setns(2) that failed."""

CALLS: dict[str, Handler] = {
    **{op: _on_file_call(kind) for kind, ops in KINDS.items() for op in ops},
    "getcwd": on_getcwd,
    **dict.fromkeys(("fork", "vfork", "clone__any", "clone3__any"), on_fork),
    **{op: on_process_call(what) for op, what in WHATS.items()},
}
