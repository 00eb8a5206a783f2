"""Who holds a port, a lock, a file: by the tables of the session, and by /proc."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scopetrace.decode.holders import Holder, holder_in, holder_of_address, holder_of_lock
from scopetrace.decode.state import MOST_SEARCHES, State
from scopetrace.model.flow import Address
from scopetrace.model.open_file import FileStat

LISTEN = "s = socket.socket({}); s.bind({}); s.listen(); "
LOCK = "f = open({!r}, 'a'); fcntl.flock(f, fcntl.LOCK_EX); "
READY = "print('ready', flush=True); sys.stdin.read()"


@contextmanager
def holding(script: str) -> Iterator[Holder]:
    """Run a process that holds something until the end of the block."""
    code = f"import fcntl, socket, sys; {script}{READY}"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield Holder(process.pid, " ".join(command))
        process.stdin.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def task(state: State):
    return state.tree.adopt(os.getpid(), os.getpid(), 0)[0]


def new_state() -> State:
    return State((), lambda operation: None, 0)


def test_who_listens_at_a_port_whatever_its_address() -> None:
    port, state = free_port(), new_state()
    asked = Address("inet", "0.0.0.0", port)
    with holding(LISTEN.format("", f"('127.0.0.1', {port})")) as holder:
        found = holder_of_address(state, task(state), "IP.TCP", asked)

    assert found == holder
    assert holder_of_address(state, task(state), "IP.TCP", asked) is None


def test_who_is_bound_to_the_path_of_a_unix_socket(tmp_path: Path) -> None:
    path, state = str(tmp_path / "socket"), new_state()
    with holding(LISTEN.format("socket.AF_UNIX", repr(path))) as holder:
        found = holder_of_address(state, task(state), "Unix.TCP", Address("unix", path, 0))

    assert found == holder


def test_who_locked_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holding(LOCK.format(str(path))) as holder:
        about = path.stat()
        facts = FileStat(about.st_dev, about.st_ino, 0, 0, about.st_mode, 0, 0, 1, 0)
        found = holder_of_lock(new_state(), facts, None, os.getpid())
        then = Path("/proc/locks").read_bytes()
    assert holder_of_lock(new_state(), facts, then, os.getpid()) == Holder(holder.pid, "")

    assert found == holder


def test_who_was_seen_when_the_call_failed() -> None:
    state = new_state()
    recorded = task(state).group
    recorded.image.cmd = "cat -"

    assert holder_in(state, struct.pack("i", recorded.pid) + b"other\0") == Holder(
        recorded.pid, "cat -"
    )
    assert holder_in(state, struct.pack("i", 0x7FFFFFFF) + b"app\0-x\0") == Holder(
        0x7FFFFFFF, "app -x"
    )
    assert holder_in(state, None) is None


def test_a_session_searches_so_often_and_no_more(tmp_path: Path) -> None:
    path, state = str(tmp_path / "socket"), new_state()
    asked = Address("unix", path, 0)
    with holding(LISTEN.format("socket.AF_UNIX", repr(path))) as holder:
        found = [
            holder_of_address(state, task(state), "Unix.TCP", asked)
            for _ in range(MOST_SEARCHES + 1)
        ]

    assert found == [holder] * MOST_SEARCHES + [None]
