"""Failed calls as sentences."""

from __future__ import annotations

import pytest

from scopetrace.output.cause import OWN_MACHINE, cause_text, failure_text

REFUSED = {
    "refused_by": "/log/x", "refused_uid": 0, "refused_user": "root", "refused_gid": 4,
    "refused_group": "adm", "refused_mode": 640, "needs": "write", "asked_uid": 65534,
    "asked_gid": 65534,
}  # fmt: skip
TCP = {"net_transport": "IP.TCP", "net_peer_ip": "10.0.0.1", "net_peer_port": 80}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"error": "ENOENT"}, "open /log/x: ENOENT, it is not there"),
        (
            {"error": "ENOENT", "missing_folder": "/log"},
            "open /log/x: ENOENT, there is no folder /log",
        ),
        (
            {"error": "ENOENT", "link_target": "/y"},
            "open /log/x: ENOENT, /log/x is a link to /y, which is not there",
        ),
        (
            {"error": "ENOENT", "missing_folder": "/log", "link_target": "/y"},
            "open /log/x: ENOENT, /log is a link to /y, which is not there",
        ),
        (
            {"error": "ENOENT", "link_target": "/y", "detail": "that is why"},
            "open /log/x: ENOENT, that is why",
        ),
        (
            {"error": "EACCES", **REFUSED},
            "open /log/x: EACCES, uid 65534 may not write (root:adm 0640)",
        ),
        (
            {"error": "EACCES", **REFUSED, "refused_by": "/log", "needs": "search"},
            "open /log/x: EACCES, uid 65534 may not search /log (root:adm 0640)",
        ),
        (
            {"error": "EPERM", **REFUSED, "needs": "owner"},
            "open /log/x: EPERM, uid 65534 does not own it (root:adm 0640)",
        ),
        (
            {"error": "EPERM", **REFUSED, "needs": "CAP_CHOWN"},
            "open /log/x: EPERM, uid 65534 lacks CAP_CHOWN (root:adm 0640)",
        ),
        (
            {"error": "EPERM", **REFUSED, "refused_by": "/log", "obstacle": "sticky"},
            "open /log/x: EPERM, uid 65534 owns neither the file nor /log, which is sticky"
            " (root:adm 0640)",
        ),
        (
            {"error": "EPERM", **REFUSED, "obstacle": "immutable"},
            "open /log/x: EPERM, /log/x is immutable (chattr)",
        ),
        (
            {"error": "EACCES", **REFUSED, "obstacle": "acl"},
            "open /log/x: EACCES, uid 65534 may not write by its mode; it has an ACL"
            " (root:adm 0640)",
        ),
        (
            {"error": "EACCES", **REFUSED, "obstacle": "protected_regular"},
            "open /log/x: EACCES, it is root's, in a sticky folder (sysctl fs.protected_regular)",
        ),
        (
            {"error": "EPERM", **REFUSED, "obstacle": "protected_hardlinks"},
            "open /log/x: EPERM, uid 65534 does not own /log/x (sysctl fs.protected_hardlinks)",
        ),
        (
            {"error": "EACCES", "asked_uid": 5},
            "open /log/x: EACCES, uid 5 is refused for another reason than permissions:"
            " a user namespace, a seccomp filter or a security module",
        ),
        (
            {"error": "EACCES", "asked_uid": 5, "obstacle": "noexec", "mount_point": "/m"},
            "open /log/x: EACCES, /m is mounted noexec",
        ),
        (
            {"error": "ENOTDIR", "refused_by": "/log", "obstacle": "no_folder"},
            "open /log/x: ENOTDIR, /log is no folder",
        ),
        (
            {"error": "EMFILE", "limit_name": "RLIMIT_NOFILE", "limit_value": 20},
            "open /log/x: EMFILE, RLIMIT_NOFILE is 20",
        ),
        (
            {"error": "ENOSPC", "mount_point": "/m"},
            "open /log/x: ENOSPC, the file system at /m is full",
        ),
        ({"error": "ENOSPC"}, "open /log/x: ENOSPC, no space is left"),
        (
            {"error": "ETXTBSY", "holder_pid": 7, "holder_cmd": "app -x"},
            "open /log/x: ETXTBSY, app -x [7] runs it",
        ),
        (
            {"error": "ETXTBSY", "op": "execve", "holder_pid": 7, "holder_cmd": "app -x"},
            "exec /log/x: ETXTBSY, app -x [7] has it open for writing",
        ),
        (
            {"error": "EBUSY", "op": "umount2", "holder_pid": 7, "holder_cmd": "app -x"},
            "umount2 /log/x: EBUSY, app -x [7] uses it",
        ),
        (
            {"error": "ENOENT", "interpreter": "/bin/ba\x1bd"},
            "open /log/x: ENOENT, its interpreter /bin/ba\\x1bd is not there",
        ),
        (
            {"error": "ENOEXEC", "machine": "AArch64"},
            "open /log/x: ENOEXEC, it is a program for AArch64, or damaged",
        ),
        (
            {"error": "ENOEXEC"},
            "open /log/x: ENOEXEC, it is neither a program for this machine nor a script that"
            " begins with #!",
        ),
        ({"error": "ENOANO"}, "open /log/x: ENOANO"),
    ],
)
def test_a_file(data, text):
    assert failure_text("fs.error", {"op": "openat", "file": "/log/x", **data}) == text


@pytest.mark.parametrize(
    ("op", "file", "error", "reason"),
    [
        ("pwrite64", "/proc/7/mem", "EIO", "the process has no memory at this position"),
        ("write", "/sys/x", "EIO", "the device or the file system could not read or write"),
        (
            "write",
            "/proc/7/mem",
            "EINVAL",
            "this file of the kernel does not take what was written",
        ),
        ("mkdirat", "/sys/x", "EPERM", "only the kernel makes something there"),
        ("symlink", "/proc/x", "ENOENT", "only the kernel makes something there"),
        ("mkdir", "/proc/x", "EEXIST", "it is there already"),
        ("unlinkat", "/sys/x", "EPERM", "only the kernel removes something there"),
        ("rmdir", "/proc/x", "ENOENT", "it is not there"),
        ("fchmodat", "/proc/x", "EPERM", "the permissions of such files cannot be changed"),
        ("chmod", "/proc/x", "ENOENT", "it is not there"),
        (
            "write",
            "/proc/7/setgroups",
            "EPERM",
            "it may be written only before gid_map, and in the own user namespace",
        ),
    ],
)
def test_a_file_of_the_kernel(op, file, error, reason):
    text = failure_text("fs.error", {"op": op, "file": file, "error": error})

    assert text.partition(": ")[2] == f"{error}, {reason}"


def test_a_folder_that_is_missing_is_the_reason_before_what_the_kernel_asks():
    data = {"op": "mkdir", "file": "/proc/x/y", "error": "ENOENT", "missing_folder": "/proc/x"}

    assert failure_text("fs.error", data) == "mkdir /proc/x/y: ENOENT, there is no folder /proc/x"


def test_a_search_names_no_folder():
    data = {"op": "newfstatat", "file": "/usr/bin/gcc", "error": "ENOENT"}

    assert failure_text("fs.error", data, 6) == "stat gcc: ENOENT, in none of 6 folders"


def test_a_rename_has_both_names():
    data = {"op": "renameat2", "file": "/a", "file_new": "/b", "error": "EXDEV"}

    text = "rename /a to /b: EXDEV, the two are on different file systems"
    assert failure_text("fs.error", data) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (TCP, "connect 10.0.0.1 port 80: ECONNREFUSED, no process listens there"),
        (
            {**TCP, "net_peer_name": "db"},
            "connect db (10.0.0.1) port 80: ECONNREFUSED, no process listens there",
        ),
        ({"unix_peer_path": "/s"}, "connect /s: ECONNREFUSED, no process listens there"),
    ],
)
def test_a_connection(data, text):
    data = {"op": "connect", "error": "ECONNREFUSED", **data}

    assert failure_text("net.error", data) == text


def test_a_port_that_another_has():
    data = {
        "op": "bind", "error": "EADDRINUSE", "net_host_ip": "0.0.0.0", "net_host_port": 80,
        "holder_pid": 7, "holder_cmd": "",
    }  # fmt: skip

    assert failure_text("net.error", data) == "bind 0.0.0.0 port 80: EADDRINUSE, process [7] has it"


def test_a_long_command_is_cut_and_a_socket_is_not_named_twice():
    data = {"op": "bind", "error": "EADDRINUSE", "holder_pid": 7, "holder_cmd": "x" * 99}
    refused = {**REFUSED, "op": "connect", "error": "EACCES"}
    socket = {**refused, "unix_peer_path": "/s", "refused_by": "/s"}

    assert failure_text("net.error", data).endswith(f"{'x' * 59}… [7] has it")
    text = "connect /s: EACCES, uid 65534 may not write (root:adm 0640)"
    assert failure_text("net.error", socket) == text


def test_a_port_that_a_connection_still_has():
    data = {"op": "bind", "error": "EADDRINUSE", "net_host_port": 80, "net_host_ip": "::"}

    assert failure_text("net.error", {**data, "obstacle": "time_wait"}) == (
        "bind :: port 80: EADDRINUSE, a connection that ended a moment ago has it (TIME_WAIT)"
    )


def test_other_calls_and_names():
    data = {"op": "setuid", "what": "user 0", "error": "EPERM", "asked_uid": 5, "needs": "CAP_X"}

    assert failure_text("proc.error", data) == "setuid user 0: EPERM, uid 5 lacks CAP_X"
    lookup = {"domain": "x.test", "error": "timeout"}
    assert failure_text("dns.error", lookup) == "look up x.test: timeout, there was no answer"


def test_a_lock_whose_holder_is_not_known():
    data = {"op": "flock", "file": "/l", "class": "lock", "error": "EAGAIN"}

    assert failure_text("fs.error", data) == "lock /l: EAGAIN, another process holds the lock"


def test_an_answer_of_a_web_server():
    data = {
        "http_method": "GET", "http_target": "/x", "http_host": "web:80", "error": "404",
        "http_status_code": 404,
    }  # fmt: skip

    assert failure_text("http.resp", data) == "GET http://web:80/x: 404, Not Found"
    odd = {**data, "error": "499", "http_status_code": 499}
    assert failure_text("http.resp", odd) == "GET http://web:80/x: 499"


OPEN = {"op": "openat", "class": "open_close", "file": "/log/x"}
CLOSED_TERMINAL = "the other end of the terminal is closed, or the process is in the background"
BROKEN_DISK = "the device or the file system could not read or write"
SEALED = "the memory file is sealed (F_ADD_SEALS)"
TRACED = "a program that is recorded is traced already"
SPECIAL = "it is a fifo that no process reads, a socket, or a device that is not there"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({**OPEN, "error": "ENXIO"}, SPECIAL),
        ({**OPEN, "error": "ENXIO", "file": "/dev/tty"}, "the process has no terminal"),
        ({**OPEN, "error": "ENODEV", "file": "/dev/tty"}, "there is no such device"),
        ({"op": "rename", "error": "EEXIST", "file": "/a"}, "it is there already"),
        (
            {"op": "rename", "error": "EEXIST", "file": "/a", "file_new": "/\x1bb"},
            r"/\x1bb is there already",
        ),
        ({**OPEN, "error": "EIO"}, BROKEN_DISK),
        ({"op": "write", "error": "EIO", "file": "/dev/pts/3"}, CLOSED_TERMINAL),
        ({"op": "write", "error": "EIO", "file": "/dev/tty"}, CLOSED_TERMINAL),
        ({"op": "openat", "class": "open_close", "error": "ENOENT"}, "the path is empty"),
        ({"op": "openat", "error": "ENOENT"}, "it is not there"),
        ({"op": "openat", "class": "open_close", "error": "EACCES"}, ""),
        ({"op": "rename", "error": "ENOENT", "file": "/a"}, "the new path is empty"),
        ({"op": "linkat", "error": "ENOENT", "file": "/a"}, "the new path is empty"),
        ({"op": "link", "error": "ENOENT", "file": "/a", "file_new": "/b"}, "it is not there"),
        ({"op": "unlink", "error": "ENOENT", "file": "/a"}, "it is not there"),
        (
            {**OPEN, "error": "ENOEXEC", "machine": OWN_MACHINE},
            f"it is a program for {OWN_MACHINE}, but damaged or cut off",
        ),
        ({**OPEN, "error": "ENOEXEC", "machine": "s390"}, "it is a program for s390, or damaged"),
        ({"op": "ptrace", "error": "EPERM", "asked_uid": 5}, TRACED),
        (
            {"op": "ptrace", "error": "EPERM", "asked_uid": 5, "needs": "CAP_SYS_PTRACE"},
            "uid 5 lacks CAP_SYS_PTRACE",
        ),
        (
            {"op": "ptrace", "error": "ESRCH"},
            "there is no such process, or the caller does not trace it",
        ),
        (
            {"op": "kill", "error": "EPERM", "asked_uid": 5},
            "uid 5 is refused for another reason than permissions: a user namespace,"
            " a seccomp filter or a security module",
        ),
        (
            {"op": "write", "error": "EPIPE", "net_transport": "IP.TCP"},
            "the socket is not connected",
        ),
        ({"op": "write", "error": "EPIPE", **TCP}, "the reader has gone"),
        ({"op": "write", "error": "EPIPE", "net_transport": "Unix.TCP"}, "the reader has gone"),
        ({"op": "write", "error": "EPERM", "file": "/memfd:x"}, SEALED),
        ({"op": "write", "error": "EPERM", "what": "memfd:x"}, SEALED),
        (
            {**OPEN, "error": "ENOENT", "interpreter": "/bin/x"},
            "its interpreter /bin/x is not there",
        ),
        (
            {**OPEN, "error": "EACCES", "interpreter": "/bin/x"},
            "its interpreter /bin/x may not be executed",
        ),
    ],
)
def test_why_a_call_failed(data, text):
    assert cause_text(data) == text


def test_what_was_looked_for_in_one_folder_has_its_own_reason():
    assert cause_text({**OPEN, "error": "ENOENT"}, 1) == "it is not there"
    assert cause_text({**OPEN, "error": "ENOENT"}, 2) == "in none of 2 folders"
