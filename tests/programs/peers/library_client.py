"""A client of HTTP made with a library, that prints what it saw of each answer as a line of JSON.

library_client.py requests|urllib3|httpx|aiohttp PORT
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable

ASKED = [
    ("GET", "/bytes/100", None),
    ("HEAD", "/bytes/100", None),
    ("POST", "/form", b"f" * 70_000),
    ("GET", "/chunks/2500", None),
    ("DELETE", "/status/204", None),
    ("GET", "/status/404", None),
    ("GET", "/until-close/3000", None),
]


def tell(method: str, target: str, status: int, body: bytes) -> None:
    line = {"method": method, "target": target, "status": status, "received": len(body)}
    print(json.dumps(line))


def by_requests(url: str) -> None:
    import requests

    with requests.Session() as session:
        for method, target, body in ASKED:
            answer = session.request(method, url + target, data=body, timeout=20)
            tell(method, target, answer.status_code, answer.content)


def by_urllib3(url: str) -> None:
    import urllib3

    with urllib3.PoolManager() as pool:
        for method, target, body in ASKED:
            answer = pool.request(method, url + target, body=body, timeout=20)
            tell(method, target, answer.status, answer.data)


def by_httpx(url: str) -> None:
    import httpx

    with httpx.Client(timeout=20) as client:
        for method, target, body in ASKED:
            answer = client.request(method, url + target, content=body)
            tell(method, target, answer.status_code, answer.content)


def by_aiohttp(url: str) -> None:
    import aiohttp

    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            for method, target, body in ASKED:
                async with session.request(method, url + target, data=body) as answer:
                    tell(method, target, answer.status, await answer.read())

    asyncio.run(ask())


WAYS: dict[str, Callable[[str], None]] = {
    "requests": by_requests,
    "urllib3": by_urllib3,
    "httpx": by_httpx,
    "aiohttp": by_aiohttp,
}

if __name__ == "__main__":
    WAYS[sys.argv[1]](f"http://127.0.0.1:{sys.argv[2]}")
