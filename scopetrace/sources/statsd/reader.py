"""Reads what a program sends to a StatsD server: each value of each line is one sample.

A datagram holds whole lines; in a stream they may be cut anywhere. A line of which bytes are
missing is malformed; the next one is not.
"""

from __future__ import annotations

from collections.abc import Callable

from scopetrace.model.counts import number_of
from scopetrace.model.flow import Flow
from scopetrace.model.image import Image
from scopetrace.protocols.statsd import Value, is_no_metric, read_line
from scopetrace.source import Outlet

MOST_IN_LINE = 65_536
"""Bytes of a line of a stream; a longer one is malformed."""

Take = Callable[[Image, int, Value], None]


class StatsdReader:
    """Reads one flow (`source.Reader`).

    Args:
        outlet: takes notices.
        flow: what is read.
        take: takes what was read.
    """

    def __init__(self, outlet: Outlet, flow: Flow, take: Take) -> None:
        self.done = False
        self.items = 0
        self._outlet = outlet
        self._stream = flow.is_stream
        self._take = take
        self._pending = bytearray()
        self._pid = 0
        """The process that sent the pending bytes."""
        self._broken = False
        """The line that is being sent is not whole."""
        self._reported_cut = False
        """The last datagram was found cut."""
        self._malformed = 0

    def feed(self, image: Image, tid: int, time_ns: int, outgoing: bool, data: bytes) -> None:
        """Take the next bytes of one direction, or one datagram."""
        if not outgoing:
            return
        if not self._stream:
            self._datagram(image, time_ns, data)
            return
        self._pid = image.pid
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._pending += line
            self._end_line(image, time_ns)
        self._pending += rest
        if len(self._pending) > MOST_IN_LINE:
            self._break()

    def gap(self, image: Image, tid: int, time_ns: int, outgoing: bool, size: int) -> None:
        """Note missing bytes: the rest of a datagram, or a part of a stream."""
        if not outgoing:
            return
        if self._stream:
            self._break()
        elif not self._reported_cut:
            self._malformed += 1
        self._reported_cut = False

    def end(self, image: Image, tid: int, time_ns: int, outgoing: bool) -> None:
        """Read the last line, which may lack its end."""
        if outgoing:
            self._end_line(image, time_ns)

    def close(self, image: Image, tid: int, time_ns: int) -> None:
        """Read the last line of the process, and report how many were malformed."""
        if self._pid == image.pid:
            self._end_line(image, time_ns)
        if self._malformed:
            lines = number_of(self._malformed, "line")
            message = (
                f"{lines} of StatsD that {image.proc} ({image.pid}) sent could not be understood"
            )
            self._outlet.notice(image, time_ns, tid, message, "malformed", self._malformed)
        self._malformed = 0

    def give_up(self, image: Image, tid: int, time_ns: int) -> None:
        """Drop the line that is being sent, and report how many were malformed."""
        self.done = True
        self._pending.clear()
        self._pid = 0
        self.close(image, tid, time_ns)

    def _datagram(self, image: Image, time_ns: int, data: bytes) -> None:
        lines = data.split(b"\n")
        self._reported_cut = len(data) >= image.rules.flow_snaplen
        if self._reported_cut:
            lines.pop()
            self._malformed += 1
        for line in lines:
            self._line(image, time_ns, line)

    def _end_line(self, image: Image, time_ns: int) -> None:
        line = bytes(self._pending)
        self._pending.clear()
        if self._broken or len(line) > MOST_IN_LINE:
            self._malformed += 1
            self._broken = False
        else:
            self._line(image, time_ns, line)

    def _break(self) -> None:
        self._pending.clear()
        self._broken = True

    def _line(self, image: Image, time_ns: int, line: bytes) -> None:
        line = line.strip()
        if not line or is_no_metric(line):
            return
        values = read_line(line)
        if values is None:
            self._malformed += 1
            return
        self.items += len(values)
        for value in values:
            self._take(image, time_ns, value)
