"""C prototypes of system calls, shown with an event.

They come from python-ptrace's table; newer calls, and those that the table lacks, are here, from
the manual pages of section 2.
"""

from __future__ import annotations

import warnings

NEWER = {
    "arch_prctl": "int arch_prctl(int code, unsigned long addr)",
    "clone3": "long clone3(struct clone_args *cl_args, size_t size)",
    "close_range": "long close_range(unsigned int first, unsigned int last, unsigned int flags)",
    "epoll_create1": "long epoll_create1(int flags)",
    "faccessat2": "long faccessat2(int dirfd, const char * pathname, int mode, int flags)",
    "fchmodat2": "long fchmodat2(int dirfd, const char * pathname, mode_t mode, int flags)",
    "io_uring_enter": (
        "long io_uring_enter(unsigned int fd, u32 to_submit, u32 min_complete, u32 flags,"
        " const void * argp, size_t argsz)"
    ),
    "io_uring_register": (
        "long io_uring_register(unsigned int fd, unsigned int opcode, void * arg,"
        " unsigned int nr_args)"
    ),
    "io_uring_setup": "long io_uring_setup(u32 entries, struct io_uring_params * p)",
    "openat2": (
        "long openat2(int dirfd, const char * pathname, struct open_how * how, size_t size)"
    ),
    "clock_settime64": (
        "long clock_settime64(clockid_t which_clock, const struct __kernel_timespec * tp)"
    ),
    "fsconfig": (
        "long fsconfig(int fd, unsigned int cmd, const char * key, const void * value, int aux)"
    ),
    "fsmount": "long fsmount(int fsfd, unsigned int flags, unsigned int attr_flags)",
    "fsopen": "long fsopen(const char * fsname, unsigned int flags)",
    "fspick": "long fspick(int dirfd, const char * pathname, unsigned int flags)",
    "iopl": "long iopl(unsigned int level)",
    "landlock_add_rule": (
        "long landlock_add_rule(int ruleset_fd, enum landlock_rule_type rule_type,"
        " const void * rule_attr, u32 flags)"
    ),
    "landlock_create_ruleset": (
        "long landlock_create_ruleset(const struct landlock_ruleset_attr * attr, size_t size,"
        " u32 flags)"
    ),
    "landlock_restrict_self": "long landlock_restrict_self(int ruleset_fd, u32 flags)",
    "memfd_secret": "long memfd_secret(unsigned int flags)",
    "mount_setattr": (
        "long mount_setattr(int dirfd, const char * pathname, unsigned int flags,"
        " struct mount_attr * attr, size_t size)"
    ),
    "move_mount": (
        "long move_mount(int from_dirfd, const char * from_pathname, int to_dirfd,"
        " const char * to_pathname, unsigned int flags)"
    ),
    "open_tree": "long open_tree(int dirfd, const char * pathname, unsigned int flags)",
    "pidfd_getfd": "long pidfd_getfd(int pidfd, int targetfd, unsigned int flags)",
    "pidfd_open": "long pidfd_open(pid_t pid, unsigned int flags)",
    "pidfd_send_signal": (
        "long pidfd_send_signal(int pidfd, int sig, siginfo_t * info, unsigned int flags)"
    ),
    "preadv2": (
        "long preadv2(int fd, const struct iovec * iov, int iovcnt, off_t offset, int flags)"
    ),
    "pwritev2": (
        "long pwritev2(int fd, const struct iovec * iov, int iovcnt, off_t offset, int flags)"
    ),
    "rseq": "int rseq(struct rseq * rseq, u32 rseq_len, int flags, u32 sig)",
    "rt_sigreturn": "int rt_sigreturn(void)",
    "quotactl_fd": "long quotactl_fd(unsigned int fd, unsigned int cmd, qid_t id, void * addr)",
    "umount2": "long umount2(const char * target, int flags)",
    "utimensat_time64": (
        "long utimensat_time64(unsigned int dfd, const char * filename,"
        " struct __kernel_timespec * t, int flags)"
    ),
}

ALIASES = {
    "_llseek": "llseek", "chown32": "chown", "fchown32": "fchown", "lchown32": "lchown",
    "setfsgid32": "setfsgid", "setfsuid32": "setfsuid",
    "setgid32": "setgid", "setgroups32": "setgroups", "setregid32": "setregid",
    "setresgid32": "setresgid", "setresuid32": "setresuid", "setreuid32": "setreuid",
    "setuid32": "setuid",
    "fcntl64": "fcntl", "fstatat64": "newfstatat", "mmap2": "mmap_pgoff",
    "recvmmsg_time64": "recvmmsg",
}  # fmt: skip
"""Name of a call of 32-bit programs → its name in the table."""

TIME64, CLOCKS = "_time64", ("clock_", "timer")
"""Calls of 32-bit programs with 64 bits for times: their pages lack the end of the name."""


def man_name(op: str) -> str:
    """Return the name of the manual page of a system call in section 2."""
    if op.endswith(TIME64):
        return op.removesuffix(TIME64)
    return op.removesuffix("64") if op.startswith(CLOCKS) else op


def prototype(op: str) -> str | None:
    """Return the C prototype of a system call, or None if `op` is not a system call."""
    if op in NEWER:
        return NEWER[op]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of python-ptrace, on Python 3.12
        from ptrace.syscall.prototypes import SYSCALL_PROTOTYPES
    found = SYSCALL_PROTOTYPES.get(op) or SYSCALL_PROTOTYPES.get(ALIASES.get(op, ""))
    if found is None:
        return None
    result, arguments = found
    return f"{result} {op}({', '.join(' '.join(argument) for argument in arguments)})"
