"""Builds raw records by hand, so that decoding is tested without an engine.

A `Tracee` writes the records that a program of one session would cause, with a clock that moves on
by one millisecond a record.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from errno import EINPROGRESS
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM
from typing import Any

from scopetrace import _engine
from scopetrace.model.call import call_table
from scopetrace.model.raw import CALLS as CALL_COUNTS
from scopetrace.model.raw import (
    HEADER,
    PART,
    RESULT_UNKNOWN,
    SOCKET,
    STAT,
    TALLY,
    Part,
    RawKind,
    Seen,
)

CALLS = call_table(_engine.calls())
"""The rows of syscalls.def."""

ROWS = {call.name: row for row, call in enumerate(CALLS)}

MILLISECOND = 1_000_000
START = 1_000_000_000
REGULAR = 0o100644
FOLDER = 0o040755
TERMINAL = 0o020620
PIPE = 0o010600

Parts = Mapping[int, bytes] | Iterable[tuple[int, bytes] | tuple[int, bytes, int]]
"""The content of each part by its kind; of those with flags (kind, content, flags)."""


def pack_parts(parts: Parts) -> bytes:
    """Lay out parts as ext/record/record.h says."""
    items = parts.items() if isinstance(parts, Mapping) else parts
    return b"".join(
        PART.pack(len(content), kind, *(flags or [0])) + content + bytes(-len(content) % 8)
        for kind, content, *flags in items
    )


def pack_record(
    kind: int,
    *,
    call: str | int = 0,
    pid: int = 100,
    tid: int | None = None,
    at: int = START,
    elapsed: int = 0,
    result: int = 0,
    args: Iterable[int] = (),
    fd_serial: int = 0,
    transferred: int = 0,
    parts: Parts = (),
) -> bytes:
    """Lay out one record; negative arguments are as a register holds them."""
    payload = pack_parts(parts)
    row = ROWS[call] if isinstance(call, str) else call
    values = [value & (2**64 - 1) for value in args]
    values += [0] * (6 - len(values))
    return (
        HEADER.pack(
            HEADER.size + len(payload),
            kind,
            row,
            pid,
            pid if tid is None else tid,
            at,
            elapsed,
            result,
            *values,
            fd_serial,
            len(payload),
            transferred,
        )
        + payload
    )


def pack_stat(mode: int = REGULAR, **fields: int) -> bytes:
    """Lay out a struct raw_stat."""
    found = dict.fromkeys(("dev", "ino", "links"), 1)
    found |= {"size": 0, "rdev": 0, "born_ns": 0, "uid": 1000, "gid": 1001, **fields}
    return STAT.pack(
        found["dev"],
        found["ino"],
        found["size"],
        found["rdev"],
        mode,
        found["uid"],
        found["gid"],
        found["links"],
        found["born_ns"],
    )


def strings(*texts: str | bytes) -> bytes:
    """Lay out strings that each end with a NUL."""
    return b"".join((t.encode() if isinstance(t, str) else t) + b"\0" for t in texts)


def status_text(uid: int = 1000, gid: int = 1001, ppid: int = 50, no_new_privs: int = 0) -> bytes:
    """Write what is needed of /proc/PID/status."""
    return (
        f"Name:\tx\nPPid:\t{ppid}\nUid:\t7\t{uid}\t7\t7\nGid:\t8\t{gid}\t8\t8\n"
        f"NoNewPrivs:\t{no_new_privs}\n"
    ).encode()


class Tracee:
    """Writes the records of a session, one call after another."""

    def __init__(self, pid: int = 100) -> None:
        self.pid = pid
        self.now = START
        self.records: list[bytes] = []
        self.inode = 1000

    def take(self) -> bytes:
        """Return what was written since the last time: one batch."""
        batch = b"".join(self.records)
        self.records.clear()
        return batch

    def add(self, kind: int, **fields: Any) -> None:
        """Write one record."""
        self.now += MILLISECOND
        self.records.append(pack_record(kind, **{"pid": self.pid, "at": self.now, **fields}))

    def call(self, name: str, *args: int, result: int = 0, parts: Parts = (), **more: Any) -> None:
        """Write the record of a call."""
        self.add(RawKind.SYSCALL, call=name, args=args, result=result, parts=parts, **more)

    def inherit(self, fd: int, link: str, mode: int = TERMINAL, **more: Any) -> None:
        """Have an fd from the start."""
        self.found(fd, link, mode, seen=Seen.INHERITED, **more)

    def inherit_socket(self, *fds: int, kind: int = SOCK_STREAM) -> None:
        """Have a socket from the start that is connected to 127.0.0.1, port 6000, from port 80."""
        self.inode += 1
        parts = {
            Part.LINK: f"socket:[{self.inode}]".encode(),
            Part.STAT: self.socket_stat(),
            Part.SOCKET: pack_socket(kind=kind),
            Part.LOCAL: pack_inet(),
            Part.PEER: pack_inet(port=6000),
        }
        for fd in fds:
            self.add(RawKind.FD, args=(fd, Seen.INHERITED), parts=parts)

    def found(self, fd: int, link: str, mode: int = REGULAR, ino: int = 5, **more: Any) -> None:
        """Have an fd that nobody saw being made."""
        seen = more.pop("seen", Seen.IN_USE)
        stat = {"ino": ino, **more.pop("stat", {})}
        parts = {Part.LINK: link.encode(), Part.STAT: pack_stat(mode, **stat)}
        self.add(RawKind.FD, args=(fd, seen), parts=parts, **more)

    def exec(self, path: str, *args: str, fds: Iterable[int] | None = None, **more: Any) -> None:
        """Run a program; `fds` are those that stay open, None: nobody looked."""
        parts: dict[int, bytes] = {
            Part.PATH: path.encode(),
            Part.ARGV: strings(*(args or (path,))),
            Part.CWD: b"/home/me",
            Part.ROOT: b"/",
            Part.EXE: path.encode(),
            Part.STAT: pack_stat(0o100755, uid=0, gid=0),
            Part.STATUS: status_text(),
        }
        if fds is not None:
            numbers = list(fds)
            parts[Part.FDS] = struct.pack(f"={len(numbers)}I", *numbers)
        parts |= more.pop("parts", {})
        former = more.get("tid", more.get("pid", self.pid))
        args = (more.pop("former", former), *more.pop("missing", ()))
        self.add(RawKind.EXEC, args=args, parts=parts, **more)

    def open(
        self,
        path: str,
        fd: int,
        *,
        link: str | None = None,
        flags: int = 0,
        mode: int = REGULAR,
        **more: Any,
    ) -> None:
        """Open a file with openat."""
        self.inode += 1
        parts = {
            Part.PATH: path.encode(),
            Part.LINK: (link or path).encode(),
            Part.STAT: pack_stat(mode, ino=self.inode),
        }
        self.call("openat", -100, 0, flags, result=fd, parts=parts, **more)

    def fail(self, name: str, *args: int, error: int, path: str = "", **more: Any) -> None:
        """Make a call that fails."""
        parts = {Part.PATH: path.encode()} if path else {}
        self.call(name, *args, result=-error, parts={**parts, **more.pop("parts", {})}, **more)

    def write(self, fd: int, data: bytes, *, transferred: int | None = None, **more: Any) -> None:
        """Write bytes."""
        size = len(data) if transferred is None else transferred
        parts = {Part.DATA: data}
        more = {"fd_serial": fd + 1000, **more}
        self.call("write", fd, 0, size, result=size, transferred=size, parts=parts, **more)

    def tally(self, fd: int, *counts: int, goes_on: bool = False, **more: Any) -> None:
        """Tell what an fd moved: reads, bytes, ns; writes, bytes, ns."""
        self.add(RawKind.TALLY, args=(fd, goes_on), parts={Part.TALLY: pack_tally(*counts)}, **more)

    def close(self, fd: int, *counts: int, **more: Any) -> None:
        """Close an fd that moved what `counts` say."""
        parts = {Part.TALLY: pack_tally(*counts)} if counts else {}
        self.call("close", fd, result=RESULT_UNKNOWN, parts=parts, **more)

    def fork(self, child: int, *, flags: int = 17, **more: Any) -> None:
        """Make a process (or a thread, if `group` says so)."""
        group = more.pop("group", child)
        self.add(RawKind.FORK, result=child, args=(flags, group), **more)

    def socket(self, fd: int, kind: int = SOCK_STREAM, *, domain: int = AF_INET) -> None:
        """Make a socket."""
        self.inode += 1
        parts = {Part.LINK: f"socket:[{self.inode}]".encode(), Part.STAT: self.socket_stat()}
        self.call("socket", domain, kind, 0, result=fd, parts=parts)

    def socket_stat(self) -> bytes:
        """Lay out the stat of the socket made last."""
        return pack_stat(0o140777, ino=self.inode)

    def connect(self, fd: int, *, result: int = 0, peer: bytes = b"", **more: Any) -> None:
        """Ask for a connection to 127.0.0.1, port 80, from port 5000."""
        peer = peer or pack_inet()
        parts = {Part.ADDRESS: peer}
        if result in (0, -EINPROGRESS):
            parts |= {Part.SOCKET: pack_socket(), Part.LOCAL: pack_inet(port=5000)}
        if result == 0:
            parts[Part.PEER] = peer
        self.call("connect", fd, 0, len(peer), result=result, parts=parts, **more)

    def accept(self, listener: int, fd: int, port: int = 6000) -> None:
        """Take a connection of 127.0.0.1 and `port`."""
        self.inode += 1
        parts = {
            Part.SOCKET: pack_socket(),
            Part.LOCAL: pack_inet(),
            Part.PEER: pack_inet(port=port),
            Part.LINK: f"socket:[{self.inode}]".encode(),
            Part.STAT: self.socket_stat(),
        }
        self.call("accept4", listener, 0, 0, 0, result=fd, parts=parts)

    def send(
        self, fd: int, data: bytes, *, to: bytes = b"", transferred: int | None = None
    ) -> None:
        """Send bytes, or a message to `to`."""
        parts = {Part.ADDRESS: to} if to else {}
        size = len(data) if transferred is None else transferred
        self.call(
            "sendto",
            fd,
            0,
            size,
            result=size,
            transferred=size,
            fd_serial=fd + 1000,
            parts={**parts, Part.DATA: data},
        )

    def receive(
        self,
        fd: int,
        data: bytes,
        *,
        by: bytes = b"",
        transferred: int | None = None,
        early: bool = False,
    ) -> None:
        """Receive bytes (none: the peer has ended its side), or a message from `by`.

        `early`: while another thread was sending.
        """
        parts = {Part.ADDRESS: by} if by else {}
        if early:
            parts[Part.EARLY] = b""
        size = len(data) if transferred is None else transferred
        self.call(
            "recvfrom",
            fd,
            0,
            4096,
            result=size,
            transferred=size,
            fd_serial=fd + 1000,
            parts={**parts, Part.DATA: data},
        )

    def exit(self, status: int = 0, **more: Any) -> None:
        """End; `status` is as waitpid(2) tells it."""
        self.add(RawKind.EXIT, result=status, args=(10, 20, 3000, 4, 5, 25), **more)


def pack_inet(ip: str = "127.0.0.1", port: int = 80) -> bytes:
    """Lay out a struct sockaddr_in, or of an IPv6 address a struct sockaddr_in6 (ip(7))."""
    if ":" in ip:
        head = struct.pack("=H", AF_INET6) + struct.pack("!HI", port, 0)
        return head + IPv6Address(ip).packed + bytes(4)
    return struct.pack("=H", AF_INET) + struct.pack("!H", port) + IPv4Address(ip).packed + bytes(8)


def pack_unix(path: bytes) -> bytes:
    """Lay out a struct sockaddr_un; an abstract name begins with a NUL (unix(7))."""
    return struct.pack("=H", AF_UNIX) + path


def pack_socket(
    domain: int = AF_INET, kind: int = SOCK_STREAM, *, listening: int = 0, peer: int = 0
) -> bytes:
    """Lay out a struct raw_socket."""
    return SOCKET.pack(domain, kind, 0, listening, 77, peer)


def pack_tally(*counts: int) -> bytes:
    """Lay out a struct raw_tally; what is left out is 0."""
    return TALLY.pack(*(*counts, *[0] * (6 - len(counts))))


def pack_calls(*counts: tuple[str, int, int, int, int]) -> bytes:
    """Lay out struct raw_calls: row, whether bytes went out, calls, bytes, ns."""
    return b"".join(CALL_COUNTS.pack(ROWS[row], *rest) for row, *rest in counts)


def started_program() -> Tracee:
    """Return a program that just started, in /home/me, with a terminal on fds 0 to 2."""
    tracee = Tracee()
    for fd in range(3):
        tracee.inherit(fd, "/dev/pts/0")
    tracee.exec("/usr/bin/prog", "prog", "x")
    return tracee
