"""Text that programs write: consecutive writes become one message.

A channel is one open file of one process image. Its bytes wait until there are `MOST_BYTES` of
them, `LONGEST_NS` have passed since the first, the same process writes to another channel, or the
channel ends. In the first two cases the message ends with its last whole line, and the rest begins
the next one. Writes that nobody wants are muted, and change nothing here: a muted stream is as if
it had never been written to. (Sockets are muted by `sources.flows`.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scopetrace.model.image import Image
from scopetrace.model.open_file import OpenFile
from scopetrace.model.operation import Closed, ImageEnded, Synced, Written
from scopetrace.sources.base import Claim, Handlers, Outlet, Source
from scopetrace.sources.text import is_binary, whole_characters

MOST_BYTES = 32_768
"""The longest message."""
LONGEST_NS = 2_000_000_000
"""How long text waits for more."""

IGNORED = "-- binary data ignored --"

UNWANTED = Claim("", "", False)


class Channel:
    """What one process image writes to one open file."""

    __slots__ = (
        "claim", "file", "first_ns", "image", "in_binary", "line_end", "missing", "pending",
        "rest_ns", "tid", "unreadable",
    )  # fmt: skip

    def __init__(self, image: Image, file: OpenFile, claim: Claim) -> None:
        self.image = image
        self.file = file
        self.claim = claim
        self.in_binary = False
        """The last write was binary, and has been said to be."""
        self.missing = 0
        """Bytes that were written but not copied, because they were too many."""
        self.unreadable = 0
        """Bytes that were written and could not be read from the memory of the process."""
        self.pending = bytearray()
        self.tid = 0
        self.first_ns = 0
        """When the first pending byte was written."""
        self.line_end = 0
        """Where the last whole line of `pending` ends."""
        self.rest_ns = 0
        """When the first byte after `line_end` was written; 0: there is none yet."""

    def add(self, time_ns: int, tid: int, data: bytes) -> None:
        """Append one write."""
        if not self.pending:
            self.first_ns, self.tid, self.line_end, self.rest_ns = time_ns, tid, 0, time_ns
        elif not self.rest_ns:
            self.rest_ns = time_ns
        before = len(self.pending)
        self.pending += data
        line_end = data.rfind(b"\n") + 1
        if line_end:
            self.line_end = before + line_end
            self.rest_ns = time_ns if line_end < len(data) else 0

    def take(self, end: int, rest_ns: int) -> bytes:
        """Remove and return the first `end` bytes; the rest was written from `rest_ns` on."""
        taken = bytes(self.pending[:end])
        del self.pending[:end]
        self.first_ns = rest_ns
        if end < self.line_end:
            self.line_end -= end
        else:
            self.line_end = 0
            self.rest_ns = rest_ns
        return taken


class Streams:
    """All channels of a session.

    Args:
        outlet: takes the events.
        sources: asked in turn, until one claims a channel.
        mute: told the engine's serial of each stream that nobody wants.
    """

    def __init__(
        self, outlet: Outlet, sources: Sequence[Source], mute: Callable[[int], object]
    ) -> None:
        self._outlet = outlet
        self._sources = sources
        self._mute = mute
        self._channels: dict[Image, dict[OpenFile, Channel]] = {}
        self._waiting: dict[Image, Channel] = {}
        """The channel of each image that has text pending."""

    def handlers(self) -> Handlers:
        """Return what is done with operations."""
        return {
            Written: self._written,
            Closed: self._closed,
            ImageEnded: self._ended,
            Synced: lambda _operation: self.flush(),
        }

    def tick(self, now_ns: int) -> None:
        """Emit what has waited long enough at `now_ns`, Unix time."""
        for channel in list(self._waiting.values()):
            if now_ns - channel.first_ns >= LONGEST_NS:
                self._cut_late(channel, now_ns)

    def flush(self) -> None:
        """Emit all that waits."""
        for channel in list(self._waiting.values()):
            self._empty(channel)

    def finish(self) -> None:
        """Emit all that waits, and say what is missing."""
        self.flush()
        for image in list(self._channels):
            for channel in self._channels.pop(image).values():
                self._report_missing(channel, channel.first_ns)

    def _written(self, operation: Written) -> None:
        image, tid, time_ns, file, data, moved, stream, unreadable = operation
        channels = self._channels.get(image)
        if channels is None:
            channels = self._channels[image] = {}
        channel = channels.get(file)
        if channel is None:
            channel = channels[file] = Channel(image, file, self._claim(image, file))
        claim = channel.claim
        if claim is UNWANTED:
            if stream and file.muted != stream:
                file.muted = stream
                self._mute(stream)
            return
        self._make_way(channel, time_ns)
        if not data:
            pass  # none of it could be copied
        elif claim.allow_binary or not is_binary(data):
            self._add(channel, time_ns, tid, data)
        else:
            self._ignore(channel, time_ns, tid)
        if moved > len(data):
            channel.unreadable += (moved - len(data)) * unreadable
            channel.missing += (moved - len(data)) * (not unreadable)
            self._empty(channel)

    def _claim(self, image: Image, file: OpenFile) -> Claim:
        claims = (source.claim(image, file) for source in self._sources)
        return next((claim for claim in claims if claim is not None), UNWANTED)

    def _make_way(self, channel: Channel, time_ns: int) -> None:
        """End the message that another channel of the process, or the time, ends."""
        waiting = self._waiting.get(channel.image)
        if waiting is None:
            return
        if waiting is not channel:
            self._empty(waiting)
        elif time_ns - channel.first_ns >= LONGEST_NS:
            self._cut_late(channel, time_ns)

    def _add(self, channel: Channel, time_ns: int, tid: int, data: bytes) -> None:
        channel.in_binary = False
        before, earlier_ns = len(channel.pending), channel.rest_ns
        channel.add(time_ns, tid, data)
        self._waiting[channel.image] = channel
        while end := _end_of_message(channel.pending):
            self._send(channel, end, time_ns if end >= before else earlier_ns)
            before -= end

    def _ignore(self, channel: Channel, time_ns: int, tid: int) -> None:
        """Say once that binary data is written."""
        if channel.in_binary:
            return
        channel.in_binary = True
        self._empty(channel)
        self._emit(channel, time_ns, tid, IGNORED)

    def _cut_late(self, channel: Channel, time_ns: int) -> None:
        """Emit the whole lines that wait, or all if there is none."""
        end = channel.line_end or len(channel.pending)
        self._send(channel, end, channel.rest_ns or time_ns)

    def _empty(self, channel: Channel) -> None:
        """Emit all of a channel that waits."""
        if channel.pending:
            self._send(channel, len(channel.pending), 0)

    def _send(self, channel: Channel, end: int, rest_ns: int) -> None:
        """Emit the first `end` bytes of a channel."""
        first_ns = channel.first_ns
        message = channel.take(end, rest_ns).decode("utf-8", "surrogateescape")
        if not channel.pending:
            self._waiting.pop(channel.image, None)
        self._emit(channel, first_ns, channel.tid, message)

    def _emit(self, channel: Channel, time_ns: int, tid: int, message: str) -> None:
        claim = channel.claim
        self._outlet.emit(
            channel.image, time_ns, tid, claim.sourcetype, claim.source, channel.file.opened_ns,
            {"message": message},
        )  # fmt: skip

    def _closed(self, operation: Closed) -> None:
        image, _tid, time_ns, _op, file, usage = operation
        channel = self._channels.get(image, {}).pop(file, None)
        if usage.write_bytes > usage.told_bytes:
            channel = channel or Channel(image, file, self._claim(image, file))
            self._report_unseen(channel, time_ns, usage.write_bytes - usage.told_bytes)
        if channel is not None:
            self._end(channel, time_ns)

    def _report_unseen(self, channel: Channel, time_ns: int, unseen: int) -> None:
        """Say how much went to a wanted file by calls that show no program its bytes."""
        image, claim = channel.image, channel.claim
        if claim is UNWANTED:
            return
        self._empty(channel)
        message = (
            f"{unseen} bytes that {image.proc} ({image.pid}) put into {claim.source} are missing:"
            " they went there without passing through the program (copy_file_range, sendfile,"
            " splice)"
        )
        self._outlet.notice(image, time_ns, channel.tid or image.pid, message, "unseen", unseen)

    def _ended(self, operation: ImageEnded) -> None:
        for channel in self._channels.pop(operation.image, {}).values():
            self._end(channel, operation.time_ns)

    def _end(self, channel: Channel, time_ns: int) -> None:
        self._empty(channel)
        self._report_missing(channel, time_ns)

    def _report_missing(self, channel: Channel, time_ns: int) -> None:
        """Say how much of a channel was not copied, and why."""
        image, where = channel.image, channel.claim.source
        for count, reason, why in (
            (channel.missing, "cut", CUT),
            (channel.unreadable, "unreadable", UNREADABLE),
        ):
            if count:
                message = (
                    f"{count} bytes that {image.proc} ({image.pid}) wrote to {where} are"
                    f" missing: {why}"
                )
                self._outlet.notice(
                    image, time_ns, channel.tid or image.pid, message, reason, count
                )


CUT = "writes longer than snaplen (into sockets: flowsnaplen) are cut"
UNREADABLE = (
    "the memory of the process could not be read, as it or its parent had made itself not dumpable"
    " (PR_SET_DUMPABLE, prctl(2))"
)


def _end_of_message(pending: bytearray) -> int:
    """Return how long the first message of too much text is; 0 if it is not too much."""
    if len(pending) < MOST_BYTES:
        return 0
    return pending.rfind(b"\n", 0, MOST_BYTES) + 1 or whole_characters(pending, MOST_BYTES)
