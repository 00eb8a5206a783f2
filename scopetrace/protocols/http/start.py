"""Which side is the client, and which version of HTTP is spoken, by the first bytes of a flow.

The side that connected is the client. Where that is not known, it is the side that sends what only
a client sends, or whose peer sends what only a server sends. The client says which version it is; a
server of HTTP/2 may send its settings before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from scopetrace.protocols.http.heads import (
    LATER_REQUEST_LINE,
    LATER_STATUS_LINE,
    LONG_REQUEST_LINE,
    REQUEST_LINE,
)
from scopetrace.protocols.http.messages import PREFACE

MOST_SEEN = 16_384
"""Bytes of a direction that may come before it is clear."""

FRAMED = (b"", b"\0")
"""How a frame begins that is no longer than 64 KiB, as that of a server's settings is."""

OUTGOING = {"client": True, "server": False}
"""The role of this side → whether what it sends are requests."""


class Start(NamedTuple):
    """What a flow is."""

    is_client: bool
    """Whether the requests are outgoing."""
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
        """Add the next bytes; beyond `MOST_SEEN` one more is kept, to show that there are."""
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


def recognise_start(role: str, seen: Mapping[bool, Seen], outgoing: bool) -> Start | None:
    """Return what a flow is by the bytes of each direction until now; None: more are needed.

    Args:
        role: of this side (`Flow.role`).
        seen: the bytes that were sent (True) and received.
        outgoing: the direction of the last of them.
    """
    client = OUTGOING.get(role)
    if client is None:
        return _by_its_lines(seen[outgoing], outgoing)
    requests, responses = seen[client].data, seen[not client].data
    if requests.startswith(PREFACE):
        return Start(client, 2)
    may_be_http2 = PREFACE.startswith(bytes(requests[: len(PREFACE)])) and (
        bytes(responses[:1]) in FRAMED
    )
    return None if may_be_http2 else Start(client, 1)


def _by_its_lines(seen: Seen, outgoing: bool) -> Start | None:
    """Return what a flow is, if the last bytes of a direction end the first line that shows it."""
    if seen.data.startswith(PREFACE):
        return Start(outgoing, 2)
    if seen.begins_as(REQUEST_LINE) or LONG_REQUEST_LINE.match(seen.data):
        return Start(outgoing, 1)
    request, status = seen.find(LATER_REQUEST_LINE), seen.find(LATER_STATUS_LINE)
    if request == status:
        return None
    return Start(outgoing is (request < status), 1)
