"""One direction of HTTP/1: heads and bodies in turn, whatever they are heads and bodies of.

A side is at the beginning of a message, in a body, or lost: where bytes are missing whose meaning
would be needed, or where no message begins. Lost, it passes over and counts everything until the
other side has spoken: what comes first after such a turn may begin a message, while one amid other
bytes may as well be part of a body. Even there it must be without a flaw. A head is taken only when
it is whole. Of one that is too long to be kept some is (`LongHead`).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import ClassVar

from scopetrace.protocols.http.bodies import Body
from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.heads import BLANK, HEAD_END, read_fields
from scopetrace.protocols.http.long_head import LongHead
from scopetrace.protocols.http.messages import MOST_HEAD, Message, Moment
from scopetrace.protocols.http.receive_buffer import Unread

Bytes = bytes | bytearray


class Side(ABC):
    """One direction."""

    first_line: ClassVar[re.Pattern[bytes]]
    later_first_line: ClassVar[re.Pattern[bytes]]
    long_first_line: ClassVar[re.Pattern[bytes]]
    """The beginning of one that is longer than `MOST_HEAD`."""

    def __init__(self) -> None:
        self.unread = Unread()
        self.passed_over = 0
        """Bytes that no message is known of."""
        self.switched = ""
        """What follows if it is no HTTP/1: h2c, or tunnel for anything else."""
        self.body: Body | None = None
        self._message: Message | None = None
        """Whose body it is."""
        self.spoke = False
        """It has said something since this was last put out."""
        self.resumed = False
        """It was lost before, so that what its messages are is told by where they stand."""
        self._lost = False
        self._wary = False
        """Was lost, and at a turn."""
        self._first_line_size = 0
        """Of a head that is not whole; 0: its first line is not."""
        self._long_head: LongHead | None = None
        """The head that is being read, if it is too long."""
        self.truncated = False
        """Of the head that begins a message not all is known."""

    def feed(self, moment: Moment, data: bytes) -> None:
        """Read as far as it goes."""
        buffer = self.unread.joined(moment.time_ns, data)
        position, end = 0, len(buffer)
        while position < end and not self.switched:
            if self._lost:
                reached = self._pass_over(position, end)
            elif self._long_head is not None:
                reached = self._take_long_head(moment, self._long_head, buffer, position)
            elif self.body is None:
                reached = self._take_head(moment, buffer, position)
            else:
                reached = self._take_body(moment, self.body, buffer, position)
            if reached == position:
                break
            position = reached
        self.unread.keep(buffer, position)

    @property
    def untold(self) -> int:
        """Bytes that no message is known of, with those of a head that is not whole yet."""
        begun = len(self.unread) + (self._long_head.size if self._long_head else 0)
        return self.passed_over + (0 if self.switched else begun)

    @property
    def is_amid_head(self) -> bool:
        """Whether a head has begun and is not whole."""
        return self.body is None and (len(self.unread) > 0 or self._long_head is not None)

    def skip(self, moment: Moment, size: int) -> None:
        """Go on after bytes that are not known."""
        if self.body is not None and not self.unread and self.body.skip(size):
            if self.body.ended:
                self.end(moment)
            return
        self.leave(moment)
        self.passed_over += size + len(self.unread.take())
        self.spoke = True
        self.lose()

    def tell(self, moment: Moment) -> None:
        """Tell the message whose body is being read, as far as it was."""
        if self.body is not None and self._message is not None:
            self._message.counted = self.body.counted
            self.complete(moment, self._message)

    def end(self, moment: Moment) -> None:
        """End the body that is being read: what was counted until now is what there is."""
        self.tell(moment)
        self._message = self.body = None

    def leave(self, moment: Moment) -> None:
        """Leave the body that is being read, of which no more will be known."""
        if self._message is not None:
            self.complete(moment, self._message)
        self._message = self.body = None

    def expect(self, message: Message, body: Body) -> None:
        """Read a body, which is of this message."""
        self._message, self.body = message, body

    def lose(self) -> None:
        """Pass over what comes, until the next turn."""
        self._lost, self._wary, self._first_line_size = True, False, 0
        if self._long_head is not None:
            self.passed_over += self._long_head.size
            self._long_head = None

    def turn(self, moment: Moment) -> None:
        """Learn that the other side has spoken."""
        if self._lost:
            self._lost, self._wary = False, True

    @abstractmethod
    def begin(
        self, moment: Moment, began_ns: int, start: re.Match[bytes], headers: Headers, size: int
    ) -> None:
        """Take a whole head: set the body that follows it, and tell what can be told."""

    @abstractmethod
    def complete(self, moment: Moment, message: Message) -> None:
        """Tell a message that has all its body."""

    def _take_body(self, moment: Moment, body: Body, buffer: Bytes, position: int) -> int:
        position = body.take(buffer, position)
        if body.ended:
            self.end(moment)
        return position

    def _pass_over(self, position: int, end: int) -> int:
        self.lose()
        self.spoke = True
        self.passed_over += end - position
        return end

    def _take_head(self, moment: Moment, buffer: Bytes, position: int) -> int:
        """Take one head; return its end, or where the reading goes on when there is more."""
        if not self._wary and buffer[position] in b"\r\n":
            blank = BLANK.match(buffer, position)
            return blank.end() if blank else position
        too_long = len(buffer) - position > MOST_HEAD
        if not too_long and buffer.find(b"\n", max(position, self.unread.old)) < 0:
            return position
        size = self._first_line_size
        if not size:
            start = self._first_line(buffer, position)
            if start is None:
                return self._take_no_head(moment, buffer, position)
            size = start.end() - position
        found = HEAD_END.search(buffer, max(position + size - 1, self.unread.old - 2))
        end = found.end() if found else len(buffer)
        if end - position > MOST_HEAD:
            return self._begin_long_head(moment, buffer, position)
        if found is None:
            self._first_line_size = size
            return position
        self._first_line_size = 0
        start = self._first_line(buffer, position)
        assert start is not None
        self._read_head(moment, start, buffer[start.end() : end], end)
        return end

    def _take_no_head(self, moment: Moment, buffer: Bytes, position: int) -> int:
        """Take what does not begin with a first line, unless that is only too long."""
        too_long = buffer.find(b"\n", position, position + MOST_HEAD) < 0
        if too_long and not self._wary and self.long_first_line.match(buffer, position):
            return self._begin_long_head(moment, buffer, position)
        return self._pass_over(position, len(buffer))

    def _begin_long_head(self, moment: Moment, buffer: Bytes, position: int) -> int:
        head = self._long_head = LongHead(self.unread.time_of(position))
        self._first_line_size = 0
        return self._take_long_head(moment, head, buffer, position)

    def _take_long_head(
        self, moment: Moment, head: LongHead, buffer: Bytes, position: int
    ) -> int:  # fmt: skip
        position = head.take(buffer, position)
        if head.ended:
            start = self.first_line.match(head.kept)
            headers = read_fields(head.kept[start.end() :]) if start else None
            if start is None or headers is None:
                self.lose()
            else:
                self._long_head, self.truncated = None, True
                self.begin(moment, head.began_ns, start, headers, len(head.kept))
                self.truncated = False
        return position

    def _first_line(self, buffer: Bytes, position: int) -> re.Match[bytes] | None:
        if self._wary and not self.later_first_line.match(buffer, position):
            return None
        start = self.first_line.match(buffer, position)
        return start if start and start.end() - position <= MOST_HEAD else None

    def _read_head(self, moment: Moment, start: re.Match[bytes], block: Bytes, end: int) -> None:
        headers = read_fields(block, flawless=self._wary)
        size = end - start.start()
        if headers is None:
            self._pass_over(start.start(), end)
        else:
            self.resumed = self.resumed or self._wary
            self._wary = False
            self.begin(moment, self.unread.time_of(start.start()), start, headers, size)
