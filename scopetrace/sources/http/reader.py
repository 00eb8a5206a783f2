"""The reader of one flow: finds out what is spoken, lets that be read, and gives up in time.

What comes before it is clear who asks and in which version is kept, in order, and read then.
"""

from __future__ import annotations

from typing import Protocol

from scopetrace.model.flow import Flow
from scopetrace.model.flow_fields import peer_text
from scopetrace.model.image import Image
from scopetrace.protocols.http.headers import wanted_headers
from scopetrace.protocols.http.messages import Moment, Unreadable
from scopetrace.protocols.http.start import MOST_SEEN, Seen, Start, recognised
from scopetrace.source import ITEMS_PER_MESSAGE, Outlet
from scopetrace.sources.http.http1 import Http1
from scopetrace.sources.http.http2 import Http2
from scopetrace.sources.http.telling import Telling

Step = bytes | int | None
"""What happened in a direction: bytes came, so many bytes are not known, or it ended."""


class Conversation(Protocol):
    """Reads both directions of a flow; `asking` is true for that of the requests.

    All but `close` and `give_up` raise `Unreadable` where they cannot go on.
    """

    @property
    def successor(self) -> Http2 | None:
        """What reads on, once the protocol was switched."""

    @property
    def over(self) -> bool:
        """Whether what follows is no HTTP."""

    @property
    def passed_over(self) -> int:
        """Bytes that no message is known of."""

    def feed(self, moment: Moment, asking: bool, data: bytes) -> None:
        """Take the next bytes of a direction."""

    def skip(self, moment: Moment, asking: bool, size: int) -> None:
        """Go on after bytes that are not known."""

    def end(self, moment: Moment, asking: bool) -> None:
        """Let a direction end."""

    def close(self, moment: Moment) -> None:
        """Tell all that is not told yet, as far as it was seen."""

    def give_up(self, moment: Moment) -> None:
        """Tell all that is not told yet, of which no more will be known."""


STEP_WEIGHT = 128
"""What a step weighs besides its bytes."""


class Opening:
    """What came before it was clear what it is: steps that weigh no more than so many bytes."""

    def __init__(self, role: str, most_bytes: int) -> None:
        self.steps: list[tuple[Moment, bool, Step]] = []
        self._role = role
        self._seen = {True: Seen(), False: Seen()}
        self._left = most_bytes
        self.passed_over = 0
        """Bytes that were kept, or are not known."""

    def add(self, moment: Moment, outgoing: bool, step: Step) -> Start | None:
        """Keep a step; return what the flow is, if that is clear now.

        Raises:
            Unreadable: It will not become clear.
        """
        self.steps.append((moment, outgoing, step))
        data = step if isinstance(step, bytes) else b"" if step is None else b"\n"
        self._left -= STEP_WEIGHT + len(data)
        self.passed_over += step if isinstance(step, int) else len(data)
        seen = self._seen[outgoing]
        seen.add(data)
        start = recognised(self._role, self._seen, outgoing)
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
        self._memory: int = image.rules.config.scopetrace.flowmemory
        self._opening: Opening | None = Opening(flow.role, self._memory)
        self._client = False
        self._talk: Conversation | None = None
        self._telling: Telling | None = None
        self._mover = 0
        """The process that last moved bytes. Others that hold the flow do not end it."""
        self._passed_over = 0
        """Bytes that were told to be of no message."""

    def feed(self, image: Image, tid: int, time_ns: int, outgoing: bool, data: bytes) -> None:
        """Take the next bytes of one direction."""
        self._take(Moment(image, tid, time_ns), outgoing, data)

    def gap(self, image: Image, tid: int, time_ns: int, outgoing: bool, size: int) -> None:
        """Learn that the next `size` bytes of one direction are not known."""
        if size > 0:
            self._take(Moment(image, tid, time_ns), outgoing, size)

    def end(self, image: Image, tid: int, time_ns: int, outgoing: bool) -> None:
        """Learn that one direction has ended."""
        self._take(Moment(image, tid, time_ns), outgoing, None)

    def close(self, image: Image, tid: int, time_ns: int) -> None:
        """Learn that a process let go of the flow."""
        if image.pid == self._mover:
            self._close(Moment(image, tid, time_ns))

    @property
    def items(self) -> int:
        """What it has read until now."""
        return 0 if self._telling is None else ITEMS_PER_MESSAGE * self._telling.messages

    def give_up(self, image: Image, tid: int, time_ns: int) -> None:
        """Emit the messages that have begun."""
        self._stop(Moment(image, tid, time_ns))

    def _take(self, moment: Moment, outgoing: bool, step: Step) -> None:
        self._mover = moment.image.pid
        try:
            if self._opening is not None:
                self._open(self._opening, moment, outgoing, step)
            elif self._talk is not None:
                self._do(self._talk, moment, outgoing, step)
        except Unreadable as error:
            self._give_up(moment, error)

    def _open(self, opening: Opening, moment: Moment, outgoing: bool, step: Step) -> None:
        start = opening.add(moment, outgoing, step)
        if start is None:
            return
        self._opening = None
        self._client = start.client
        telling = self._telling = Telling(
            self._outlet, self._flow, start.client, self._patterns, self._memory
        )
        self._talk = Http1(telling) if start.version == 1 else Http2(telling)
        for kept in opening.steps:
            self._do(self._talk, *kept)

    def _do(self, talk: Conversation, moment: Moment, outgoing: bool, step: Step) -> None:
        asking = outgoing == self._client
        if step is None:
            talk.end(moment, asking)
        elif isinstance(step, int):
            talk.skip(moment, asking, step)
        else:
            talk.feed(moment, asking, step)
            if talk.successor is not None:
                self._talk = talk.successor
            if talk.over:
                self.done = True
                self._close(moment)

    def _close(self, moment: Moment) -> None:
        if self._talk is not None:
            self._talk.close(moment)
        read = self._talk or self._opening
        passed_over = read.passed_over - self._passed_over if read is not None else 0
        if passed_over > 0:
            self._passed_over += passed_over
            between = self._between(moment.image)
            text = (
                f"{passed_over} bytes of the HTTP {between} are of no message that was seen whole"
            )
            self._notice(moment, text, passed_over)

    def _stop(self, moment: Moment) -> None:
        self.done = True
        if self._talk is not None:
            self._talk.give_up(moment)
        self._talk = self._opening = None

    def _give_up(self, moment: Moment, error: Unreadable) -> None:
        self._stop(moment)
        text = f"The HTTP {self._between(moment.image)} could not be read further: {error}"
        self._notice(moment, text, 1)

    def _between(self, image: Image) -> str:
        return f"between {image.proc} ({image.pid}) and {peer_text(self._flow.peer)}"

    def _notice(self, moment: Moment, text: str, count: int) -> None:
        image, tid, time_ns = moment
        self._outlet.notice(image, time_ns, tid, text, "http", count)
