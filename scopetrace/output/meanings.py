"""What the errors of system calls mean: of any call, and of one call, where that is more.

The rule: a row is true of every such failure; where that takes several reasons, it names them all.
"""

from __future__ import annotations

MEANINGS = {
    "ENOENT": "it is not there",
    "ENOTDIR": "a name on the way is no folder",
    "EISDIR": "it is a folder",
    "EEXIST": "it is there already",
    "ENOTEMPTY": "the folder is not empty",
    "EXDEV": "the two are on different file systems",
    "ELOOP": "more than 40 symbolic links are on the way, or they lead in a circle",
    "ENAMETOOLONG": "a name is longer than 255 bytes, or the path than 4095",
    "ENOEXEC": "it is neither a program for this machine nor a script that begins with #!",
    "ETXTBSY": "a process runs it, or it is in use for swapping",
    "ENOSPC": "no space is left",
    "EMLINK": "it has as many names as its file system allows",
    "ENOTBLK": "it is no block device",
    "ENOLCK": "the kernel or the file system has no lock left",
    "ENOBUFS": "the kernel has no memory left for sockets",
    "ESTALE": "the file is not there any more on the server",
    "ENOPROTOOPT": "the socket has no such option",
    "EALREADY": "the socket is being connected already",
    "ENOKEY": "there is no such key",
    "EKEYREVOKED": "the key was revoked",
    "EKEYEXPIRED": "the key has expired",
    "EKEYREJECTED": "the service that makes such keys refused it",
    "EIDRM": "it was removed meanwhile",
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
    "ENOSYS": "the kernel does not have this call, or a seccomp filter says so",
    "seccomp": "a seccomp filter of the program refused it",
}
NO_TYPE = "the kernel does not have that type of file system"
NOT_MAPPED = "a part of this memory is not mapped"
NOT_TRACEABLE = "the caller may not trace that process (ptrace(2))"
OF_COPIES = "flags are not 0, or the buffers are too many or too long"
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
    **dict.fromkeys(
        ((op, "EAFNOSUPPORT") for op in ("bind", "connect", "sendto", "sendmsg")),
        "the address is of another family than the socket",
    ),
    **dict.fromkeys(
        ((op, "EAFNOSUPPORT") for op in ("socket", "socketpair")),
        "the kernel does not have that address family",
    ),
    **dict.fromkeys(
        ((op, "EOPNOTSUPP") for op in ("accept", "accept4", "listen")),
        "a socket of this type has no connections",
    ),
    ("setpgid", "EACCES"): "the child has executed another program already",
    ("setpgid", "EINVAL"): "the number of the group is negative",
    ("execveat", "ENOENT"): (
        "its interpreter is not there, or it is a script whose descriptor is closed by then"
        " (O_CLOEXEC)"
    ),
    ("setsid", "EPERM"): "the process leads a process group already",
    ("setpgid", "EPERM"): "the process leads a session, or its session has no such group",
    ("setpgid", "ESRCH"): "it is neither this process nor a child of it",
    ("setgroups", "EPERM"): (
        "its user namespace has no map of groups yet, or forbids it (/proc/PID/setgroups)"
    ),
    ("umount2", "EBUSY"): "a process has a file open there, or its working folder",
    ("fcntl", "EOVERFLOW"): "the range of the lock ends behind the largest position",
    ("mount", "ENODEV"): NO_TYPE,
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
    **dict.fromkeys(
        (("tgkill", "ESRCH"), ("rt_tgsigqueueinfo", "ESRCH")),
        "that process has no such thread",
    ),
    ("connect", "EACCES"): "a route (prohibit) or a filter of the kernel refuses it",
    ("pivot_root", "EINVAL"): (
        "the new root is no mount point, or the place for the old one is not inside of it"
    ),
    ("pivot_root", "EBUSY"): "one of the two is on the mount of the root that there is",
    ("mq_timedreceive", "ETIMEDOUT"): "no message came until that time",
    ("mq_timedsend", "ETIMEDOUT"): "the queue was full until that time",
    ("mq_notify", "EBUSY"): "a process is to be notified already",
    **dict.fromkeys(
        ((op, "E2BIG") for op in SEMAPHORES), "there are more operations than kernel.sem allows"
    ),
    ("unshare", "ENOSPC"): "there are as many namespaces as /proc/sys/user allows",
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
        (("execve", "ETXTBSY"), ("execveat", "ETXTBSY")), "a process has it open for writing"
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
    ("futex", "EDEADLK"): "this thread has the lock, or the one that has it waits for this thread",
    ("futex", "ESRCH"): "there is no thread of the number that the word holds",
    ("futex", "EPERM"): "this thread does not have the lock, or may not wait for who has it",
    ("connect", "EAGAIN"): "too many wait there to be accepted, or no port is left on this side",
    ("recvmsg", "EMSGSIZE"): "there are more than 1024 buffers",
    ("sendmsg", "EPERM"): (
        "the credentials in SCM_CREDENTIALS are not its own, or a filter of the kernel refuses it"
    ),
    ("setsockopt", "EADDRNOTAVAIL"): "the socket is not in that group, or nothing has that address",
    ("setsockopt", "ENODEV"): "there is no such interface",
    **dict.fromkeys(
        (("rt_sigqueueinfo", "EPERM"), ("rt_tgsigqueueinfo", "EPERM")),
        "si_code says that the kernel or kill() sent it, or the process is of another user",
    ),
    ("clock_nanosleep", "EOPNOTSUPP"): "nothing can wait for this clock",
    ("capset", "EPERM"): (
        "the process does not have what it was to be given, or it is about another process"
    ),
    ("prctl", "EPERM"): "a capability that it was to be given is not permitted and inheritable",
    **dict.fromkeys(
        (("seccomp", "EACCES"), ("prctl", "EACCES")),
        "a filter takes CAP_SYS_ADMIN or PR_SET_NO_NEW_PRIVS",
    ),
    **dict.fromkeys(
        ((op, "EPERM") for op in ("clone", "clone3", "unshare")),
        "new namespaces take CAP_SYS_ADMIN, a chosen number (set_tid) CAP_CHECKPOINT_RESTORE",
    ),
    **dict.fromkeys(
        (("mknod", "EPERM"), ("mknodat", "EPERM")),
        "folders are made by mkdir, and other files not on each file system or in each namespace",
    ),
    ("fchmodat2", "EOPNOTSUPP"): "a symbolic link has no permissions of its own",
    ("kcmp", "EPERM"): NOT_TRACEABLE,
    ("mq_timedreceive", "EMSGSIZE"): "a message of the queue may be longer than the memory",
    ("mq_timedsend", "EMSGSIZE"): "the message is longer than the queue takes",
    ("mq_timedreceive", "EAGAIN"): "the queue is empty, and O_NONBLOCK forbids to wait",
    ("mq_timedsend", "EAGAIN"): "the queue is full, and O_NONBLOCK forbids to wait",
    **dict.fromkeys(
        (("mq_timedreceive", "EBADF"), ("mq_timedsend", "EBADF")),
        "the descriptor is no queue, or is not open for this",
    ),
    ("io_uring_enter", "EOPNOTSUPP"): "the descriptor is no io_uring",
    ("vmsplice", "EBADF"): "the descriptor is no pipe, or is not open",
    ("inotify_add_watch", "EEXIST"): "it is watched already (IN_MASK_CREATE)",
    ("shmget", "ENOENT"): "there is no segment with this key, and none was to be made",
    ("semget", "ENOENT"): "there is no set with this key, and none was to be made",
    ("msgget", "ENOENT"): "there is no queue with this key, and none was to be made",
    ("sched_getaffinity", "EINVAL"): (
        "the memory is smaller than the set of all CPUs, or its size no multiple of 8"
    ),
    ("getdents64", "EINVAL"): "the memory is too small for the next entry",
    ("getdents", "EINVAL"): "the memory is too small for the next entry",
    ("readahead", "EINVAL"): "only files and block devices can be read ahead",
    ("tee", "EINVAL"): "it copies from a pipe to another pipe, and nothing else",
    ("copy_file_range", "EINVAL"): (
        "both have to be regular files, and the two parts of one file must not overlap"
    ),
    ("sendfile", "EINVAL"): (
        "the source has to be something like a file, and the target not open with O_APPEND"
    ),
    ("sendmsg", "EBADF"): "the socket, or a descriptor that was to be passed, is not open",
    ("poll", "EINVAL"): "there are more descriptors than RLIMIT_NOFILE allows",
    ("setsockopt", "EINVAL"): "the option does not take this value, or one of this size",
    ("openat2", "EINVAL"): "it takes no unknown flags, and a mode only with O_CREAT or O_TMPFILE",
    ("connect", "EINVAL"): "the address is shorter than one of the socket's family, or of another",
    ("sched_rr_get_interval", "EINVAL"): "the pid is negative",
    (
        "sched_setparam",
        "EINVAL",
    ): "the pid is negative, or the priority is none of the thread's policy",
    ("process_vm_readv", "EINVAL"): OF_COPIES,
    ("process_vm_writev", "EINVAL"): OF_COPIES,
    ("pkey_mprotect", "EINVAL"): "the process has no key of that number, or prot has a wrong flag",
    **dict.fromkeys(
        ((op, "EINVAL") for op in ("msgctl", "msgrcv")), "there is no queue of that id"
    ),
    ("msgsnd", "EINVAL"): "there is no queue of that id, or the message is longer than it takes",
    ("semctl", "EINVAL"): "there is no set of that id, or no semaphore of that number in it",
    **dict.fromkeys(((op, "EINVAL") for op in SEMAPHORES), "there is no set of that id"),
    **dict.fromkeys(
        ((op, "EINVAL") for op in ("shmctl", "shmdt")),
        "there is no segment of that id or address",
    ),
    **dict.fromkeys(
        ((op, "EINVAL") for op in ("io_destroy", "io_submit", "io_getevents", "io_cancel")),
        "there is no context of that id, or a number is out of its range",
    ),
    ("rseq", "EINVAL"): "memory is registered already, or its address or size is wrong",
    ("set_robust_list", "EINVAL"): "the size is not that of the head of the list",
    ("timerfd_settime", "EINVAL"): "the descriptor is no timer",
    ("timerfd_gettime", "EINVAL"): "the descriptor is no timer",
    ("read", "EINVAL"): "what the descriptor is cannot be read, or not so few bytes",
    ("futex_waitv", "EINVAL"): "the number of waiters is not within 1 to 128, or one is wrong",
    ("getsockopt", "EINVAL"): "the option cannot be asked for like that, or its length is negative",
    ("sendto", "EINVAL"): "the address (its port may be 0) or a flag is wrong",
    ("sendmsg", "EINVAL"): "a control message is wrong, or passes more than 253 descriptors",
    **dict.fromkeys(
        (("signalfd", "EINVAL"), ("signalfd4", "EINVAL")), "the descriptor is no signalfd"
    ),
    ("waitid", "EINVAL"): "the options have none of WEXITED, WSTOPPED and WCONTINUED",
    **dict.fromkeys(
        (("tkill", "EINVAL"), ("tgkill", "EINVAL")), "the number of a thread has to be positive"
    ),
    ("sigaltstack", "EINVAL"): "ss_flags has an unknown flag",
    ("timer_create", "EINVAL"): "sevp has a wrong signal or way to notify, or no timer fits it",
    ("clock_settime", "EINVAL"): "this clock cannot be set",
    ("getrandom", "EINVAL"): "GRND_RANDOM and GRND_INSECURE exclude each other",
    ("sched_setattr", "EINVAL"): "attr has a wrong policy, priority or flag",
    ("sched_getattr", "EINVAL"): "the size is smaller than 48, or the pid is negative",
    **dict.fromkeys(
        (("sched_getscheduler", "EINVAL"), ("sched_getparam", "EINVAL")), "the pid is negative"
    ),
    **dict.fromkeys(
        (("capget", "EINVAL"), ("capset", "EINVAL")), "the kernel has no such version of the sets"
    ),
    ("prctl", "EINVAL"): "an argument is none that this option takes",
    ("seccomp", "EINVAL"): "a flag is unknown, or the filter is empty, too long or wrong",
    ("clone3", "EINVAL"): "flags need or exclude each other, or exit_signal or set_tid is wrong",
    ("statmount", "EINVAL"): "the request has a wrong size, or asks for something unknown",
    **dict.fromkeys(
        (("mknod", "EINVAL"), ("mknodat", "EINVAL")), "the mode has no type of file for this"
    ),
    ("mremap", "EINVAL"): "the new size is zero, or a flag needs another or excludes it",
    ("splice", "EINVAL"): (
        "one of the two has to be a pipe, not both the same one, and no target open with O_APPEND"
    ),
    **dict.fromkeys(
        ((op, "EINVAL") for op in ("mbind", "set_mempolicy", "get_mempolicy")),
        "the policy, a flag or the set of nodes is wrong",
    ),
    ("pkey_alloc", "EINVAL"): "flags are not 0, or the rights are unknown",
    ("pkey_free", "EINVAL"): "the process has no key of that number",
    ("landlock_create_ruleset", "EINVAL"): "the structure is too small, or names an unknown right",
    ("io_uring_setup", "EINVAL"): "the number of entries or a flag in params is wrong",
    ("mq_open", "EINVAL"): "the name is not / and a word, or attr asks for more than may be",
    ("ustat", "EINVAL"): "no file system of this device is mounted",
    ("sysfs", "EINVAL"): "there is no such option or type of file system",
    **dict.fromkeys(
        (
            (op, "EINVAL")
            for op in (
                *("chown", "fchown", "lchown", "fchownat", "setuid", "setgid", "setreuid"),
                *("setregid", "setresuid", "setresgid"),
            )
        ),
        "its user namespace has no such user or group (/proc/PID/uid_map, gid_map)",
    ),
    ("setgroups", "EINVAL"): "there are more than 65536, or its user namespace lacks one of them",
    **dict.fromkeys(
        (("sethostname", "EINVAL"), ("setdomainname", "EINVAL")),
        "the name is longer than 64 bytes",
    ),
    ("swapon", "EINVAL"): "it is no swap area (mkswap)",
    ("swapoff", "EINVAL"): "it is not in use for swapping",
    ("acct", "EACCES"): "it is no regular file",
    ("syslog", "EINVAL"): "there is no such action, or its memory or size is wrong",
    ("fanotify_mark", "EINVAL"): "the mask names no event, or a flag excludes another",
    ("fsopen", "ENODEV"): NO_TYPE,
    ("ftruncate", "EINVAL"): "it is no regular file, or not open for writing",
    ("writev", "EINVAL"): "all buffers together are longer than may be",
    ("readv", "EINVAL"): "all buffers together are longer than may be",
    ("write", "EINVAL"): "what the descriptor is takes no writing, not so many bytes, or not these",
}
"""What an error means for one call, where that is more than for any."""
