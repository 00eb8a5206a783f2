"""One direction of HTTP/1: heads and bodies in turn, whatever they are heads and bodies of.

A side is at the beginning of a message, in a body, or lost: where bytes are missing whose meaning
would be needed, or where no message begins. Lost, it looks for the next first line, and counts what
it passes over. A head is taken only when it is whole.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import ClassVar

from scopetrace.sources.http.bodies import Body
from scopetrace.sources.http.headers import Headers
from scopetrace.sources.http.heads import (
    BLANK,
    HEAD_END,
    MOST_LINE,
    VERSION_MARK,
    read_fields,
)
from scopetrace.sources.http.messages import MOST_HEAD, Message, Moment, Unreadable
from scopetrace.sources.http.unread import Unread

Bytes = bytes | bytearray


class Side(ABC):
    """One direction."""

    first_line: ClassVar[re.Pattern[bytes]]
    later_first_line: ClassVar[re.Pattern[bytes]]

    def __init__(self) -> None:
        self.unread = Unread()
        self.passed_over = 0
        """Bytes that no message is known of."""
        self.switched = ""
        """What follows if it is no HTTP/1: h2c, or tunnel for anything else."""
        self.body: Body | None = None
        self._message: Message | None = None
        """Whose body it is."""
        self._lost = False
        self._in_line = False
        """Lost in a line, whose end is no beginning."""

    def feed(self, moment: Moment, data: bytes) -> None:
        """Read as far as it goes."""
        buffer = self.unread.joined(moment.time_ns, data)
        position, end = 0, len(buffer)
        while position < end and not self.switched:
            if self.body is None:
                reached = self._take_head(moment, buffer, position)
            else:
                reached = self._take_body(moment, self.body, buffer, position)
            if reached == position:
                break
            position = reached
        self.unread.keep(buffer, position)

    def skip(self, moment: Moment, size: int) -> None:
        """Go on after bytes that are not known."""
        if self.body is not None and self.body.skip(size):
            if self.body.ended:
                self.end(moment)
            return
        self.leave(moment)
        self.passed_over += size + len(self.unread.take())
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
        """Look for the beginning of a message."""
        self._lost = True
        self._in_line = False

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

    def _take_head(self, moment: Moment, buffer: Bytes, position: int) -> int:
        """Take one head; return its end, or where the reading goes on when there is more."""
        if not self._lost and buffer[position] in b"\r\n":
            blank = BLANK.match(buffer, position)
            return blank.end() if blank else position
        fresh = max(position, self.unread.old)
        if buffer.find(b"\n", fresh) < 0:
            return self._take_no_line(buffer, position)
        start = None if self._lost else self.first_line.match(buffer, position)
        if start is None:
            position = self._find(buffer, position)
            start = None if self._lost else self.first_line.match(buffer, position)
            if start is None:
                return position
        found = HEAD_END.search(buffer, max(start.end() - 1, self.unread.old - 2))
        end = found.end() if found else len(buffer)
        if end - position > MOST_HEAD:
            raise Unreadable("a header is too long")
        if found is None:
            return position
        return self._read_head(moment, start, buffer[start.end() : end], end)

    def _take_no_line(self, buffer: Bytes, position: int) -> int:
        if self._lost:
            return self._find(buffer, position)
        if len(buffer) - position > MOST_HEAD:
            raise Unreadable("a header is too long")
        return position

    def _read_head(self, moment: Moment, start: re.Match[bytes], block: Bytes, end: int) -> int:
        headers = read_fields(block)
        size = end - start.start()
        if headers is None:
            self.lose()
            self.passed_over += size
        else:
            self.begin(moment, self.unread.time_of(start.start()), start, headers, size)
        return end

    def _find(self, buffer: Bytes, position: int) -> int:
        """Pass over what is before the next first line, or before what may become one."""
        if not self._lost:
            self.lose()
        start = position
        if self._in_line:
            start = buffer.find(b"\n", position) + 1
            self._in_line = not start
        found = None
        if not self._in_line and buffer.find(VERSION_MARK, start) >= 0:
            found = self.later_first_line.search(buffer, start)
        if found is not None:
            self._lost = False
            reached = found.start()
        else:
            reached = self._rest(buffer, start)
        self.passed_over += reached - position
        return reached

    def _rest(self, buffer: Bytes, start: int) -> int:
        """Return where the last line begins, or the end if that is no first line anyway."""
        rest = buffer.rfind(b"\n", start) + 1 or start
        if self._in_line or len(buffer) - rest > MOST_LINE:
            self._in_line = True
            return len(buffer)
        return rest
