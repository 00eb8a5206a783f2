"""Text that programs write: an event is what one write wrote, with the time of that write.

A channel is one open file of one process image. The whole lines of a write are an event at once.
What follows its last line end waits for the rest of the line, which may come in many writes, and is
then an event of its own with the time of its first byte; but it waits `LONGEST_NS` at most. Before
anything else goes into the same file, whoever writes it and by whatever open file, what waits is
emitted: so events of one file are in the order in which its bytes went in.

Writes that nobody wants are muted, and change nothing here: a muted stream is as if it had never
been written to. (Sockets are muted by `streams.flows`.)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from scopetrace.model.image import Image
from scopetrace.model.open_file import OpenFile
from scopetrace.model.operation import Closed, ImageEnded, Renamed, Synced, Written
from scopetrace.source import NO_TARGET, Handlers, Outlet, Source, TextTarget
from scopetrace.streams.encoding import is_binary, unfinished_character
from scopetrace.streams.utf16 import MARKS, Wide, read_wide

LONGEST_NS = 90_000_000
"""How long an unfinished line waits: with the commit that follows, 100 ms."""
MOST_WAITING = 262_144
"""Bytes of an unfinished line that wait."""
MOST_CHARACTERS = 32_768
"""The longest message: a longer text is cut into pieces."""

IGNORED = "-- binary data ignored --"
LINE_END = b"\n"


class Channel:
    """What one process image writes to one open file."""

    __slots__ = (
        "file",
        "first_ns",
        "image",
        "in_binary",
        "joined",
        "key",
        "last_ns",
        "missing",
        "pending",
        "target",
        "tid",
        "unreadable",
        "wide",
    )

    def __init__(self, image: Image, file: OpenFile, target: TextTarget) -> None:
        self.image = image
        self.file = file
        self.target = target
        self.key: Hashable = _key(file)
        """What is the same for all who write to the same thing."""
        self.in_binary = False
        """The last write was binary, and has been said to be."""
        self.missing = 0
        """Bytes that were written but not copied, because they were too many."""
        self.unreadable = 0
        """Bytes that were written and could not be read from the memory of the process."""
        self.wide = Wide(file.utf16) if file.utf16 else None
        """What reads it, if its text is UTF-16."""
        self.pending = bytearray()
        """An unfinished line."""
        self.joined = False
        """It came in several writes, each too short to tell what it is."""
        self.tid = 0
        """Who wrote its first byte."""
        self.first_ns = 0
        """When that was."""
        self.last_ns = 0
        """When its last byte was written."""

    def add(self, time_ns: int, tid: int, data: bytes) -> None:
        """Begin an unfinished line, or go on with it."""
        self.joined = bool(self.pending)
        if not self.joined:
            self.first_ns, self.tid = time_ns, tid
        self.pending += data
        self.last_ns = time_ns

    def take(self, end: int) -> bytes:
        """Remove and return the first `end` bytes of it; the rest was written last."""
        taken = bytes(self.pending[:end])
        del self.pending[:end]
        self.first_ns = self.last_ns
        return taken


def _key(file: OpenFile) -> Hashable:
    if file.stat is None:
        return file
    return file.stat.rdev or file.stat[:2]  # a terminal has many names


class Streams:
    """All channels of a session.

    Args:
        outlet: takes the events.
        sources: asked in turn, until one targets a channel.
        mute: told the engine's serial of each stream that nobody wants.
    """

    def __init__(
        self, outlet: Outlet, sources: Sequence[Source], mute: Callable[[int], object]
    ) -> None:
        self._outlet = outlet
        self._sources = sources
        self._mute = mute
        self._channels: dict[Image, dict[OpenFile, Channel]] = {}
        self._waiting: dict[Hashable, Channel] = {}
        """The channel with an unfinished line of each file that has one, by its key."""

    def handlers(self) -> Handlers:
        """Return what is done with operations."""
        return {
            Written: self._written,
            Closed: self._closed,
            Renamed: self._renamed,
            ImageEnded: self._ended,
            Synced: lambda _operation: self.flush(),
        }

    @property
    def due_ns(self) -> int | None:
        """When the first of what waits has waited long enough, Unix time; None: nothing waits."""
        if not self._waiting:
            return None
        return min(channel.first_ns for channel in self._waiting.values()) + LONGEST_NS

    def tick(self, now_ns: int) -> None:
        """Emit what has waited long enough at `now_ns`, Unix time."""
        for channel in list(self._waiting.values()):
            self._cut_late(channel, now_ns)

    def flush(self) -> None:
        """Emit all that waits."""
        for channel in list(self._waiting.values()):
            self._empty(channel)

    def finish(self) -> None:
        """Emit all that waits, and say what is missing."""
        for image in list(self._channels):
            for channel in self._channels.pop(image).values():
                self._end(channel, channel.last_ns)

    def _written(self, operation: Written) -> None:
        image, tid, time_ns, file, data, moved, stream, unreadable = operation
        try:
            channel = self._channels[image][file]
        except KeyError:
            channel = Channel(image, file, self._target(image, file))
            self._channels.setdefault(image, {})[file] = channel
        if channel.target is not NO_TARGET:
            self._take(channel, time_ns, tid, data, moved - len(data))
            if moved > len(data):
                self._note_missing(channel, time_ns, tid, moved - len(data), unreadable)
        elif stream and file.muted != stream:
            file.muted = stream
            self._mute(stream)

    def _take(self, channel: Channel, time_ns: int, tid: int, data: bytes, missing: int) -> None:
        """Take one write, of which `missing` bytes were not copied."""
        if self._waiting:
            self._make_way(channel, time_ns)
        if channel.wide is not None or data[:2] in MARKS:
            channel.wide, data = read_wide(channel.wide, data)
            channel.file.utf16 = "" if channel.wide is None else channel.wide.order
        if self._is_binary(channel, data):
            self._ignore(channel, time_ns, tid)
        elif missing or channel.pending or data[-1:] != LINE_END:
            self._divide(channel, time_ns, tid, data, missing)
        else:
            self._say(channel, time_ns, tid, data)

    def _note_missing(
        self, channel: Channel, time_ns: int, tid: int, missing: int, unreadable: bool
    ) -> None:  # fmt: skip
        """Remember how much of a write was not copied, and why. Nothing waits after it."""
        channel.last_ns, channel.tid = time_ns, tid
        if unreadable:
            channel.unreadable += missing
        else:
            channel.missing += missing

    def _target(self, image: Image, file: OpenFile) -> TextTarget:
        targets = (source.text_target(image, file) for source in self._sources)
        return next((target for target in targets if target is not None), NO_TARGET)

    @staticmethod
    def _is_binary(channel: Channel, data: bytes) -> bool:
        return not channel.target.content.allow_binary and is_binary(data, channel.in_binary)

    def _make_way(self, channel: Channel, time_ns: int) -> None:
        """Emit the unfinished line of another writer of the same file, or one that waited long."""
        waiting = self._waiting.get(channel.key)
        if waiting is channel:
            self._cut_late(channel, time_ns)
        elif waiting is not None:
            self._empty(waiting)

    def _divide(
        self, channel: Channel, time_ns: int, tid: int, data: bytes, missing: int
    ) -> None:  # fmt: skip
        """Emit the lines that a write ends, and let what it leaves unfinished wait.

        Of a write that was copied in part, what follows is not known: nothing waits for that.
        """
        if channel.pending:
            end = data.find(LINE_END) + 1 or len(data)
            channel.add(time_ns, tid, data[:end])
            data = data[end:]
            if channel.pending[-1:] == LINE_END or missing:
                self._empty(channel, 0 if data else missing)
            elif len(channel.pending) > MOST_WAITING:
                self._empty(channel)
        end = len(data) if missing else data.rfind(LINE_END) + 1
        if end:
            self._say(channel, time_ns, tid, data[:end], missing)
        if end < len(data):
            channel.add(time_ns, tid, data[end:])
            self._waiting[channel.key] = channel

    def _ignore(self, channel: Channel, time_ns: int, tid: int) -> None:
        """Say once that binary data is written."""
        self._empty(channel)
        self._remark(channel, time_ns, tid)

    def _remark(self, channel: Channel, time_ns: int, tid: int) -> None:
        if not channel.in_binary:
            self._say(channel, time_ns, tid, IGNORED.encode())
            channel.in_binary = True

    def _cut_late(self, channel: Channel, now_ns: int) -> None:
        """Emit what has waited long enough; half a character, if it came later, waits on."""
        if now_ns - channel.first_ns < LONGEST_NS:
            return
        size = len(channel.pending)
        later = now_ns - channel.last_ns < LONGEST_NS
        self._send(channel, (size - unfinished_character(channel.pending) if later else 0) or size)

    def _empty(self, channel: Channel, missing: int = 0) -> None:
        """Emit all of a channel that waits; `missing` bytes followed it unseen."""
        if channel.pending:
            self._send(channel, len(channel.pending), missing)

    def _send(self, channel: Channel, end: int, missing: int = 0) -> None:
        """Emit the first `end` bytes of what waits."""
        time_ns = channel.first_ns
        data = channel.take(end)
        if not channel.pending:
            self._waiting.pop(channel.key, None)
        if channel.joined and self._is_binary(channel, data):
            self._remark(channel, time_ns, channel.tid)
        else:
            self._say(channel, time_ns, channel.tid, data, missing)

    def _say(
        self, channel: Channel, time_ns: int, tid: int, data: bytes, missing: int = 0
    ) -> None:  # fmt: skip
        """Emit a text, or what the rules want of it."""
        channel.in_binary = False
        target, message = channel.target, data.decode("utf-8", "surrogateescape")
        if target.content.values is not None:
            message = target.content.fitting(message)
        if not message:
            return
        emit, image, opened_ns = self._outlet.emit, channel.image, channel.file.opened_ns
        for piece in _pieces(message, missing):
            emit(image, time_ns, tid, target.sourcetype, target.source, opened_ns, piece)

    def _closed(self, operation: Closed) -> None:
        image, _tid, time_ns, _op, file, usage = operation
        channel = self._channels.get(image, {}).pop(file, None)
        if usage.write_bytes > usage.emitted_bytes:
            channel = channel or Channel(image, file, self._target(image, file))
            self._report_unseen(channel, time_ns, usage.write_bytes - usage.emitted_bytes)
        if channel is not None:
            self._end(channel, time_ns)

    def _renamed(self, operation: Renamed) -> None:
        """End a channel: the rules are asked again about what is written under the new name."""
        image, _tid, time_ns, file, usage = operation
        channel = self._channels.get(image, {}).pop(file, None)
        unseen = 0 if usage is None else usage.write_bytes - usage.emitted_bytes
        if channel is not None and unseen > 0:
            self._report_unseen(channel, time_ns, unseen)
        if channel is not None:
            self._end(channel, time_ns)
        if usage is not None:
            usage.emitted_bytes = max(usage.emitted_bytes, usage.write_bytes)

    def _report_unseen(self, channel: Channel, time_ns: int, unseen: int) -> None:
        """Say how much went to a wanted file by calls that show no program its bytes."""
        image, target = channel.image, channel.target
        if target is NO_TARGET:
            return
        self._empty(channel)
        message = (
            f"{unseen} bytes that {image.proc} ({image.pid}) put into {target.source} are missing:"
            " they went there without passing through the program (copy_file_range, sendfile,"
            " splice)"
        )
        self._outlet.notice(image, time_ns, channel.tid or image.pid, message, "unseen", unseen)

    def _ended(self, operation: ImageEnded) -> None:
        for channel in self._channels.pop(operation.image, {}).values():
            self._end(channel, operation.time_ns)

    def _end(self, channel: Channel, time_ns: int) -> None:
        if channel.wide is not None and channel.wide.unread:
            channel.add(time_ns, channel.tid, channel.wide.unread)
        self._empty(channel)
        self._report_missing(channel, time_ns)

    def _report_missing(self, channel: Channel, time_ns: int) -> None:
        """Say how much of a channel was not copied, and why."""
        image, where = channel.image, channel.target.source
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


def _pieces(message: str, missing: int) -> list[dict[str, Any]]:
    """Return the data of the events that a text is; each piece but the last ends a line if it can.

    A piece says which one it is and of how many; the last says how many bytes followed unseen.
    """
    if len(message) <= MOST_CHARACTERS:
        pieces: list[dict[str, Any]] = [{"message": message}]
    else:
        texts = list(_cut(message))
        pieces = [
            {"message": text, "piece": number, "pieces": len(texts)}
            for number, text in enumerate(texts, 1)
        ]
    if missing:
        pieces[-1]["missing"] = missing
    return pieces


def _cut(message: str) -> Iterator[str]:
    at = 0
    while at < len(message):
        end = at + MOST_CHARACTERS
        if end < len(message):
            end = message.rfind("\n", at, end) + 1 or end
        yield message[at:end]
        at = end
