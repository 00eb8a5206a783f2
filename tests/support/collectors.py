"""The other side of destinations: servers on loopback that keep what they are sent."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from support.harness import PATIENCE

HOST = "127.0.0.1"


class Collector:
    """A server that reads each connection to its end, one after the other.

    Args:
        listening: its socket.
        context: speaks TLS.
    """

    def __init__(self, listening: socket.socket, context: ssl.SSLContext | None = None) -> None:
        self.connections: list[bytes] = []
        """What came in each, once it is closed."""
        self._listening = listening
        self._context = context
        self._ended = False
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self._listening.getsockname()[1]
        return port

    def stop(self) -> None:
        """Take no more connections."""
        self._ended = True
        with socket.socket(self._listening.family) as last, suppress(OSError):
            last.connect(self._listening.getsockname())  # close(2) alone does not wake accept(2)
        self._thread.join(PATIENCE)
        self._listening.close()

    @property
    def lines(self) -> list[bytes]:
        """All lines of connections that have ended."""
        return b"".join(self.connections).splitlines()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self._listening.accept()
                if self._ended:
                    connected.close()
                    return
                with suppress(OSError):
                    if self._context is not None:
                        connected = self._context.wrap_socket(connected, server_side=True)
                    self.connections.append(read_all(connected))


def read_all(connected: socket.socket) -> bytes:
    """Read a connection to its end, and close it."""
    connected.settimeout(PATIENCE)
    with connected:
        return b"".join(iter(lambda: connected.recv(65_536), b""))


@contextmanager
def collecting(address: Any = None, context: ssl.SSLContext | None = None) -> Iterator[Collector]:
    """Run a collector: of TCP on a free port, or of a unix socket at `address`."""
    collector = Collector(listener(address), context)
    try:
        yield collector
    finally:
        collector.stop()


def listener(address: Any = None) -> socket.socket:
    """Return a socket that listens; its timeout ends tests that would wait for ever."""
    if isinstance(address, str):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(address)
        listening.listen()
    else:
        listening = socket.create_server(address or (HOST, 0))
    listening.settimeout(PATIENCE)
    return listening


@contextmanager
def udp_socket() -> Iterator[socket.socket]:
    """Bind a UDP socket to a free port, with room for many datagrams."""
    with socket.socket(type=socket.SOCK_DGRAM) as bound:
        bound.bind((HOST, 0))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        bound.settimeout(PATIENCE)
        yield bound


def datagrams(bound: socket.socket) -> list[bytes]:
    """Return what has arrived."""
    found = []
    bound.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            found.append(bound.recv(65_536))
    return found


class Authority:
    """Certificates for a server on loopback called `localhost`, and who vouches for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def certificate(self) -> str:
        """The file that a client is to trust."""
        return str(self.folder / "ca.pem")

    @property
    def server(self) -> ssl.SSLContext:
        """What a server speaks TLS with."""
        return self._context("server")

    @property
    def expired(self) -> ssl.SSLContext:
        """The same with a certificate that was valid until yesterday."""
        return self._context("expired")

    def _context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / "server.key")
        return context
