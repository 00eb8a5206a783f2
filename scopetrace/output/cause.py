"""A failed call as a sentence: `open /var/log/x: EACCES, uid 65534 may not write (root:adm 0640)`.

What comes after the error is what its evidence says (`model.evidence`), or else what the error
itself means for such a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from scopetrace.model.exchange import url_of
from scopetrace.output.escape import escape
from scopetrace.output.width import shorten

Data = Mapping[str, Any]

SHORT_NAMES = {
    **dict.fromkeys(("openat", "openat2", "creat"), "open"),
    **dict.fromkeys(("newfstatat", "fstatat64", "statx", "lstat", "stat64", "lstat64"), "stat"),
    **dict.fromkeys(("execve", "execveat"), "exec"),
    **dict.fromkeys(("faccessat", "faccessat2"), "access"),
    **dict.fromkeys(("renameat", "renameat2"), "rename"),
    **dict.fromkeys(("fchmodat", "fchmodat2", "fchmod"), "chmod"),
    **dict.fromkeys(("fchownat", "fchown", "lchown", "chown32"), "chown"),
    **dict.fromkeys(("pwrite64", "writev", "pwritev", "pwritev2"), "write"),
    **dict.fromkeys(("pread64", "readv", "preadv", "preadv2"), "read"),
    "unlinkat": "unlink",
    "mkdirat": "mkdir",
    "mknodat": "mknod",
    "linkat": "link",
    "symlinkat": "symlink",
    "readlinkat": "readlink",
    "ftruncate": "truncate",
    "accept4": "accept",
}
"""System calls that differ in how they name their file → the one whose name is shown."""
MEMORY_FILE = "memfd:"
"""In what /proc calls a file of memfd_create(2)."""
TCP = "IP.TCP"
TERMINAL = "/dev/tty"
"""The controlling terminal of the process that opens it: tty(4)."""
LOCK = "lock"
"""Class of the calls that lock a file: fcntl and flock."""
CAPABILITY = "CAP_"
MOST_OF_COMMAND = 60
"""Columns of the command line of who has something."""

MEANINGS = {
    "ENOENT": "it is not there",
    "ENOTDIR": "a name on the way is no folder",
    "EISDIR": "it is a folder",
    "EEXIST": "it is there already",
    "ENOTEMPTY": "the folder is not empty",
    "EXDEV": "the two are on different file systems",
    "ELOOP": "too many symbolic links lead to each other",
    "ENAMETOOLONG": "a name is longer than 255 bytes, or the path than 4095",
    "ENOEXEC": "it is neither a program for this machine nor a script that begins with #!",
    "ETXTBSY": "the program file is being run or written",
    "ENOSPC": "no space is left",
    "EMLINK": "it has as many names as its file system allows",
    "ENOTBLK": "it is no block device",
    "ENOLCK": "the kernel or the file system has no lock left",
    "ENOBUFS": "the kernel has no memory left for sockets",
    "ESTALE": "the file is not there any more on the server",
    "ENOPROTOOPT": "the socket has no such option",
    "EALREADY": "the socket is being connected already",
    "ENOKEY": "there is no such key",
    "EDQUOT": "the quota is used up",
    "EROFS": "the file system is mounted read-only",
    "EMFILE": "the process has as many fds as it may",
    "ENFILE": "the system has as many open files as it may",
    "ENOMEM": "there is not enough memory",
    "EFBIG": "the file would be larger than it may",
    "EBUSY": "it is in use",
    "EIO": "the device or the file system could not read or write",
    "EFAULT": "a pointer leads to memory that the process does not have",
    "ENXIO": "there is no such device",
    "ENODEV": "there is no such device",
    "ENODATA": "it has no attribute of that name",
    "ESPIPE": "it has no positions: a pipe, a socket or a terminal",
    "EOVERFLOW": "a number is larger than its type may hold",
    "EDEADLK": "the process that has it waits for this one",
    "EADDRINUSE": "the address is in use",
    "EADDRNOTAVAIL": "this machine does not have that address",
    "EAFNOSUPPORT": "the kernel does not have that address family, or the socket is of another one",
    "EPROTONOSUPPORT": "the family has no such protocol for this type of socket",
    "ESOCKTNOSUPPORT": "the family has no such type of socket",
    "EPROTOTYPE": "the socket there is of another type",
    "EOPNOTSUPP": "this file or socket does not support it",
    "ENOTSOCK": "it is no socket",
    "ENOTCONN": "the socket is not connected",
    "EISCONN": "the socket is connected already",
    "EDESTADDRREQ": "the socket is not connected, and no address was passed",
    "EMSGSIZE": "the message is longer than the socket can send at once",
    "ECONNREFUSED": "no process listens there",
    "ECONNRESET": "the peer broke the connection",
    "EPIPE": "the reader has gone",
    "ETIMEDOUT": "there was no answer",
    "timeout": "there was no answer",
    "EHOSTUNREACH": "no way leads to that host",
    "ENETUNREACH": "no way leads to that network",
    "NXDOMAIN": "there is no such name",
    "SERVFAIL": "the name server failed",
    "REFUSED": "the name server refuses to answer",
    "ESRCH": "there is no such process",
    "ECHILD": "there is no child to wait for",
    "ENOSYS": "the kernel does not have this call",
    "seccomp": "a seccomp filter of the program refused it",
}
NOT_MAPPED = "a part of this memory is not mapped"
NOT_TRACEABLE = "the caller may not trace that process (ptrace(2))"
FOLDER_REMOVED = "the folder has been removed"
NO_LEVEL = "the socket has no options of that level"
OF_SEGMENTS = ("shmget", "shmat", "shmctl")
OF_MESSAGES = ("msgget", "msgsnd", "msgrcv", "msgctl")
SEMAPHORES = ("semop", "semtimedop", "semtimedop_time64")
OF_SETS = ("semget", "semctl", *SEMAPHORES)
SET_ATTRIBUTE = ("setxattr", "lsetxattr", "fsetxattr")
ATTRIBUTES = (*SET_ATTRIBUTE, "removexattr", "lremovexattr", "fremovexattr")
OF_CALLS = {
    ("getcwd", "ENOENT"): FOLDER_REMOVED,
    ("getdents64", "ENOENT"): FOLDER_REMOVED,
    ("openat2", "EXDEV"): "the path leads out of what `resolve` allows: its folder or file system",
    ("openat2", "ELOOP"): "`resolve` allows no link on the way, or links lead to each other",
    ("getsockopt", "EOPNOTSUPP"): NO_LEVEL,
    ("setsockopt", "EOPNOTSUPP"): NO_LEVEL,
    ("socketpair", "EOPNOTSUPP"): "the family has no connected pairs of sockets",
    **dict.fromkeys(
        ((op, "EPIPE") for op in ("sendto", "sendmsg", "sendmmsg")),
        "the other end has gone, or this one was shut down for sending",
    ),
    **dict.fromkeys(
        ((op, "EACCES") for op in (*OF_SEGMENTS, *OF_SETS, *OF_MESSAGES)),
        "the permissions of what has this key or id refuse it",
    ),
    ("mmap", "EEXIST"): "another mapping is there already",
    ("name_to_handle_at", "EOPNOTSUPP"): "the file system has no handles of files",
    ("setsockopt", "EDOM"): "the microseconds are not within 0 to 999999",
    ("rt_sigtimedwait", "EAGAIN"): "none of these signals came within that time",
    ("setsid", "EPERM"): "the process leads a process group already",
    ("setpgid", "EPERM"): "the process leads a session, or its session has no such group",
    ("setpgid", "ESRCH"): "it is neither this process nor a child of it",
    ("setgroups", "EPERM"): (
        "its user namespace has no map of groups yet, or forbids it (/proc/PID/setgroups)"
    ),
    ("umount2", "EBUSY"): "a process has a file open there, or its working folder",
    ("fcntl", "EOVERFLOW"): "the range of the lock ends behind the largest position",
    ("mount", "ENODEV"): "the kernel does not have that type of file system",
    ("listen", "EADDRINUSE"): "another socket listens there",
    ("epoll_ctl", "ELOOP"): "lists would wait for each other in a circle, or more than 5 deep",
    ("setsockopt", "ENOENT"): "the kernel has nothing of that name",
    ("name_to_handle_at", "EOVERFLOW"): "handle_bytes is smaller than the handle",
    ("sigaltstack", "ENOMEM"): "the stack is smaller than MINSIGSTKSZ",
    ("madvise", "ENOMEM"): NOT_MAPPED,
    ("munlock", "ENOMEM"): NOT_MAPPED,
    ("mprotect", "ENOMEM"): f"{NOT_MAPPED}, or there would be too many mappings",
    ("mlock", "ENOMEM"): f"{NOT_MAPPED}, or RLIMIT_MEMLOCK is reached with what is locked already",
    ("mlock2", "ENOMEM"): f"{NOT_MAPPED}, or RLIMIT_MEMLOCK is reached with what is locked already",
    ("mremap", "EFAULT"): NOT_MAPPED,
    ("ptrace", "ESRCH"): "there is no such process, or the caller does not trace it",
    ("pidfd_getfd", "EPERM"): NOT_TRACEABLE,
    ("process_vm_readv", "EPERM"): NOT_TRACEABLE,
    ("process_vm_writev", "EPERM"): NOT_TRACEABLE,
    ("userfaultfd", "EPERM"): (
        "without CAP_SYS_PTRACE that takes UFFD_USER_MODE_ONLY (sysctl vm.unprivileged_userfaultfd)"
    ),
    ("timer_create", "EAGAIN"): (
        "the user has as many timers and waiting signals as RLIMIT_SIGPENDING allows"
    ),
    ("msgrcv", "ENOMSG"): "the queue has no such message, and IPC_NOWAIT forbids to wait for one",
    ("msgrcv", "E2BIG"): "the message is longer than the buffer",
    ("msgsnd", "EAGAIN"): "the queue is full, and IPC_NOWAIT forbids to wait",
    ("add_key", "ENODEV"): "the kernel has no such type of keys",
    ("request_key", "ENODEV"): "the kernel has no such type of keys",
    ("keyctl", "EOPNOTSUPP"): "keys of this type do not support it",
    **dict.fromkeys(
        ((op, "EFBIG") for op in SEMAPHORES), "the set has no semaphore of that number"
    ),
    **dict.fromkeys(
        ((op, "EAGAIN") for op in SEMAPHORES),
        "a semaphore has not the value for it, and the call may not wait, or waited in vain",
    ),
    **dict.fromkeys(
        ((op, "ERANGE") for op in (*SEMAPHORES, "semctl")),
        "a semaphore would be negative, or larger than 32767",
    ),
    **dict.fromkeys(
        ((op, "EEXIST") for op in SET_ATTRIBUTE), "it has an attribute of that name already"
    ),
    **dict.fromkeys(
        (("execve", "E2BIG"), ("execveat", "E2BIG")),
        "an argument or variable is longer than 131071 bytes, or all are longer than may be",
    ),
    **dict.fromkeys(
        ((op, "E2BIG") for op in SET_ATTRIBUTE), "the value is longer than 65536 bytes"
    ),
    **dict.fromkeys(
        ((op, "ERANGE") for op in ATTRIBUTES), "its name is empty, or longer than 255 bytes"
    ),
    **dict.fromkeys(
        ((op, "EOPNOTSUPP") for op in ATTRIBUTES), "the file system has no attributes of that name"
    ),
    ("shmget", "ENOENT"): "there is no segment with this key, and none was to be made",
    ("semget", "ENOENT"): "there is no set with this key, and none was to be made",
    ("msgget", "ENOENT"): "there is no queue with this key, and none was to be made",
}
"""What an error means for one call, where that is more than for any."""
OF_PROC = {
    ("uid_map", "EPERM"): (
        "without CAP_SETUID one line may map only the own user, the map is written once, and"
        " before that the process must not have changed its user (user_namespaces(7))"
    ),
    ("gid_map", "EPERM"): (
        "without CAP_SETGID /proc/PID/setgroups has to be `deny` first, one line may map only the"
        " own group, and the map is written once (user_namespaces(7))"
    ),
    ("setgroups", "EPERM"): "it may be written only before gid_map, and in the own user namespace",
    ("oom_score_adj", "EACCES"): "a value below the least so far takes CAP_SYS_RESOURCE",
}
"""Name of a file in /proc/PID, and the error of writing to it, → what the kernel asks for."""
MAKING = ("mkdir", "mknod", "symlink", "link", "rename")
OF_NEW = {
    "EEXIST": "{} is there already",
    "EISDIR": "{} is a folder",
    "ENOTEMPTY": "{} is not empty",
}
"""What an error of a call on two names is about: the second."""
OF_OPEN = {
    "ENXIO": "it is a fifo that no process reads, a socket, or a device that is not there",
    "ENODEV": "there is no such device",
}


def failure_text(source: str, data: Data, folders: int = 1) -> str:
    """Return a failed call as one line; `folders`: in how many its file was looked for."""
    cause = cause_text(data, folders)
    error = data.get("error") or data.get("rcode", "")
    text = f"{_call(source, data, folders)}: {escape(str(error))}"
    return f"{text}, {cause}" if cause else text


def _call(source: str, data: Data, folders: int) -> str:
    op = str(data.get("op", ""))
    if source == "http.resp":
        return f"{escape(str(data.get('http_method', '')))} {escape(url_of(data))}".lstrip()
    verb = "look up" if source.startswith("dns.") else SHORT_NAMES.get(op, op)
    if data.get("class") == LOCK:
        verb = LOCK
    about = _about(data)
    if folders > 1:
        about = about.rstrip("/").rpartition("/")[2]
    return f"{verb} {escape(about)}".rstrip()


def _about(data: Data) -> str:
    for name in ("file", "domain", "what", "unix_peer_path", "unix_local_path"):
        if data.get(name):
            new = data.get("file_new")
            return f"{data[name]} to {new}" if new and name == "file" else str(data[name])
    for end in ("peer", "host"):
        if address := data.get(f"net_{end}_ip"):
            port = data.get(f"net_{end}_port")
            looked_up = data.get("net_peer_name") if end == "peer" else None
            host = f"{looked_up} ({address})" if looked_up else str(address)
            return f"{host} port {port}" if port else host
    return str(data.get("net_transport", ""))


def cause_text(data: Data, folders: int = 1) -> str:
    """Return why a call failed, as far as that is known; empty: nothing is."""
    if folders > 1:
        return f"in none of {folders} folders"
    found = next(filter(None, (describe(data) for describe in CAUSES)), "")
    return found or _meaning(data)


def _meaning(data: Data) -> str:
    """Return what the error means for such a call."""
    op, error = str(data.get("op", "")), str(data.get("error") or data.get("rcode", ""))
    if _is_sealed(data):
        return "the memory file is sealed (F_ADD_SEALS)"
    if error == "EPIPE" and data.get("net_transport") == TCP and "net_peer_ip" not in data:
        return MEANINGS["ENOTCONN"]
    if text := OF_CALLS.get((op, error)):
        return text
    if SHORT_NAMES.get(op, op) == "open" and error in OF_OPEN:
        no_terminal = error == "ENXIO" and data.get("file") == TERMINAL
        return "the process has no terminal" if no_terminal else OF_OPEN[error]
    new = data.get("file_new")
    if new and error in OF_NEW:
        return OF_NEW[error].format(escape(str(new)))
    return MEANINGS.get(error, "")


def _missing(data: Data) -> str:
    target = data.get("link_target")
    if target:
        link = data.get("missing_folder") or data.get("file") or data.get("unix_peer_path", "it")
        return f"{escape(str(link))} is a link to {escape(str(target))}, which is not there"
    if data.get("error") == "ENOENT" and "class" in data and not _about(data):
        return "the path is empty"
    if data.get("error") == "ENOENT" and _has_two(data) and not data.get("file_new"):
        return "the new path is empty"
    missing = data.get("missing_folder")
    return f"there is no folder {escape(str(missing))}" if missing else ""


def _has_two(data: Data) -> bool:
    return SHORT_NAMES.get(str(data.get("op")), data.get("op")) in ("rename", "link")


def _interpreter(data: Data) -> str:
    interpreter = data.get("interpreter")
    if not interpreter:
        return ""
    missing = {"ENOENT": "is not there", "EACCES": "may not be executed"}.get(
        str(data.get("error"))
    )
    return f"its interpreter {escape(str(interpreter))} {missing}" if missing else ""


def _machine(data: Data) -> str:
    machine = data.get("machine")
    return f"it is a program for {escape(str(machine))}, or damaged" if machine else ""


def _refused(data: Data) -> str:
    refuser, needs, obstacle = (data.get(name) for name in ("refused_by", "needs", "obstacle"))
    if obstacle in OBSTACLES:
        return OBSTACLES[obstacle](data)
    if not refuser:
        return _lacks(data, needs)
    itself = refuser in (data.get("file"), data.get("unix_peer_path"))
    where = "" if itself else f" {escape(str(refuser))}"
    also = " by its mode; it has an ACL" if obstacle == "acl" else ""
    right = f"may not {needs}{where}{also}"
    if needs == "owner":
        right = f"does not own {where.strip() or 'it'}"
    elif str(needs).startswith(CAPABILITY):
        right = f"lacks {needs}"
    return f"{_asker(data)} {right} ({_permissions(data)})"


def _asker(data: Data) -> str:
    return f"uid {data.get('asked_uid', '?')}"


def _permissions(data: Data) -> str:
    owner, group = data.get("refused_user", ""), data.get("refused_group", "")
    return f"{escape(str(owner))}:{escape(str(group))} {data.get('refused_mode', 0):04}"


def _lacks(data: Data, needs: object) -> str:
    if needs:
        return f"{_asker(data)} lacks {needs}"
    if (data.get("op"), data.get("error")) == ("ptrace", "EPERM"):
        return "a program that is recorded is traced already"
    known = "limit_name" in data or (data.get("op"), data.get("error")) in OF_CALLS
    known = known or _is_sealed(data)
    if "asked_uid" in data and not known:
        return f"{_asker(data)} is refused for another reason than permissions"
    return ""


def _of_kernel(data: Data) -> str:
    """Say what the kernel asks of those who write to its files in /proc and /sys."""
    path, op = str(data.get("file_new") or data.get("file", "")), str(data.get("op"))
    if not path.startswith(("/proc/", "/sys/")):
        return ""
    error = str(data.get("error"))
    if SHORT_NAMES.get(op, op) in MAKING and error in ("ENOENT", "EPERM"):
        return "only the kernel makes something there" if "missing_folder" not in data else ""
    if SHORT_NAMES.get(op, op) != "write":
        return ""
    takes_no = "this file of the kernel does not take what was written" if error == "EINVAL" else ""
    return OF_PROC.get((path.rpartition("/")[2], error), takes_no)


def _is_sealed(data: Data) -> bool:
    """Whether a memory file refuses to be written: memfd_create(2)."""
    is_memory = MEMORY_FILE in str(data.get("file") or data.get("what", ""))
    return is_memory and data.get("error") == "EPERM"


def _owner(data: Data) -> str:
    return escape(str(data.get("refused_user", "")))


def _quoted(data: Data, field: str) -> str:
    return escape(str(data.get(field, "")))


def _sticky(data: Data) -> str:
    return (
        f"{_asker(data)} owns neither the file nor {escape(str(data.get('refused_by')))},"
        f" which is sticky ({_permissions(data)})"
    )


def _by_attribute(word: str) -> Callable[[Data], str]:
    return lambda data: f"{escape(str(data.get('refused_by')))} is {word} (chattr)"


OBSTACLES: dict[str, Callable[[Data], str]] = {
    "sticky": _sticky,
    "protected_regular": lambda data: (
        f"it is {_owner(data)}'s, in a sticky folder (sysctl fs.protected_regular)"
    ),
    "protected_hardlinks": lambda data: (
        f"{_asker(data)} does not own {_quoted(data, 'refused_by')} (sysctl fs.protected_hardlinks)"
    ),
    "immutable": _by_attribute("immutable"),
    "append_only": _by_attribute("append-only"),
    "noexec": lambda data: f"{escape(str(data.get('mount_point')))} is mounted noexec",
    "no_folder": lambda data: f"{escape(str(data.get('refused_by')))} is no folder",
    "time_wait": lambda data: "a connection that ended a moment ago has it (TIME_WAIT)",
    "link": lambda data: "it is a symbolic link, which was not to be followed",
    "left_there": lambda data: "the file is there already, and no process is known that has it",
    "mounted": lambda data: f"{_quoted(data, 'mount_point')} is a mount point",
    "not_traceable": lambda data: (
        f"{_asker(data)} may not trace that process (ptrace(2), PTRACE_MODE_READ)"
    ),
    "no_inodes": lambda data: (
        f"the file system at {_quoted(data, 'mount_point')} has no inode left"
    ),
}


def _limit(data: Data) -> str:
    limit = data.get("limit_name")
    return f"{limit} is {data.get('limit_value')}" if limit else ""


ON_MOUNT = {
    "ENOSPC": "the file system at {} is full",
    "EDQUOT": "the quota on {} is used up",
    "EROFS": "{} is mounted read-only",
}


def _mount(data: Data) -> str:
    form, point = ON_MOUNT.get(str(data.get("error"))), data.get("mount_point")
    if data.get("obstacle") in OBSTACLES:
        return ""
    return form.format(escape(str(point))) if form and point else ""


def _holder(data: Data) -> str:
    pid = data.get("holder_pid")
    if pid is None:
        explained = data.get("needs") or data.get("detail")
        return "another process holds the lock" if _is_lock(data) and not explained else ""
    command = escape(str(data.get("holder_cmd") or "process"))
    waits = ", and waits for this process" if data.get("error") == "EDEADLK" else ""
    return f"{shorten(command, MOST_OF_COMMAND)} [{pid}] has it{waits}"


def _is_lock(data: Data) -> bool:
    return data.get("class") == LOCK and data.get("error") in ("EAGAIN", "EACCES")


def _broadcast(data: Data) -> str:
    to_all = str(data.get("net_peer_ip", "")).endswith(".255") and data.get("error") == "EACCES"
    return "it is a broadcast address, and SO_BROADCAST is not set" if to_all else ""


def _detail(data: Data) -> str:
    return _quoted(data, "detail")


def _answer(data: Data) -> str:
    status = data.get("http_status_code")
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


CAUSES: tuple[Callable[[Data], str], ...] = (
    _of_kernel,
    _missing,
    _limit,
    _holder,
    _mount,
    _detail,
    _broadcast,
    _interpreter,
    _machine,
    _refused,
    _answer,
)
"""What evidence says, in the order in which it is asked."""
