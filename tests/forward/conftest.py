from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scopetrace.config.schema import Transport
from support.collectors import Authority

MAKE_AUTHORITY = """
set -e
"$1" req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
"$1" req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr
echo subjectAltName=DNS:localhost > names
for kind in 'server 2' 'expired -1'; do
    "$1" x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names \
        -out "${kind% *}.pem" -days "${kind#* }"
done
chmod 644 *
"""


@pytest.fixture(scope="session")
def authority(commons: Path, needs: Callable[[str], str]) -> Authority:
    folder = commons / "authority"
    folder.mkdir()
    subprocess.run(
        ["sh", "-c", MAKE_AUTHORITY, "sh", needs("openssl")],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return Authority(folder)


@pytest.fixture
def transport() -> Callable[..., Transport]:
    def make(type: str, host: str = "", port: int = 0, path: Any = "", **more: Any) -> Transport:
        tls = {"enable": False, "validateserver": True, "cacertpath": "", **more.pop("tls", {})}
        keys = {"type": type, "host": host, "port": port, "path": str(path), "tls": tls}
        return msgspec.convert({"buffering": "line", **keys, **more}, Transport)

    return make
