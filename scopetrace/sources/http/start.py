"""Who asks and which version of HTTP is spoken, told by the first bytes of a flow.

Who connected asks; where nobody knows, who sends what only a client or only a server sends. The
client says which version it is, and a server of HTTP/2 may send its settings before.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from scopetrace.sources.http.frames import PREFACE
from scopetrace.sources.http.heads import LATER_REQUEST_LINE, LATER_STATUS_LINE

MOST_SEEN = 16_384
"""Bytes of a direction that may come before it is clear."""

FRAMED = (b"", b"\0")
"""How a frame begins that is no longer than 64 KiB, as that of a server's settings is."""

OUTGOING = {"client": True, "server": False}
"""The role of this side → whether what it sends are requests."""


class Start(NamedTuple):
    """What a flow is."""

    client: bool
    """Outgoing are the requests."""
    version: int


def recognised(role: str, sent: bytes, received: bytes) -> Start | None:
    """Return what a flow is by what went each way until now; None: more must be seen."""
    client = OUTGOING.get(role)
    if client is None:
        return _told(sent, received, True) or _told(received, sent, False)
    requests, responses = (sent, received) if client else (received, sent)
    if requests.startswith(PREFACE):
        return Start(client, 2)
    may_be_http2 = PREFACE.startswith(requests) and responses[:1] in FRAMED
    return None if may_be_http2 else Start(client, 1)


def _told(requests: bytes, responses: bytes, client: bool) -> Start | None:
    """Return what a flow is, if it is that of these requests and responses."""
    if requests.startswith(PREFACE):
        return Start(client, 2)
    if _has(LATER_REQUEST_LINE, requests) or _has(LATER_STATUS_LINE, responses):
        return Start(client, 1)
    return None


def _has(first_line: re.Pattern[bytes], data: bytes) -> bool:
    return first_line.search(data) is not None
