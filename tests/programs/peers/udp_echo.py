"""Echoes datagrams to whoever sent them, through one socket, and says how much it got from each.

    udp_echo.py PORT COUNT

Ends after COUNT datagrams.
"""

from __future__ import annotations

import json
import socket
import sys
from collections import Counter


def main(port: int, count: int) -> None:
    received: Counter[int] = Counter()
    with socket.socket(type=socket.SOCK_DGRAM) as echo:
        echo.bind(("127.0.0.1", port))
        for _ in range(count):
            data, peer = echo.recvfrom(65536)
            received[peer[1]] += len(data)
            echo.sendto(data * 2, peer)
    print(json.dumps(received))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
