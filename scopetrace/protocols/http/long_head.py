"""A head that is longer than `MOST_HEAD`: read line by line, and most of it is not kept.

A server that refuses such a request may go on with the connection, and so must the parser. Kept are
the beginning of the first line with the version at its end, the first fields, and those that say
how long the body is, wherever they stand.
"""

from __future__ import annotations

from scopetrace.protocols.http.messages import MOST_HEAD, TOO_LONG, Unreadable

MOST_LINE = 8192
"""Bytes of a line that are kept; a longer field is not."""
MOST_REASON = 1000
"""Bytes of a status line that are kept."""
TAIL = 64
"""Bytes of the end of a line that are kept: of a request line, the version and white space."""
FRAMING = (b"content-length", b"transfer-encoding")


class LongHead:
    """One such head, as far as it has come."""

    __slots__ = (
        "_fields",
        "_first_line",
        "_is_kept",
        "_line",
        "_line_size",
        "began_ns",
        "ended",
        "size",
    )

    def __init__(self, began_ns: int) -> None:
        self.began_ns = began_ns
        self.ended = False
        self.size = 0
        """Bytes that it has until now."""
        self._first_line = b""
        self._fields = bytearray()
        self._is_kept = False
        """The field that was read last is kept, and so are lines that continue it."""
        self._line = bytearray()
        self._line_size = 0
        """Of the line that is not whole, with what is not kept of it."""

    @property
    def kept(self) -> bytes:
        """What is kept of it: a head with its empty line."""
        return self._first_line + self._fields + b"\r\n"

    def take(self, data: bytes | bytearray, position: int) -> int:
        """Consume from `position` on; return where the head ended, or the end of `data`.

        Raises:
            Unreadable: Too much of it would have to be kept.
        """
        begin = position
        while position < len(data) and not self.ended:
            end = data.find(b"\n", position) + 1 or len(data)
            self._add(data[position:end])
            position = end
        self.size += position - begin
        return position

    def _add(self, part: bytes | bytearray) -> None:
        self._line += part
        self._line_size += len(part)
        if len(self._line) > MOST_LINE + TAIL:
            del self._line[MOST_LINE:-TAIL]
        if not self._line.endswith(b"\n"):
            return
        line, size = bytes(self._line), self._line_size
        self._line.clear()
        self._line_size = 0
        if not self._first_line:
            self._first_line = _shortened(line)
        elif line in (b"\n", b"\r\n"):
            self.ended = True
        else:
            self._add_field(line, size)

    def _add_field(self, line: bytes, size: int) -> None:
        room = MOST_HEAD - len(self._fields) - size
        if line[:1] in b" \t":
            self._is_kept = self._is_kept and room >= 0
        else:
            is_framing = line.partition(b":")[0].lower() in FRAMING
            if is_framing and room < 0:
                raise Unreadable(TOO_LONG)
            self._is_kept = is_framing or (size <= MOST_LINE and room > MOST_HEAD // 2)
        if self._is_kept:
            self._fields += line


def _shortened(line: bytes) -> bytes:
    if line.startswith(b"HTTP/"):
        return line if len(line) <= MOST_REASON else line[:MOST_REASON] + b"\r\n"
    version = max(line.rfind(b" HTTP/"), 0)
    return line[: min(version, MOST_LINE)] + line[version:]
