"""Where the body of an HTTP/1 message ends (RFC 9112, 6.3), and how long it is.

A body is counted and never kept. `take` consumes the bytes that belong to it. `skip` does so for
missing bytes, and refuses if the end of the body cannot be known without them.
"""

from __future__ import annotations

import re
from typing import Protocol

from scopetrace.protocols.http.messages import MOST_HEAD, Unreadable

MOST_LINE = 8192
"""The longest line that announces a chunk, with its extensions."""
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;|$)")
"""Extensions after it do not matter for the body."""
SMALL_CHUNK = re.compile(rb"\r\n([1-9A-Fa-f])\r\n")
"""The end of a chunk and the size of one with less than 16 bytes."""
ALIKE = [re.compile(rb"(?si:(?:\r\n%x\r\n.{%d})+)" % (size, size)) for size in range(16)]
"""For each such size, the end of a chunk and all chunks of the size that follow."""


class Body(Protocol):
    """A body that is being read."""

    counted: int
    """Its bytes until now, without those of its framing."""
    ended: bool

    def take(self, data: bytes | bytearray, position: int) -> int:
        """Consume from `position` on; return where the body ended, or the end of `data`."""

    def skip(self, size: int) -> bool:
        """Consume `size` missing bytes, if all are surely of the body; else return false."""


class Fixed:
    """A body of known length, at least one byte."""

    __slots__ = ("_left", "counted", "ended")

    def __init__(self, length: int) -> None:
        self.counted = 0
        self.ended = False
        self._left = length

    def take(self, data: bytes | bytearray, position: int) -> int:
        """Consume no more than is left."""
        size = min(self._left, len(data) - position)
        self.skip(size)
        return position + size

    def skip(self, size: int) -> bool:
        """Consume missing bytes, if no more than are left."""
        if size > self._left:
            return False
        self.counted += size
        self._left -= size
        self.ended = not self._left
        return True


class UntilEnd:
    """A body that ends with its direction."""

    __slots__ = ("counted", "ended")

    def __init__(self) -> None:
        self.counted = 0
        self.ended = False

    def take(self, data: bytes | bytearray, position: int) -> int:
        """Consume everything."""
        self.counted += len(data) - position
        return len(data)

    def skip(self, size: int) -> bool:
        """Consume any missing bytes."""
        self.counted += size
        return True


class Chunked:
    """A body of chunks (RFC 9112, 7.1): size, data, …, size 0, trailer fields, an empty line."""

    __slots__ = ("_left", "_line", "_of_trailer", "_reads", "counted", "ended")

    def __init__(self) -> None:
        self.counted = 0
        self.ended = False
        self._left = 0
        """Bytes of the chunk that are still to come."""
        self._line = bytearray()
        self._of_trailer = 0
        self._reads = self._read_size
        """The method for the next line."""

    def take(self, data: bytes | bytearray, position: int) -> int:
        """Consume chunks and the lines between them.

        Raises:
            Unreadable: They are no chunks, or a line is too long.
        """
        while position < len(data) and not self.ended:
            if self._left:
                size = min(self._left, len(data) - position)
                self.skip(size)
                position += size
                if not self._left:
                    position = self._take_small(data, position)
            else:
                position = self._take_line(data, position)
        return position

    def skip(self, size: int) -> bool:
        """Consume missing bytes, if they are of the chunk, or its rest with the CRLF after it."""
        with_end = bool(self._left) and size == self._left + len(b"\r\n")
        if size > self._left and not with_end:
            return False
        content = min(size, self._left)
        self.counted += content
        self._left -= content
        if with_end:
            self._reads = self._read_size
        return True

    def _take_small(self, data: bytes | bytearray, position: int) -> int:
        """Consume small chunks after one: there may be very many, so all of one size at once."""
        while found := SMALL_CHUNK.match(data, position):
            size = int(found[1], 16)
            run = ALIKE[size].match(data, position)
            if run is None:
                break
            framed = found.end() - position + size
            self.counted += (run.end() - position) // framed * size
            position = run.end()
        return position

    def _take_line(self, data: bytes | bytearray, position: int) -> int:
        end = data.find(b"\n", position) + 1 or len(data)
        self._line += data[position:end]
        if len(self._line) > MOST_LINE:
            raise Unreadable("a line between chunks is too long")
        if self._line.endswith(b"\n"):
            line = bytes(self._line.rstrip(b"\r\n"))
            self._of_trailer += len(self._line)
            self._line.clear()
            self._reads(line)
        return end

    def _read_size(self, line: bytes) -> None:
        found = CHUNK_SIZE.match(line)
        if found is None:
            raise Unreadable("the size of a chunk is no number")
        self._left = int(found[1], 16)
        self._of_trailer = 0
        self._reads = self._read_end if self._left else self._read_trailer

    def _read_end(self, line: bytes) -> None:
        if line:
            raise Unreadable("a chunk is longer than its size")
        self._reads = self._read_size

    def _read_trailer(self, line: bytes) -> None:
        self.ended = not line
        if self._of_trailer > MOST_HEAD:
            raise Unreadable("the trailer of a body is too long")
