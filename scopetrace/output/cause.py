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
from scopetrace.output.meanings import MEANINGS, OF_CALLS
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
OTHER_REASONS = "a user namespace, a seccomp filter or a security module"
TERMINALS = ("/dev/pts/", "/dev/ptmx", TERMINAL)
LOCK = "lock"
"""Class of the calls that lock a file: fcntl and flock."""
CAPABILITY = "CAP_"
OWN_MACHINE = "x86-64"
"""For which programs can be recorded."""
MOST_OF_COMMAND = 60
"""Columns of the command line of who has something."""

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
REMOVING = ("unlink", "rmdir")
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
    return found_cause(data) or _meaning(data)


def found_cause(data: Data) -> str:
    """Return what the evidence of a failed call says; empty: nothing."""
    return next(filter(None, (describe(data) for describe in CAUSES)), "")


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
    if error == "EIO" and str(data.get("file")).startswith(TERMINALS):
        return "the other end of the terminal is closed, or the process is in the background"
    if "asked_uid" in data:
        return f"{_asker(data)} is refused for another reason than permissions: {OTHER_REASONS}"
    return MEANINGS.get(error, "")


def _missing(data: Data) -> str:
    if data.get("detail"):
        return ""
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
    if machine == OWN_MACHINE:
        return f"it is a program for {machine}, but damaged or cut off"
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
    return ""


def _of_kernel(data: Data) -> str:
    """Say what the kernel asks of those who write to its files in /proc and /sys."""
    path, op = str(data.get("file_new") or data.get("file", "")), str(data.get("op"))
    if not path.startswith(("/proc/", "/sys/")):
        return ""
    error = str(data.get("error"))
    if error == "EIO" and path.endswith("/mem"):
        return "the process has no memory at this position"
    if SHORT_NAMES.get(op, op) in MAKING and error in ("ENOENT", "EPERM"):
        return "only the kernel makes something there" if "missing_folder" not in data else ""
    if SHORT_NAMES.get(op, op) in REMOVING and error == "EPERM":
        return "only the kernel removes something there"
    if op.startswith(("chmod", "fchmod")) and error == "EPERM" and "refused_by" not in data:
        return "the permissions of such files cannot be changed"
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
    "nodev": lambda data: f"{escape(str(data.get('mount_point')))} is mounted nodev",
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


RUNS = "runs it"
HOLDS = {"ETXTBSY": RUNS, "EBUSY": "uses it"}


def _holder(data: Data) -> str:
    pid = data.get("holder_pid")
    if pid is None:
        explained = data.get("needs") or data.get("detail")
        return "another process holds the lock" if _is_lock(data) and not explained else ""
    command = escape(str(data.get("holder_cmd") or "process"))
    waits = ", and waits for this process" if data.get("error") == "EDEADLK" else ""
    verb = HOLDS.get(str(data.get("error")), "has it")
    if verb == RUNS and SHORT_NAMES.get(str(data.get("op"))) == "exec":
        verb = "has it open for writing"
    return f"{shorten(command, MOST_OF_COMMAND)} [{pid}] {verb}{waits}"


def _is_lock(data: Data) -> bool:
    return data.get("class") == LOCK and data.get("error") in ("EAGAIN", "EACCES")


def _broadcast(data: Data) -> str:
    to_all = str(data.get("net_peer_ip", "")).endswith(".255") and data.get("error") == "EACCES"
    return "it is a broadcast address, and SO_BROADCAST is not set" if to_all else ""


def _detail(data: Data) -> str:
    return _quoted(data, "detail")


def _interrupted(data: Data) -> str:
    name = data.get("interrupted_by")
    return f"{escape(str(name))} came, and a function of the program handled it" if name else ""


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
    _interrupted,
    _answer,
)
"""What evidence says, in the order in which it is asked."""
