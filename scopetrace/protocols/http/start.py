"""Who asks and which version of HTTP is spoken, told by the first bytes of a flow.

Who connected asks; where nobody knows, who sends what only a client or only a server sends. The
client says which version it is, and a server of HTTP/2 may send its settings before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from scopetrace.protocols.http.frames import PREFACE
from scopetrace.protocols.http.heads import (
    LATER_REQUEST_LINE,
    LATER_STATUS_LINE,
    LONG_REQUEST_LINE,
    REQUEST_LINE,
)

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


class Seen:
    """The first bytes of one direction."""

    __slots__ = ("_fresh", "_line", "data")

    def __init__(self) -> None:
        self.data = bytearray()
        self._line = 0
        """Where the line begins that the last bytes ended, if `_fresh`: they ended one."""
        self._fresh = False

    def add(self, data: bytes) -> None:
        """Take the next bytes; what is beyond `MOST_SEEN` shows only that there is more."""
        before = len(self.data)
        self.data += data[: MOST_SEEN + 1 - before]
        self._fresh = self.data.find(b"\n", before) >= 0
        if self._fresh:
            self._line = self.data.rfind(b"\n", 0, before) + 1

    def begins_as(self, first_line: re.Pattern[bytes]) -> bool:
        """Return whether the first of all lines, ended by the last bytes, is such a line."""
        return self._fresh and not self._line and first_line.match(self.data) is not None

    def find(self, first_line: re.Pattern[bytes]) -> int:
        """Return where the last bytes ended such a line first; if they did not, beyond all."""
        found = first_line.search(self.data, self._line) if self._fresh else None
        return found.start() if found else MOST_SEEN + 1


def recognised(role: str, seen: Mapping[bool, Seen], outgoing: bool) -> Start | None:
    """Return what a flow is by what went each way until now; None: more must be seen.

    Args:
        role: of this side (`Flow.role`).
        seen: what went out (True) and came in.
        outgoing: which of them has just grown.
    """
    client = OUTGOING.get(role)
    if client is None:
        return _told(seen[outgoing], outgoing)
    requests, responses = seen[client].data, seen[not client].data
    if requests.startswith(PREFACE):
        return Start(client, 2)
    may_be_http2 = PREFACE.startswith(bytes(requests[: len(PREFACE)])) and (
        bytes(responses[:1]) in FRAMED
    )
    return None if may_be_http2 else Start(client, 1)


def _told(seen: Seen, outgoing: bool) -> Start | None:
    """Return what a flow is, if a direction of it has just told: by its first line that tells."""
    if seen.data.startswith(PREFACE):
        return Start(outgoing, 2)
    if seen.begins_as(REQUEST_LINE) or LONG_REQUEST_LINE.match(seen.data):
        return Start(outgoing, 1)
    request, status = seen.find(LATER_REQUEST_LINE), seen.find(LATER_STATUS_LINE)
    if request == status:
        return None
    return Start(outgoing is (request < status), 1)
