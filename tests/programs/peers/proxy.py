"""A proxy for those who ask by SOCKS 4, 4a or 5 (with a password or without), or by CONNECT.

    proxy.py PORT [HEADER]

With HEADER, what it sends on begins with a header of the PROXY protocol. SIGTERM ends it
when its connections have ended.
"""

from __future__ import annotations

import signal
import socket
import socketserver
import struct
import sys
import threading


class Handler(socketserver.StreamRequestHandler):
    rbufsize = 0

    def handle(self) -> None:
        first = self.rfile.read(1)
        host, port, granted = {b"\4": self.socks4, b"\5": self.socks5}.get(first, self.connect)()
        with socket.create_connection((host, port)) as target:
            if self.server.header:
                (client, near), (server, far) = self.client_address, self.connection.getsockname()
                target.sendall(f"PROXY TCP4 {client} {server} {near} {far}\r\n".encode())
            self.connection.sendall(granted)
            other = threading.Thread(target=pump, args=(target, self.connection))
            other.start()
            pump(self.connection, target)
            other.join()

    def until(self, end: bytes) -> bytes:
        said = b""
        while not said.endswith(end):
            said += self.rfile.read(1)
        return said

    def socks4(self) -> tuple[str, int, bytes]:
        _command, port, address = struct.unpack(">BH4s", self.rfile.read(7))
        self.until(b"\0")
        named = address[:3] == b"\0\0\0"
        host = self.until(b"\0")[:-1].decode() if named else socket.inet_ntoa(address)
        return host, port, b"\0\x5a" + bytes(6)

    def socks5(self) -> tuple[str, int, bytes]:
        methods = self.rfile.read(self.rfile.read(1)[0])
        self.connection.sendall(b"\5\2" if b"\2" in methods else b"\5\0")
        if b"\2" in methods:
            self.rfile.read(1)
            for _ in ("name", "password"):
                self.rfile.read(self.rfile.read(1)[0])
            self.connection.sendall(b"\1\0")
        kind = self.rfile.read(4)[3]
        size = {1: 4, 4: 16}.get(kind) or self.rfile.read(1)[0]
        host = self.rfile.read(size)
        family = {1: socket.AF_INET, 4: socket.AF_INET6}.get(kind)
        named = socket.inet_ntop(family, host) if family else host.decode()
        return named, int.from_bytes(self.rfile.read(2), "big"), b"\5\0\0\1" + bytes(6)

    def connect(self) -> tuple[str, int, bytes]:
        target = self.until(b"\r\n\r\n").split()[1].decode()
        host, _, port = target.rpartition(":")
        return host, int(port), b"HTTP/1.1 200 Connection established\r\n\r\n"


def pump(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(1 << 16):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False  # an exit in the middle of a write leaves unknown what it wrote
    header = len(sys.argv) > 2


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Server(("127.0.0.1", int(sys.argv[1])), Handler) as server:
        server.serve_forever()
