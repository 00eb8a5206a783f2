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

import pytest

from scopetrace.decode import holders
from scopetrace.decode.files import DecodedFile
from scopetrace.decode.holders import (
    Holder,
    holder_in,
    holder_of_address,
    holder_of_lock,
    waits_to_end,
)
from scopetrace.decode.socket import Socket
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


def inet(host: str, port: int = 80) -> Address:
    return Address("inet", host, port)


def unix(host: str, bound: str = "") -> Address:
    return Address("unix", host, 0, bound=bound)


@pytest.mark.parametrize(
    ("held", "waits", "transport", "asked", "is_in_use"),
    [
        (inet("10.0.0.1"), True, "IP.TCP", inet("10.0.0.1"), True),
        (inet("10.0.0.1"), True, "IP.TCP", inet("0.0.0.0"), True),
        (inet("0.0.0.0"), True, "IP.TCP", inet("10.0.0.1"), True),
        (inet("::"), True, "IP.TCP", inet("10.0.0.1"), True),
        (inet("10.0.0.1"), True, "IP.TCP", inet("10.0.0.2"), False),
        (inet("10.0.0.1"), True, "IP.TCP", inet("10.0.0.1", 81), False),
        (inet("10.0.0.1"), False, "IP.TCP", inet("10.0.0.1"), False),
        (inet("10.0.0.1"), False, "IP.UDP", inet("10.0.0.1"), True),
        (inet("10.0.0.1"), False, "IP.UDP", inet("0.0.0.0", 81), False),
        (unix("/d/s", "s"), True, "Unix.TCP", unix("s"), True),
        (unix("/d/s", "s"), True, "Unix.TCP", unix("/d/s"), True),
        (unix("/d/s"), True, "Unix.TCP", unix("/d"), False),
        (unix(""), True, "Unix.TCP", unix(""), False),
    ],
)
def test_a_recorded_process_has_an_address_if_it_waits_there(
    held: Address, waits: bool, transport: str, asked: Address, is_in_use: bool
) -> None:
    state = new_state()
    state.searches_left = 0
    holding = task(state)
    holding.group.image.cmd = "nc -l"
    domain = socket.AF_UNIX if transport.startswith("Unix") else socket.AF_INET
    kind = socket.SOCK_DGRAM if transport.endswith("UDP") else socket.SOCK_STREAM
    holding.table.fds[3] = file = DecodedFile("", None, 0)
    file.socket = Socket(domain, kind, 0)
    file.socket.local = held
    if waits:
        file.socket.enter("listen")

    found = holder_of_address(state, holding, transport, asked, listens=True)
    assert found == (Holder(os.getpid(), "nc -l") if is_in_use else None)
    assert holder_of_address(state, holding, "IP.SCTP", asked) is None


def test_an_address_that_is_bound_is_in_use_for_who_binds_though_nothing_listens_there() -> None:
    state = new_state()
    state.searches_left = 0
    holding = task(state)
    holding.group.image.cmd = "nc -l"
    holding.table.fds[0] = DecodedFile("/dev/null", None, 0)
    holding.table.fds[3] = file = DecodedFile("", None, 0)
    file.socket = Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    file.socket.local = inet("10.0.0.1")

    asked = inet("0.0.0.0")
    assert holder_of_address(state, holding, "IP.TCP", asked) == Holder(os.getpid(), "nc -l")
    assert holder_of_address(state, holding, "IP.TCP", asked, listens=True) is None


LINE = "0: 0100007F:{:04X} 00000000:0000 {} 00000000:00000000 00:00000000 00000000 0 0 {} 1\n"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc where process 8 has the socket 4711 and we have the socket 4712."""
    monkeypatch.setattr(holders, "PROC", tmp_path)
    for pid, inode in ((8, 4711), (os.getpid(), 4712)):
        (tmp_path / f"{pid}" / "fd").mkdir(parents=True)
        (tmp_path / f"{pid}" / "fd" / "3").symlink_to(f"socket:[{inode}]")
    (tmp_path / "8" / "cmdline").write_bytes(b"nc\0-l\0")
    (tmp_path / "net").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("table", "state", "inode", "holds", "ended"),
    [
        ("tcp", "0A", 4711, True, False),
        ("tcp6", "0A", 4711, True, False),
        ("udp", "07", 4711, True, False),
        ("tcp", "01", 4711, False, False),
        ("tcp", "06", 0, False, True),
        ("tcp6", "06", 0, False, True),
        ("tcp", "0A", 4712, False, False),
    ],
)
def test_the_tables_of_the_kernel_say_who_waits_and_what_ended(
    table: str, state: str, inode: int, holds: bool, ended: bool, proc: Path
) -> None:
    (proc / "net" / table).write_text("head\n" + LINE.format(8080, state, inode))
    transport = f"IP.{table.rstrip('6').upper()}"
    asking, port = task(known := new_state()), 8080

    assert holder_of_address(known, asking, transport, inet("0.0.0.0", port)) == (
        Holder(8, "nc -l") if holds else None
    )
    assert waits_to_end(asking, transport, inet("0.0.0.0", port)) is ended
    assert holder_of_address(known, asking, transport, inet("0.0.0.0", 808)) is None
    assert not waits_to_end(asking, transport, inet("0.0.0.0", 808))


@pytest.mark.parametrize(
    ("pids", "found"),
    [((7, 9), 9), ((9, 7), 9), ((7,), 7), ((-1,), None), ((-1, 9), 9), ((), None)],
)
def test_a_lock_of_another_process_counts_before_an_own_one(
    pids: tuple[int, ...], found: int | None
) -> None:
    state, facts = new_state(), FileStat(os.makedev(8, 17), 5, 0, 0, 0o100644, 0, 0, 1, 0)
    lines = [f"{at}: FLOCK  ADVISORY  WRITE {pid} 08:11:5 0 EOF" for at, pid in enumerate(pids)]
    table = "\n".join(["1: POSIX  ADVISORY  WRITE 4 08:11:6 0 EOF", *lines]).encode()

    held = holder_of_lock(state, facts, table, 7)
    assert (held and held.pid) == found
