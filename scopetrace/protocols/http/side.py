"""One direction of HTTP/1: heads and bodies in turn, of requests or of responses.

What the next bytes are taken for:

1. Where a message is due, a head (`_take_head`). It is taken when it is whole; of one that is too
   long to be kept, some is (`LongHead`).
2. After a head that announces one, a body (`_take_body`).
3. Out of sync, anything: bytes are missing that 1 or 2 would need, or no message begins where one
   is due. All bytes are skipped and counted until the other side makes progress (`_skipping`).
4. The first bytes after that, a head, since the sides of HTTP/1 take turns; amid other bytes what
   looks like a head may as well be part of a body. It must be without a flaw (`_strict`): a usual
   method, a first line of usual length, fields that all make sense. If it is, the side is in sync
   again, and says of this message and all later ones that they come after a loss; if not, 3 goes
   on.
"""

from __future__ import annotations

import re
from typing import ClassVar

from scopetrace.protocols.http.bodies import Body
from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.heads import (
    BLANK,
    HEAD_END,
    LONGEST_REMEMBERED,
    head_reader,
    read_fields,
)
from scopetrace.protocols.http.long_head import LongHead
from scopetrace.protocols.http.messages import MOST_HEAD, Message
from scopetrace.protocols.http.receive_buffer import ReceiveBuffer

Bytes = bytes | bytearray

NONE = re.compile(rb"(?!)")
"""The first line of no message."""


class Side:
    """One direction. Subclasses say what its heads begin with, and what becomes of its messages."""

    first_line: ClassVar[re.Pattern[bytes]] = NONE
    later_first_line: ClassVar[re.Pattern[bytes]] = NONE
    """One that is believed when out of sync."""
    long_first_line: ClassVar[re.Pattern[bytes]] = NONE
    """The beginning of one that is longer than `MOST_HEAD`."""

    def __init__(self) -> None:
        self.received = ReceiveBuffer()
        self._read_whole_head = head_reader(self.first_line)
        self.unparsed = 0
        """Bytes that belong to no message, those that are missing among them."""
        self.switched = ""
        """What follows if it is no HTTP/1: h2c, or tunnel for anything else."""
        self.body: Body | None = None
        """The body that is being read."""
        self._message: Message | None = None
        """The message that it belongs to."""
        self.made_progress = False
        """It has sent a head, or bytes that were skipped, since this was last reset."""
        self.after_loss = False
        """Set after resynchronising: message boundaries are inferred, not known."""
        self._skipping = False
        """Out of sync, and the other side has made no progress since."""
        self._strict = False
        """Out of sync, and the other side has: a flawless head would begin a message."""
        self._first_line_size = 0
        """Of a head that is not whole; 0: its first line is not."""
        self._long_head: LongHead | None = None
        """The head that is being read, if it is too long."""
        self.truncated = False
        """Not all is known of the head that begins a message."""

    def feed(self, time_ns: int, data: bytes) -> None:
        """Read as far as it goes."""
        buffer = self.received.joined(time_ns, data)
        position, end = 0, len(buffer)
        while position < end and not self.switched:
            if self._skipping:
                reached = self._skip_all(position, end)
            elif self._long_head is not None:
                reached = self._take_long_head(self._long_head, buffer, position)
            elif self.body is None:
                reached = self._take_whole_head(buffer, position)
                if reached == position:
                    reached = self._take_head(buffer, position)
            else:
                reached = self._take_body(self.body, buffer, position)
            if reached == position:
                break
            position = reached
        self.received.keep(buffer, position)

    @property
    def unfinished(self) -> int:
        """Bytes of a head that is not whole yet."""
        if self.switched:
            return 0
        return len(self.received) + (self._long_head.size if self._long_head else 0)

    @property
    def is_in_head(self) -> bool:
        """Whether a head has begun and is not whole."""
        return self.body is None and (len(self.received) > 0 or self._long_head is not None)

    def skip(self, size: int) -> None:
        """Go on after missing bytes; out of sync, unless all are surely of a body."""
        if self.body is not None and not self.received and self.body.skip(size):
            if self.body.ended:
                self.end()
            return
        self.abandon_body()
        self.unparsed += size + len(self.received.take())
        self.made_progress = True
        self.lose_sync()

    def complete_counted(self) -> None:
        """Complete the message whose body is being read with what was counted until now."""
        if self.body is not None and self._message is not None:
            self._message.counted = self.body.counted
            self.complete(self._message)

    def end(self) -> None:
        """End the body that is being read: what was counted until now is all of it."""
        self.complete_counted()
        self._message = self.body = None

    def abandon_body(self) -> None:
        """Stop reading a body whose length will not be known."""
        if self._message is not None:
            self.complete(self._message)
        self._message = self.body = None

    def read_body(self, message: Message, body: Body) -> None:
        """Read a body, which is of this message."""
        self._message, self.body = message, body

    def lose_sync(self) -> None:
        """Skip what comes until the other side makes progress."""
        self._skipping, self._strict, self._first_line_size = True, False, 0
        if self._long_head is not None:
            self.unparsed += self._long_head.size
            self._long_head = None

    def other_side_progressed(self) -> None:
        """Look for a message again, if out of sync: the next bytes may begin one."""
        if self._skipping:
            self._skipping, self._strict = False, True

    def begin(self, began_ns: int, start: re.Match[bytes], headers: Headers, size: int) -> None:
        """Take a whole head: set the body that follows it, and emit what is complete with it."""
        raise NotImplementedError

    def complete(self, message: Message) -> None:
        """Emit a message whose body has been read, or was abandoned."""
        raise NotImplementedError

    def _take_body(self, body: Body, buffer: Bytes, position: int) -> int:
        position = body.take(buffer, position)
        if body.ended:
            self.end()
        return position

    def _skip_all(self, position: int, end: int) -> int:
        self.lose_sync()
        self.made_progress = True
        self.unparsed += end - position
        return end

    def _take_whole_head(self, buffer: Bytes, position: int) -> int:
        """Take a head as most are: it came in one piece, in sync, is not long, and ends with CR LF.

        What it means is what `_take_head` finds in it; to most heads it is known already. Returns
        its end, or `position` if this is no such head.
        """
        if self.received.old or self._strict:
            return position
        empty_line = buffer.find(b"\n\r\n", position, position + LONGEST_REMEMBERED)
        if empty_line < 0 or buffer.find(b"\n\n", position, empty_line + 1) >= 0:
            return position
        end = empty_line + len(b"\n\r\n")
        head = self._read_whole_head(bytes(buffer[position:end]))
        if head is None:
            return position
        self.begin(self.received.now_ns, head.start, head.headers, end - position)
        return end

    def _take_head(self, buffer: Bytes, position: int) -> int:
        """Take one head; return its end, or where the reading goes on when there is more."""
        if not self._strict and buffer[position] in b"\r\n":
            blank = BLANK.match(buffer, position)
            return blank.end() if blank else position
        too_long = len(buffer) - position > MOST_HEAD
        if not too_long and buffer.find(b"\n", max(position, self.received.old)) < 0:
            return position
        size = self._first_line_size
        if not size:
            start = self._first_line(buffer, position)
            if start is None:
                return self._take_no_head(buffer, position)
            size = start.end() - position
        found = HEAD_END.search(buffer, max(position + size - 1, self.received.old - 2))
        end = found.end() if found else len(buffer)
        if end - position > MOST_HEAD:
            return self._begin_long_head(buffer, position)
        if found is None:
            self._first_line_size = size
            return position
        self._first_line_size = 0
        start = self._first_line(buffer, position)
        assert start is not None
        self._read_head(start, buffer[start.end() : end], end)
        return end

    def _take_no_head(self, buffer: Bytes, position: int) -> int:
        """Lose sync where no first line begins, unless it is one that is only too long."""
        too_long = buffer.find(b"\n", position, position + MOST_HEAD) < 0
        if too_long and not self._strict and self.long_first_line.match(buffer, position):
            return self._begin_long_head(buffer, position)
        return self._skip_all(position, len(buffer))

    def _begin_long_head(self, buffer: Bytes, position: int) -> int:
        head = self._long_head = LongHead(self.received.time_of(position))
        self._first_line_size = 0
        return self._take_long_head(head, buffer, position)

    def _take_long_head(self, head: LongHead, buffer: Bytes, position: int) -> int:
        position = head.take(buffer, position)
        if head.ended:
            start = self.first_line.match(head.kept)
            headers = read_fields(head.kept[start.end() :]) if start else None
            if start is None or headers is None:
                self.lose_sync()
            else:
                self._long_head, self.truncated = None, True
                self.begin(head.began_ns, start, headers, len(head.kept))
                self.truncated = False
        return position

    def _first_line(self, buffer: Bytes, position: int) -> re.Match[bytes] | None:
        if self._strict and not self.later_first_line.match(buffer, position):
            return None
        start = self.first_line.match(buffer, position)
        return start if start and start.end() - position <= MOST_HEAD else None

    def _read_head(self, start: re.Match[bytes], block: Bytes, end: int) -> None:
        headers = read_fields(block, flawless=self._strict)
        size = end - start.start()
        if headers is None:
            self._skip_all(start.start(), end)
        else:
            self.after_loss = self.after_loss or self._strict
            self._strict = False
            self.begin(self.received.time_of(start.start()), start, headers, size)
