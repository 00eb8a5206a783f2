"""Peers of recorded programs, all on loopback, and what they know of what went on.

A peer that is not under test runs beside the program and is never recorded. A `Relay` stands
between a client and its server and keeps every byte; `serve` starts a server. Nothing here connects
to a server to see whether it is there: that would be one connection more than a test asked for.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from support.harness import (
    PATIENCE,
    Argv,
    Ending,
    Recording,
    Stage,
    scopetrace_command,
    wait_for,
)
from support.interpreter import python

PEERS = Path(__file__).parents[1] / "programs" / "peers"
HOST = "127.0.0.1"
LISTENS = "0A"
"""How /proc/net/tcp writes the state of a socket that listens."""
T = TypeVar("T")


def free_port() -> int:
    """Return a port that nobody has, for TCP or UDP, and that nobody is given by the kernel."""
    for port in random.sample(range(10_000, 32_768), 100):
        with (
            suppress(OSError),
            socket.socket() as tcp,
            socket.socket(type=socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind((HOST, port))
            udp.bind((HOST, port))
            return port
    raise AssertionError("no port is free")


def sockets_of(table: str) -> list[list[str]]:
    """Return the rows of a table of /proc/net, in columns."""
    lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    return [line.split() for line in lines]


def is_listening(port: int) -> bool:
    """Tell whether a TCP server is there, without asking it."""
    rows = sockets_of("tcp") + sockets_of("tcp6")
    return any(row[1].endswith(f":{port:04X}") and row[3] == LISTENS for row in rows)


def is_bound(port: int) -> bool:
    """Tell whether a UDP socket has a port."""
    rows = sockets_of("udp") + sockets_of("udp6")
    return any(row[1].endswith(f":{port:04X}") for row in rows)


def peer(name: str, *arguments: object) -> list[str]:
    """Return the command line of a program of `peers`."""
    return [python(), "-u", str(PEERS / name), *map(str, arguments)]


# -- servers --------------------------------------------------------------------------------------


@contextmanager
def serve(
    argv: Argv, ready: Callable[[], Any], *, log: Path | None = None, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server beside the program under test until the block ends."""
    with (log or Path(os.devnull)).open("wb") as out:
        options |= {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out}
        server = subprocess.Popen([*map(str, argv)], **options)
    try:
        wait_for(lambda: ready() or server.poll() is not None, f"{argv[0]} to be ready")
        assert server.poll() is None, f"{argv[0]} ended: {log.read_text() if log else ''}"
        yield server
    finally:
        server.terminate()
        try:
            server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@dataclass(frozen=True)
class Served:
    """What a server did under `scopetrace run`, and what its clients say of it."""

    recording: Recording
    clients: Any


def run_server(
    stage: Stage,
    argv: Argv,
    ready: Callable[[], Any],
    clients: Callable[[], T],
    stop: Callable[[int], Any],
) -> tuple[Ending, T]:
    """Start a server as the user of the stage, let clients at it, stop it, and see how it ended."""
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "cwd": stage.work} | stage.become()
    with (stage.folder / "out").open("wb") as out, (stage.folder / "err").open("wb") as err:
        server = subprocess.Popen(
            [*map(str, argv)], stdout=out, stderr=err, env=stage.environment(), **options
        )
    try:
        wait_for(lambda: ready() or server.poll() is not None, f"{argv[0]} to be ready")
        told = clients()
        stop(server.pid)
        status = server.wait(PATIENCE)
    finally:
        server.kill()
        server.wait()
    stdout, stderr = ((stage.folder / name).read_bytes() for name in ("out", "err"))
    return Ending(stdout, stderr, status), told


def terminate(pid: int) -> None:
    """Stop a server in the usual way."""
    os.kill(pid, signal.SIGTERM)


def record_server(
    stage: Stage,
    argv: Argv,
    ready: Callable[[], Any],
    clients: Callable[[], Any],
    *,
    stop: Callable[[int], Any] = terminate,
    payloads: bool = False,
) -> Served:
    """Do what `run_server` does, under `scopetrace run`."""
    home = stage.new_home()
    command = scopetrace_command("run", *["-p"][:payloads], "--", *argv)
    ending, told = run_server(stage, command, ready, clients, stop)
    return Served(stage.finished(home, ending), told)


def compare_server(
    stage: Stage,
    argv: Argv,
    ready: Callable[[], Any],
    clients: Callable[[], Any],
    *,
    stop: Callable[[int], Any] = terminate,
    same: Callable[[bytes], Any] = bytes,
) -> Served:
    """Run a server natively and recorded; all that a shell sees must be the same.

    `same` returns what two outputs must have in common: ports and times differ from run to run.
    """
    native, _ = run_server(stage, argv, ready, clients, stop)
    served = record_server(stage, argv, ready, clients, stop=stop)
    recorded = served.recording.ending
    assert recorded.status == native.status, recorded
    assert (same(recorded.stdout), same(recorded.stderr)) == (
        same(native.stdout),
        same(native.stderr),
    )
    return served


def without_numbers(output: bytes) -> bytes:
    """Return output with each number as N: what two runs have in common."""
    return re.sub(rb"\d+", b"N", output)


def json_lines(output: bytes) -> list[dict[str, Any]]:
    """Return what a peer printed of what it saw, an object to a line."""
    return [json.loads(line) for line in output.splitlines()]


def compare(
    stage: Stage,
    argv: Argv,
    *,
    same: Callable[[bytes], Any] = bytes,
    payloads: bool = False,
    before: Callable[[], Any] = lambda: None,
    **options: Any,
) -> Recording:
    """Run a client natively and recorded; all that a shell sees must be the same.

    Args:
        same: returns what two outputs must have in common.
        payloads: record the bytes too.
        before: called before each of the two runs.
    """
    stage.prepare()
    before()
    native = stage.run(argv, **options)
    stage.prepare()
    before()
    recording = record(stage, argv, payloads=payloads, **options)
    ending = recording.ending
    assert ending.status == native.status, ending
    assert same(ending.stdout) == same(native.stdout)
    assert same(ending.stderr) == same(native.stderr)
    return recording


def record(stage: Stage, argv: Argv, *, payloads: bool = False, **options: Any) -> Recording:
    """Run a program under `scopetrace run` or `scopetrace run -p`."""
    home = stage.new_home()
    command = scopetrace_command("run", *["-p"][:payloads], "--", *argv)
    return stage.finished(home, stage.run(command, **options))


class WebServer(NamedTuple):
    """peers/web_server.py, beside the program under test."""

    port: int
    log: Path

    def seen(self) -> list[dict[str, Any]]:
        """Return what it saw of each request, in their order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def web_server(folder: Path, host: str = HOST) -> Iterator[WebServer]:
    """Run a web server until the block ends."""
    port, log = free_port(), folder / "web_server.log"
    with serve(peer("web_server.py", port, host), lambda: is_listening(port), log=log):
        yield WebServer(port, log)


@contextmanager
def files_in_http2(stage: Stage, nghttpd: str) -> Iterator[int]:
    """Run a server of HTTP/2 alone, with a file of each of some sizes; yield its port."""
    port = free_port()
    command = nghttpd_command(stage, nghttpd, port)
    with serve(command, lambda: is_listening(port), log=stage.folder / "nghttpd.log"):
        yield port


def nghttpd_command(stage: Stage, nghttpd: str, port: int) -> Argv:
    """Return the command line of a server of HTTP/2, and make the files that it serves."""
    pages = stage.folder / "pages"
    pages.mkdir()
    for size in (0, 1, 5000, 300_000):
        (pages / str(size)).write_bytes(b"2" * size)
    return [nghttpd, "--no-tls", "-a", HOST, "-d", pages, "--echo-upload", str(port)]


class Proxy(NamedTuple):
    """nghttpx, which switches to HTTP/2 when asked to, before a server of HTTP/1.1."""

    port: int
    log: Path

    def logged(self, count: int) -> list[str]:
        """Return the lines of its access log, when there are so many."""
        return wait_for(lambda: lines_of(self.log, count), "an access log")


@contextmanager
def http2_proxy(stage: Stage, nghttpx: str) -> Iterator[Proxy]:
    """Run nghttpx and a web server until the block ends."""
    with web_server(stage.folder) as server:
        port, log = free_port(), stage.folder / "nghttpx.access"
        command = [
            nghttpx,
            f"-f{HOST},{port};no-tls",
            f"-b{HOST},{server.port}",
            "-n1",
            "--conf=/dev/null",
            f"--accesslog-file={log}",
            f"--errorlog-file={stage.folder / 'nghttpx.error'}",
            "--accesslog-format=$method $path $status $body_bytes_sent",
        ]
        with serve(command, lambda: is_listening(port)):
            yield Proxy(port, log)


def lines_of(log: Path, count: int) -> list[str]:
    """Return the lines of a log if there are so many."""
    lines = log.read_text().splitlines() if log.exists() else []
    return lines if len(lines) >= count else []


def certificate(folder: Path, openssl: str) -> tuple[Path, Path]:
    """Make a certificate that vouches for itself, and its key."""
    paths = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            openssl,
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=scope.test",
            "-days",
            "2",
            "-out",
            paths[0],
            "-keyout",
            paths[1],
        ],
        check=True,
        capture_output=True,
    )
    paths[1].chmod(0o644)
    return paths


# -- bytes on the wire ----------------------------------------------------------------------------


@dataclass
class Wire:
    """One connection through a relay."""

    client: int
    """The port of the client; 0 if it has none."""
    server: int
    """The port that the relay came to the server from."""
    sent: bytearray = field(default_factory=bytearray)
    """By the client."""
    received: bytearray = field(default_factory=bytearray)


class Relay:
    """Stands between clients and a server, and keeps what goes through."""

    def __init__(self, server: int, family: socket.AddressFamily = socket.AF_INET) -> None:
        self._server = server
        self._family = family
        self._host = HOST if family == socket.AF_INET else "::1"
        self._listener = socket.create_server((self._host, 0), family=family, backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.wires: list[Wire] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Relay:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.settle()

    def settle(self) -> None:
        """Wait until all that came has gone on."""
        for thread in self._threads[1:]:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a connection through a relay did not end"

    def forget(self) -> None:
        """Forget all connections until now."""
        self.settle()
        self.wires.clear()

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, peer = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection((self._host, self._server))
            wire = Wire(peer[1], far.getsockname()[1])
            self.wires.append(wire)
            self._start(self._pass_on, near, far, wire)

    def _pass_on(self, near: socket.socket, far: socket.socket, wire: Wire) -> None:
        back = threading.Thread(target=_pump, args=(far, near, wire.received), daemon=True)
        back.start()
        _pump(near, far, wire.sent)
        back.join()
        near.close()
        far.close()


def _pump(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            kept += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def conversation(port: int, said: bytes) -> bytes:
    """Say something and return everything that was answered until the connection was closed."""
    with socket.create_connection((HOST, port), timeout=20) as connection:
        connection.sendall(said)
        answer = b""
        while data := connection.recv(1 << 16):
            answer += data
        return answer


def request(method: str, target: str, *fields: str, version: str = "1.1") -> bytes:
    """Return a request of HTTP/1 without a body."""
    lines = [f"{method} {target} HTTP/{version}", "Host: a", *fields]
    return "\r\n".join([*lines, "", ""]).encode()
