"""The capability that a call asks for which is not permitted (capabilities(7))."""

from __future__ import annotations

import stat
from collections.abc import Container

from scopetrace.decode.state import INT
from scopetrace.model.raw import RawRecord

CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_KILL": 5,
    "CAP_DAC_READ_SEARCH": 2,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_SETPCAP": 8,
    "CAP_NET_BIND_SERVICE": 10,
    "CAP_NET_RAW": 13,
    "CAP_IPC_LOCK": 14,
    "CAP_SYS_MODULE": 16,
    "CAP_SYS_RAWIO": 17,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_PACCT": 20,
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_BOOT": 22,
    "CAP_SYS_NICE": 23,
    "CAP_SYS_RESOURCE": 24,
    "CAP_SYS_TIME": 25,
    "CAP_SYS_TTY_CONFIG": 26,
    "CAP_MKNOD": 27,
    "CAP_LEASE": 28,
    "CAP_SYSLOG": 34,
    "CAP_PERFMON": 38,
    "CAP_BPF": 39,
}
"""The numbers of those that calls are refused for lack of (linux/capability.h)."""
OF_CALLS = {
    **dict.fromkeys(("kill", "tkill", "tgkill", "pidfd_send_signal"), "CAP_KILL"),
    **dict.fromkeys(("setuid", "setreuid", "setresuid", "setuid32"), "CAP_SETUID"),
    **dict.fromkeys(("setgid", "setregid", "setresgid", "setgroups", "setgid32"), "CAP_SETGID"),
    **dict.fromkeys(("mount", "umount2", "umount", "pivot_root", "swapon"), "CAP_SYS_ADMIN"),
    **dict.fromkeys(("swapoff", "move_mount", "open_tree", "mount_setattr"), "CAP_SYS_ADMIN"),
    **dict.fromkeys(("fsopen", "fsmount", "fspick", "fanotify_init"), "CAP_SYS_ADMIN"),
    **dict.fromkeys(("unshare", "setns", "quotactl", "quotactl_fd"), "CAP_SYS_ADMIN"),
    **dict.fromkeys(("sethostname", "setdomainname"), "CAP_SYS_ADMIN"),
    **dict.fromkeys(("setpriority", "nice", "ioprio_set", "sched_setscheduler"), "CAP_SYS_NICE"),
    **dict.fromkeys(("migrate_pages", "move_pages"), "CAP_SYS_NICE"),
    **dict.fromkeys(("setrlimit", "prlimit64"), "CAP_SYS_RESOURCE"),
    **dict.fromkeys(("settimeofday", "clock_settime", "stime"), "CAP_SYS_TIME"),
    **dict.fromkeys(("clock_settime64", "adjtimex", "clock_adjtime"), "CAP_SYS_TIME"),
    **dict.fromkeys(("init_module", "finit_module", "delete_module"), "CAP_SYS_MODULE"),
    **dict.fromkeys(("mlock", "mlockall"), "CAP_IPC_LOCK"),
    **dict.fromkeys(("mknod", "mknodat"), "CAP_MKNOD"),
    **dict.fromkeys(("chroot",), "CAP_SYS_CHROOT"),
    **dict.fromkeys(("ptrace",), "CAP_SYS_PTRACE"),
    **dict.fromkeys(("reboot", "kexec_load", "kexec_file_load"), "CAP_SYS_BOOT"),
    **dict.fromkeys(("iopl", "ioperm"), "CAP_SYS_RAWIO"),
    "acct": "CAP_SYS_PACCT",
    "syslog": "CAP_SYSLOG",
    "vhangup": "CAP_SYS_TTY_CONFIG",
    "perf_event_open": "CAP_PERFMON",
    "open_by_handle_at": "CAP_DAC_READ_SEARCH",
}
"""The capability that an EPERM of a call asks for (capabilities(7))."""
OF_BPF = {0: "CAP_BPF", 5: "CAP_BPF"}
"""The same of BPF_MAP_CREATE and BPF_PROG_LOAD; for others it depends on what they are about."""
OF_PRCTL = {24: "CAP_SETPCAP", 28: "CAP_SETPCAP", 35: "CAP_SYS_RESOURCE"}
"""The same of PR_CAPBSET_DROP, PR_SET_SECUREBITS and PR_SET_MM."""
BY_FIRST = {"bpf": OF_BPF, "prctl": OF_PRCTL}
"""Calls whose first argument says what they do."""
MODES = {"mknod": 2, "mknodat": 3}
"""Where the type of the file is that is to be made, counted from 1."""
RAW, PACKET, TYPE_MASK, AF_PACKET = 3, 10, 0xF, 17
"""Types and a family of sockets that need CAP_NET_RAW (raw(7), packet(7))."""
ATTACHING = (16, 0x4206)
"""PTRACE_ATTACH and PTRACE_SEIZE."""


def needed_capability(op: str, record: RawRecord, recorded: Container[int]) -> str | None:
    """Return the capability that a call asks for; None: it asks for none.

    Args:
        op: the name of the call.
        record: of it.
        recorded: the ids of the threads that are recorded, and so are traced.
    """
    if op == "ptrace":
        attaches = record.arg1 in ATTACHING and record.arg2 & INT not in recorded
        return OF_CALLS[op] if attaches else None
    if op in BY_FIRST:
        return BY_FIRST[op].get(record.arg1)
    if op in MODES and stat.S_ISDIR(record.argument(MODES[op]) & 0xFFFF):
        return None
    if op != "socket":
        return OF_CALLS.get(op)
    is_raw = record.arg2 & TYPE_MASK in (RAW, PACKET) or record.arg1 & INT == AF_PACKET
    return "CAP_NET_RAW" if is_raw else None
