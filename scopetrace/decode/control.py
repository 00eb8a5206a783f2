"""Control messages: the fds that a message carried (cmsg(3), unix(7), SCM_RIGHTS).

A 32-bit program has a shorter header. Which one it is shows in the bytes: read as the other, the
length of the first message is no possible length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

SOL_SOCKET = 1
SCM_RIGHTS = 1
LAYOUTS = (struct.Struct("=Qii"), struct.Struct("=Iii"))
"""Length of header and data, level, type: of 64-bit programs, of 32-bit ones."""


def received_fds(control: bytes) -> list[int]:
    """Return the fds in the control messages of one recvmsg; none if they make no sense."""
    for layout in LAYOUTS:
        messages = list(_messages(control, layout))
        if messages:
            return [
                fd
                for level, kind, data in messages
                if level == SOL_SOCKET and kind == SCM_RIGHTS
                for (fd,) in struct.iter_unpack("=i", data[: len(data) & ~3])
                if fd >= 0
            ]
    return []


def _messages(control: bytes, layout: struct.Struct) -> Iterator[tuple[int, int, bytes]]:
    """Yield (level, type, data) of each whole message."""
    word, at = layout.size - 8, 0
    while at + layout.size <= len(control):
        length, level, kind = layout.unpack_from(control, at)
        if not layout.size <= length <= len(control) - at:
            return
        yield level, kind, control[at + layout.size : at + length]
        at += (length + word - 1) & ~(word - 1)
