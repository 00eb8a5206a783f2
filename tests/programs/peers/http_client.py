"""A client of HTTP that prints what it saw of each answer, as one line of JSON.

    http_client.py PORT

First through one connection that it keeps (http.client), then through one for each page (urllib).
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

KEPT = [
    ("GET", "/bytes/100", None),
    ("HEAD", "/bytes/100", None),
    ("POST", "/form", b"f" * 70_000),
    ("PUT", "/pieces", [b"one", b"two", b"three"]),
    ("GET", "/chunks/2500", None),
    ("DELETE", "/status/204", None),
    ("GET", "/status/404", None),
]
SINGLE = ["/bytes/5", "/chunks/1", "/until-close/3000", "/status/500"]


def tell(port: int, method: str, target: str, status: int, body: bytes) -> None:
    line = {"port": port, "method": method, "target": target, "status": status}
    print(json.dumps({**line, "received": len(body)}))


def keep(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for method, target, body in KEPT:
        pieces: Iterator[bytes] | bytes | None = iter(body) if isinstance(body, list) else body
        connection.request(method, target, pieces)
        own = connection.sock.getsockname()[1]
        answer = connection.getresponse()
        tell(own, method, target, answer.status, answer.read())
    connection.close()


def single(port: int, target: str) -> None:
    url = f"http://127.0.0.1:{port}{target}"
    try:
        answer = urllib.request.urlopen(url, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        own = _socket_of(answer).getsockname()[1]
        tell(own, "GET", target, answer.status, answer.read())


def _socket_of(answer: Any) -> socket.socket:
    """Return what an answer comes through; urllib has no public way to it."""
    reader = answer.fp.fp if isinstance(answer, urllib.error.HTTPError) else answer.fp
    connection: socket.socket = reader.raw._sock
    return connection


def main(port: int) -> None:
    keep(port)
    for target in SINGLE:
        single(port, target)


if __name__ == "__main__":
    main(int(sys.argv[1]))
