"""A web server whose every byte is encrypted; it answers one request of each connection.

    tls_server.py PORT CERTIFICATE KEY

SIGTERM ends it when its connections have ended.
"""

from __future__ import annotations

import signal
import socketserver
import ssl
import sys


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with self.server.context.wrap_socket(self.request, server_side=True) as connection:
            connection.recv(4096)
            print(connection.version(), connection.selected_alpn_protocol(), flush=True)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
            connection.recv(4096)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False  # an exit in the middle of a write leaves unknown what it wrote

    def __init__(self, port: int, certificate: str, key: str) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.context.set_alpn_protocols(["http/1.1"])
        super().__init__(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Server(int(sys.argv[1]), *sys.argv[2:4]) as server:
        server.serve_forever()
