"""How a system call is declared, for those who learn what a program asks of the kernel.

python-ptrace's table is the source; what the kernel has grown since, or what that table leaves out,
stands here, from the manual pages of section 2.
"""

from __future__ import annotations

import warnings

NEWER = {
    "clone3": "long clone3(struct clone_args *cl_args, size_t size)",
    "close_range": "long close_range(unsigned int first, unsigned int last, unsigned int flags)",
    "epoll_create1": "long epoll_create1(int flags)",
    "faccessat2": "long faccessat2(int dirfd, const char * pathname, int mode, int flags)",
    "fchmodat2": "long fchmodat2(int dirfd, const char * pathname, mode_t mode, int flags)",
    "io_uring_setup": "long io_uring_setup(u32 entries, struct io_uring_params * p)",
    "openat2": (
        "long openat2(int dirfd, const char * pathname, struct open_how * how, size_t size)"
    ),
    "pidfd_getfd": "long pidfd_getfd(int pidfd, int targetfd, unsigned int flags)",
    "preadv2": (
        "long preadv2(int fd, const struct iovec * iov, int iovcnt, off_t offset, int flags)"
    ),
    "pwritev2": (
        "long pwritev2(int fd, const struct iovec * iov, int iovcnt, off_t offset, int flags)"
    ),
}

ALIASES = {
    "_llseek": "llseek", "chown32": "chown", "fchown32": "fchown", "lchown32": "lchown",
    "setgid32": "setgid", "setregid32": "setregid", "setresgid32": "setresgid",
    "setresuid32": "setresuid", "setreuid32": "setreuid", "setuid32": "setuid",
    "fcntl64": "fcntl", "fstatat64": "newfstatat", "mmap2": "mmap_pgoff",
    "recvmmsg_time64": "recvmmsg",
}  # fmt: skip
"""Names that only 32-bit programs use → the name that the table has."""


def declaration(op: str) -> str | None:
    """Return the C declaration of a system call, or None for what is no call."""
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
