"""Runs programs that fail, each in a folder and a process of its own; it is the one recorded.

Arguments: a JSON file of [kind, program] pairs, and the folder to work in. Prints a line for each
program: the pid of its process, and that of a child which holds something, or 0.
"""

from __future__ import annotations

# What the programs use:
import atexit
import ctypes
import errno  # noqa: F401
import fcntl  # noqa: F401
import json
import mmap  # noqa: F401
import os
import re
import resource  # noqa: F401
import select  # noqa: F401
import shutil  # noqa: F401
import signal  # noqa: F401
import socket  # noqa: F401
import struct  # noqa: F401
import subprocess  # noqa: F401
import sys
import threading  # noqa: F401
import time
import traceback
from collections.abc import Callable
from pathlib import Path

NAMESPACE = ("unshare", "--map-root-user", "--mount", "--net", "sh", "-ec")
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
HELD = "held"
"""The file in which a program says which child of its own holds something."""


def libc(name: str, *arguments: object) -> int:
    """Call a function of the C library; raise OSError if it fails."""
    ctypes.set_errno(0)
    result = getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments)
    if result == -1:
        raise OSError(number := ctypes.get_errno(), os.strerror(number))
    return int(result)


def child(act: Callable[[], object], then: Callable[[], object] = lambda: None) -> int:
    """Have a child act; return its pid. Afterwards it does what follows and waits for our end."""
    ready, says = os.pipe()
    ended, lives = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(lives)
        act()
        os.write(says, b"x")
        then()
        os.read(ended, 1)
        os._exit(0)
    os.read(ready, 1)
    Path(HELD).write_text(str(pid))
    return pid


def until_it_waits_for_a_lock(pid: int) -> None:
    """Wait until /proc/locks says that a process waits."""
    while not re.search(rf"-> .* {pid} ", Path("/proc/locks").read_text()):
        time.sleep(0.01)


def until_it_sleeps(pid: int) -> None:
    """Wait until a process sleeps in a system call."""
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        time.sleep(0.01)


def enter_namespaces() -> None:
    """Become root of a user namespace, with mounts and a network of its own."""
    uid, gid = os.getuid(), os.getgid()
    libc("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path("/proc/self", name).write_text(text)
    libc("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)


def run(kind: str, program: str) -> None:
    """Become a program, which fails."""
    if kind == "sh":
        os.execvp("sh", ["sh", "-ec", program])
    if kind == "ns":
        os.execvp(NAMESPACE[0], [*NAMESPACE, program])
    if kind == "np":
        enter_namespaces()
    try:
        exec(program, globals())
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    atexit._run_exitfuncs()
    os._exit(1)


def main(table: str, folder: str) -> None:
    """Run all programs, one after the other.

    Raises:
        SystemExit: the user may do what they try, such as deleting files of the system.
    """
    if os.geteuid() == 0 or os.access("/etc", os.W_OK):
        sys.exit("programs that are made to fail are not run by a user who may do what they try")
    for number, (kind, program) in enumerate(json.loads(Path(table).read_bytes())):
        work = Path(folder, str(number))
        work.mkdir()
        pid = os.fork()
        if pid == 0:
            os.chdir(work)
            os.closerange(3, 20)
            run(kind, program)
        os.waitpid(pid, 0)
        held = work / HELD
        holder = held.read_text() if held.exists() else "0"
        print(pid, holder, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
