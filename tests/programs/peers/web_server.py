"""A web server that prints what it sees of each request, as one line of JSON, before it answers.

    web_server.py PORT [HOST]

GET /bytes/N answers N bytes of known length, /chunks/N in chunks, /until-close/N until it closes;
/status/N answers with that status. A body is read, of known length or in chunks;
its size is reported.
SIGTERM ends it when its connections have ended.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 1000


class Server(ThreadingHTTPServer):
    daemon_threads = False  # an exit in the middle of a write leaves unknown what it wrote
    request_queue_size = 256


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def read_body(self) -> int:
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self.read_chunks()
        return len(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def read_chunks(self) -> int:
        total = 0
        while size := int(self.rfile.readline().split(b";")[0], 16):
            total += len(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return total

    def answer(self) -> None:
        received = self.read_body()
        kind, _, number = self.path.split("?")[0].strip("/").partition("/")
        status, body = 200, b"%d\n" % received
        if kind == "status":
            status, body = int(number), b"as you wished\n"
        elif number:
            body = b"x" * int(number)
        bare = self.command == "HEAD" or status in (204, 304)
        line = {
            "port": self.client_address[1],
            "method": self.command,
            "target": self.path,
            "flavor": self.request_version.removeprefix("HTTP/"),
            "status": status,
            "received": received,
            "sent": 0 if bare else len(body),
        }
        print(json.dumps(line), flush=True)
        self.send(kind, status, b"" if bare else body, len(body))

    def send(self, kind: str, status: int, body: bytes, length: int) -> None:
        self.send_response(status)
        chunked = kind == "chunks" and self.request_version == "HTTP/1.1"
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif kind in ("until-close", "chunks"):
            self.send_header("Connection", "close")
        elif status not in (204, 304):
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if chunked and self.command != "HEAD":
            for start in range(0, len(body), CHUNK):
                piece = body[start : start + CHUNK]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer


def main(port: int, host: str) -> None:
    if ":" in host:
        Server.address_family = socket.AF_INET6
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Server((host, port), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1")
