"""The reader of one flow of HTTP: finds out which version it is, and feeds the parser of that.

What comes before the version and the client are known is kept, in order, and parsed then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from scopetrace.model.counts import number_of
from scopetrace.model.flow import Flow
from scopetrace.model.flow_fields import peer_text
from scopetrace.model.image import Image
from scopetrace.protocols.http.http1 import Http1
from scopetrace.protocols.http.messages import Unreadable
from scopetrace.protocols.http.start import MOST_SEEN, Seen, Start, recognise_start
from scopetrace.source import ITEMS_PER_MESSAGE, Outlet
from scopetrace.sources.http.emitter import HttpEmitter
from scopetrace.sources.http.fields import wanted_headers

if TYPE_CHECKING:
    from scopetrace.protocols.http.http2 import Http2

Moment = tuple[Image, int, int]
"""Process and thread that transferred bytes, and when."""

Step = bytes | int | None
"""What happened in a direction: bytes went through, so many are missing, or it ended."""


class Parser(Protocol):
    """Parses both directions of a flow; `from_client` is true for that of the requests.

    All but `close` and `give_up` raise `Unreadable` where they cannot go on.
    """

    @property
    def successor(self) -> Http2 | None:
        """The parser of what follows, once the protocol was switched."""

    @property
    def over(self) -> bool:
        """Whether no more HTTP follows."""

    @property
    def unparsed(self) -> int:
        """Bytes that belong to no complete message."""

    def feed(self, time_ns: int, from_client: bool, data: bytes) -> None:
        """Parse the next bytes of a direction."""

    def skip(self, from_client: bool, size: int) -> None:
        """Go on after missing bytes."""

    def end(self, from_client: bool) -> None:
        """End a direction."""

    def close(self) -> None:
        """Emit all that is not emitted yet, as far as it was read."""

    def give_up(self) -> None:
        """Emit all that is not emitted yet, of which no more will be known."""


STEP_WEIGHT = 128
"""What a step weighs besides its bytes."""


class Unstarted:
    """The steps before version and client are known. They may weigh `most_bytes`."""

    def __init__(self, role: str, most_bytes: int) -> None:
        self.steps: list[tuple[Moment, bool, Step]] = []
        self._role = role
        self._seen = {True: Seen(), False: Seen()}
        self._left = most_bytes
        self.unparsed = 0
        """Bytes that are kept, or missing."""

    def add(self, moment: Moment, outgoing: bool, step: Step) -> Start | None:
        """Keep a step; return what the flow is, if that is clear now.

        Raises:
            Unreadable: It will not become clear.
        """
        self.steps.append((moment, outgoing, step))
        data = step if isinstance(step, bytes) else b"" if step is None else b"\n"
        self._left -= STEP_WEIGHT + len(data)
        self.unparsed += step if isinstance(step, int) else len(data)
        seen = self._seen[outgoing]
        seen.add(data)
        start = recognise_start(self._role, self._seen, outgoing)
        if start is None and (len(seen.data) > MOST_SEEN or self._left < 0):
            raise Unreadable("it does not begin as HTTP does")
        return start


class HttpReader:
    """Reads one flow (`source.Reader`)."""

    def __init__(self, outlet: Outlet, image: Image, flow: Flow) -> None:
        self.done = False
        self._outlet = outlet
        self._flow = flow
        self._patterns = wanted_headers(image)
        self._most_bytes = image.rules.flow_memory
        self._unstarted: Unstarted | None = Unstarted(flow.role, self._most_bytes)
        self._is_client = False
        self._parser: Parser | None = None
        self._emitter: HttpEmitter | None = None
        self._last_pid = 0
        """The process that last transferred bytes. The flow goes on while others close it."""
        self._reported = 0
        """Unparsed bytes that there was a notice of."""

    def feed(self, image: Image, tid: int, time_ns: int, outgoing: bool, data: bytes) -> None:
        """Read the next bytes of one direction."""
        self._take((image, tid, time_ns), outgoing, data)

    def gap(self, image: Image, tid: int, time_ns: int, outgoing: bool, size: int) -> None:
        """Skip `size` missing bytes of one direction."""
        if size > 0:
            self._take((image, tid, time_ns), outgoing, size)

    def end(self, image: Image, tid: int, time_ns: int, outgoing: bool) -> None:
        """End one direction."""
        self._take((image, tid, time_ns), outgoing, None)

    def close(self, image: Image, tid: int, time_ns: int) -> None:
        """Emit what is unfinished, if the process transferred the last bytes of the flow."""
        if image.pid == self._last_pid:
            self._close((image, tid, time_ns))

    @property
    def items(self) -> int:
        """How much it has read so far."""
        return 0 if self._emitter is None else ITEMS_PER_MESSAGE * self._emitter.messages

    def give_up(self, image: Image, tid: int, time_ns: int) -> None:
        """Emit the messages that have begun."""
        self._stop((image, tid, time_ns))

    def _take(self, moment: Moment, outgoing: bool, step: Step) -> None:
        self._last_pid = moment[0].pid
        try:
            if self._unstarted is not None:
                self._start(self._unstarted, moment, outgoing, step)
            elif self._parser is not None:
                self._parse(self._parser, moment, outgoing, step)
        except Unreadable as error:
            self._give_up(moment, error)

    def _start(self, unstarted: Unstarted, moment: Moment, outgoing: bool, step: Step) -> None:
        """Make the parser if this step shows the version and the client; else keep the step."""
        start = unstarted.add(moment, outgoing, step)
        if start is None:
            return
        self._unstarted = None
        self._is_client = start.is_client
        emitter = self._emitter = HttpEmitter(
            self._outlet, self._flow, start.is_client, self._patterns, moment[0]
        )
        if start.version == 1:
            self._parser = Http1(emitter, self._most_bytes)
        else:  # takes time to import, which only its flows should cost
            from scopetrace.protocols.http.http2 import Http2

            self._parser = Http2(emitter, self._most_bytes)
        for earlier, was_outgoing, kept in unstarted.steps:
            self._parse(self._parser, earlier, was_outgoing, kept)

    def _parse(self, parser: Parser, moment: Moment, outgoing: bool, step: Step) -> None:
        self._set_moment(moment)
        from_client = outgoing == self._is_client
        if step is None:
            parser.end(from_client)
        elif isinstance(step, int):
            parser.skip(from_client, step)
        else:
            parser.feed(moment[2], from_client, step)
            if parser.successor is not None:
                self._parser = parser.successor
            if parser.over:
                self.done = True
                self._close(moment)

    def _set_moment(self, moment: Moment) -> None:
        if self._emitter is not None:
            image, tid, time_ns = moment
            self._emitter.set_moment(image, tid, time_ns)

    def _close(self, moment: Moment) -> None:
        if self._parser is not None:
            self._set_moment(moment)
            self._parser.close()
        read = self._parser or self._unstarted
        unparsed = read.unparsed - self._reported if read is not None else 0
        if unparsed > 0:
            self._reported += unparsed
            between = self._between(moment[0])
            left = number_of(unparsed, "byte")
            text = f"{left} of the HTTP {between} belonged to incomplete messages"
            self._notice(moment, text, unparsed)

    def _stop(self, moment: Moment) -> None:
        self.done = True
        if self._parser is not None:
            self._set_moment(moment)
            self._parser.give_up()
        self._parser = self._unstarted = None

    def _give_up(self, moment: Moment, error: Unreadable) -> None:
        self._stop(moment)
        text = f"The HTTP {self._between(moment[0])} could not be read further: {error}"
        self._notice(moment, text, 1)

    def _between(self, image: Image) -> str:
        return f"between {image.proc} ({image.pid}) and {peer_text(self._flow.peer)}"

    def _notice(self, moment: Moment, text: str, count: int) -> None:
        image, tid, time_ns = moment
        self._outlet.notice(image, time_ns, tid, text, "http", count)
