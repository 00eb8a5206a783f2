"""Text that programs write: an event is what one write wrote, with the time of that write.

A text channel is what one process image writes to one open file. What becomes of a write:

1. Text in UTF-16 is made UTF-8 first (`streams.utf16`).
2. Its whole lines are an event at once.
3. What follows its last line end waits for the rest of the line, which may come in many writes,
   and is then an event of its own with the time of its first byte. It waits `LONGEST_NS` at most,
   and no more than `MOST_WAITING` bytes wait.
4. Before other text goes into the same file, whoever writes it and by whatever open file, what
   waits is emitted: so events of one file are in the order in which its bytes went in.
5. If some of its bytes were not recorded, none wait: what follows them is not known. The event says
   how many are missing.
6. Binary data is no event, but one that says so, once until text is written again.
7. Text that is longer than `MOST_CHARACTERS` is cut into pieces, an event each, at line ends where
   it has any.

Writes that are not wanted are muted, and change nothing here: it is as if the fd had never been
written to. (Sockets are muted by `streams.flows`.)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from scopetrace.model.counts import number_of
from scopetrace.model.form import form
from scopetrace.model.image import Image
from scopetrace.model.named import values
from scopetrace.model.open_file import OpenFile
from scopetrace.model.operation import Closed, ImageEnded, Renamed, Synced, Written
from scopetrace.source import NO_TARGET, Handlers, Outlet, Source, TextTarget
from scopetrace.streams.encoding import is_binary, unfinished_character
from scopetrace.streams.utf16 import MARKS, Utf16Reader, read_utf16

LONGEST_NS = 90_000_000
"""How long an unfinished line waits: with the commit that follows, 100 ms."""
MOST_WAITING = 262_144
"""Bytes of an unfinished line that wait."""
MOST_CHARACTERS = 32_768
"""The longest message: a longer text is cut into pieces."""

IGNORED = "-- binary data ignored --"
LINE_END = b"\n"
TWO_MARKS = tuple(MARKS)


class TextChannel:
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
        "utf16",
    )

    def __init__(self, image: Image, file: OpenFile, target: TextTarget) -> None:
        self.image = image
        self.file = file
        self.target = target
        self.key: Hashable = _key(file)
        """The same for all channels whose bytes go to the same file."""
        self.in_binary = False
        """The last write was binary, and there is an event that says so."""
        self.missing = 0
        """Bytes that were written and not recorded, because they were too many."""
        self.unreadable = 0
        """Bytes that were written and could not be read from the memory of the process."""
        self.utf16 = Utf16Reader(file.utf16) if file.utf16 else None
        """What decodes its text, if that is UTF-16."""
        self.pending = bytearray()
        """An unfinished line."""
        self.joined = False
        """It came in several writes, each too short to show whether it is text."""
        self.tid = 0
        """The thread that wrote its first byte."""
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


class TextChannels:
    """All text channels of a session.

    Args:
        outlet: takes the events.
        sources: asked in turn, until one has a target for the text.
        mute: called with the fd_serial of each fd whose text is not wanted.
    """

    def __init__(
        self, outlet: Outlet, sources: Sequence[Source], mute: Callable[[int], object]
    ) -> None:
        self._outlet = outlet
        self._sources = sources
        self._mute = mute
        self._channels: dict[Image, dict[OpenFile, TextChannel]] = {}
        self._waiting: dict[Hashable, TextChannel] = {}
        """The channel with an unfinished line of each file that has one, by its key."""

    def handlers(self) -> Handlers:
        """Return the functions that handle operations."""
        return {
            Written: self._written,
            Closed: self._closed,
            Renamed: self._renamed,
            ImageEnded: self._ended,
            Synced: lambda _operation: self.flush(),
        }

    @property
    def due_ns(self) -> int | None:
        """When the line that waits longest has waited long enough, Unix time; None: none waits."""
        if not self._waiting:
            return None
        return min(channel.first_ns for channel in self._waiting.values()) + LONGEST_NS

    def tick(self, now_ns: int) -> None:
        """Emit what has waited long enough at `now_ns`, Unix time."""
        for channel in list(self._waiting.values()):
            self._flush_late(channel, now_ns)

    def flush(self) -> None:
        """Emit all that waits."""
        for channel in list(self._waiting.values()):
            self._flush_channel(channel)

    def finish(self) -> None:
        """Emit all that waits, and report what is missing."""
        for image in list(self._channels):
            for channel in self._channels.pop(image).values():
                self._end_channel(channel, channel.last_ns)

    def _written(self, operation: Written) -> None:
        image, tid, time_ns, file, data, transferred, fd_serial, unreadable = values(operation)
        channels = self._channels.get(image)
        channel = None if channels is None else channels.get(file)
        if channel is None:
            channel = TextChannel(image, file, self._target(image, file))
            self._channels.setdefault(image, {})[file] = channel
        if channel.target is not NO_TARGET:
            self._write(channel, time_ns, tid, data, transferred - len(data))
            if transferred > len(data):
                self._note_missing(channel, time_ns, tid, transferred - len(data), unreadable)
        elif fd_serial and file.muted != fd_serial:
            file.muted = fd_serial
            self._mute(fd_serial)

    def _write(
        self, channel: TextChannel, time_ns: int, tid: int, data: bytes, missing: int
    ) -> None:
        """Emit the text of one write, or let it wait; `missing` bytes of it were not recorded."""
        if self._waiting:
            self._flush_other_writer(channel, time_ns)
        if channel.utf16 is not None or data.startswith(TWO_MARKS):
            channel.utf16, data = read_utf16(channel.utf16, data)
            channel.file.utf16 = "" if channel.utf16 is None else channel.utf16.order
        if _is_binary(channel, data):
            self._ignore_binary(channel, time_ns, tid)
        elif missing or channel.pending or not data.endswith(LINE_END):
            self._split(channel, time_ns, tid, data, missing)
        else:
            self._emit_text(channel, time_ns, tid, data)

    def _note_missing(
        self, channel: TextChannel, time_ns: int, tid: int, missing: int, unreadable: bool
    ) -> None:
        """Note how much of a write was not recorded, and why."""
        channel.last_ns, channel.tid = time_ns, tid
        if unreadable:
            channel.unreadable += missing
        else:
            channel.missing += missing

    def _target(self, image: Image, file: OpenFile) -> TextTarget:
        for source in self._sources:
            target = source.text_target(image, file)
            if target is not None:
                return target
        return NO_TARGET

    def _flush_other_writer(self, channel: TextChannel, time_ns: int) -> None:
        """Emit the unfinished line of another writer of the same file, or one that waited long."""
        waiting = self._waiting.get(channel.key)
        if waiting is channel:
            self._flush_late(channel, time_ns)
        elif waiting is not None:
            self._flush_channel(waiting)

    def _split(
        self, channel: TextChannel, time_ns: int, tid: int, data: bytes, missing: int
    ) -> None:
        """Emit the lines that a write ends, and let the line that it leaves unfinished wait.

        1. An unfinished line goes on with the bytes up to the first line end. It is emitted if it
           is whole by that, if it is too long to wait, or if bytes after it are missing.
        2. The whole lines after that are emitted; if bytes are missing, so is what follows them.
        3. What follows them waits otherwise.
        """
        if channel.pending:
            end = data.find(LINE_END) + 1 or len(data)
            channel.add(time_ns, tid, data[:end])
            data = data[end:]
            if channel.pending[-1:] == LINE_END or missing:
                self._flush_channel(channel, 0 if data else missing)
            elif len(channel.pending) > MOST_WAITING:
                self._flush_channel(channel)
        end = len(data) if missing else data.rfind(LINE_END) + 1
        if end:
            self._emit_text(channel, time_ns, tid, data[:end], missing)
        if end < len(data):
            channel.add(time_ns, tid, data[end:])
            self._waiting[channel.key] = channel

    def _ignore_binary(self, channel: TextChannel, time_ns: int, tid: int) -> None:
        """Emit once that binary data is written."""
        self._flush_channel(channel)
        self._emit_ignored(channel, time_ns, tid)

    def _emit_ignored(self, channel: TextChannel, time_ns: int, tid: int) -> None:
        if not channel.in_binary:
            self._emit_text(channel, time_ns, tid, IGNORED.encode())
            channel.in_binary = True

    def _flush_late(self, channel: TextChannel, now_ns: int) -> None:
        """Emit what has waited long enough; an incomplete character that came later waits on."""
        if now_ns - channel.first_ns < LONGEST_NS:
            return
        size = len(channel.pending)
        later = now_ns - channel.last_ns < LONGEST_NS
        self._flush_bytes(
            channel, (size - unfinished_character(channel.pending) if later else 0) or size
        )

    def _flush_channel(self, channel: TextChannel, missing: int = 0) -> None:
        """Emit all of a channel that waits; after it, `missing` bytes were not recorded."""
        if channel.pending:
            self._flush_bytes(channel, len(channel.pending), missing)

    def _flush_bytes(self, channel: TextChannel, end: int, missing: int = 0) -> None:
        """Emit the first `end` bytes of what waits."""
        time_ns = channel.first_ns
        data = channel.take(end)
        if not channel.pending:
            self._waiting.pop(channel.key, None)
        if channel.joined and _is_binary(channel, data):
            self._emit_ignored(channel, time_ns, channel.tid)
        else:
            self._emit_text(channel, time_ns, channel.tid, data, missing)

    def _emit_text(
        self, channel: TextChannel, time_ns: int, tid: int, data: bytes, missing: int = 0
    ) -> None:
        """Emit a text, or what the rules want of it."""
        channel.in_binary = False
        target, message = channel.target, data.decode("utf-8", "surrogateescape")
        if target.content.values is not None:
            message = target.content.fitting(message)
        if not message:
            return
        outlet, image, opened_ns = self._outlet, channel.image, channel.file.opened_ns
        for piece in _piece_data(message, missing):
            outlet.emit(image, time_ns, tid, target.sourcetype, target.source, opened_ns, piece)

    def _closed(self, operation: Closed) -> None:
        image, _tid, time_ns, _op, file, usage = values(operation)
        channels = self._channels.get(image)
        channel = None if channels is None else channels.pop(file, None)
        if usage.write_bytes > usage.emitted_bytes:
            channel = channel or TextChannel(image, file, self._target(image, file))
            self._report_unseen(channel, time_ns, usage.write_bytes - usage.emitted_bytes)
        if channel is not None:
            self._end_channel(channel, time_ns)

    def _renamed(self, operation: Renamed) -> None:
        """End a channel: other rules may be about what is written under the new name."""
        image, _tid, time_ns, file, usage = values(operation)
        channel = self._channels.get(image, {}).pop(file, None)
        unseen = 0 if usage is None else usage.write_bytes - usage.emitted_bytes
        if channel is not None and unseen > 0:
            self._report_unseen(channel, time_ns, unseen)
        if channel is not None:
            self._end_channel(channel, time_ns)
        if usage is not None:
            usage.emitted_bytes = max(usage.emitted_bytes, usage.write_bytes)

    def _report_unseen(self, channel: TextChannel, time_ns: int, unseen: int) -> None:
        """Report bytes of a wanted file that were put there by calls like sendfile."""
        image, target = channel.image, channel.target
        if target is NO_TARGET:
            return
        self._flush_channel(channel)
        message = (
            f"The events lack {number_of(unseen, 'byte')} that {image.proc} ({image.pid}) put into"
            f" {target.source}: what goes there by copy_file_range, sendfile or splice does not"
            " pass through the program"
        )
        self._outlet.notice(image, time_ns, channel.tid or image.pid, message, "unseen", unseen)

    def _ended(self, operation: ImageEnded) -> None:
        for channel in self._channels.pop(operation.image, {}).values():
            self._end_channel(channel, operation.time_ns)

    def _end_channel(self, channel: TextChannel, time_ns: int) -> None:
        if channel.utf16 is not None and channel.utf16.unfinished:
            channel.add(time_ns, channel.tid, channel.utf16.unfinished)
        self._flush_channel(channel)
        if channel.missing or channel.unreadable:
            self._report_missing(channel, time_ns)

    def _report_missing(self, channel: TextChannel, time_ns: int) -> None:
        """Report how much of a channel was not recorded, and why."""
        image, where = channel.image, channel.target.source
        for count, reason, why in (
            (channel.missing, "cut", CUT),
            (channel.unreadable, "unreadable", UNREADABLE),
        ):
            if count:
                message = (
                    f"The events lack {number_of(count, 'byte')} that {image.proc} ({image.pid})"
                    f" wrote to {where}: {why}"
                )
                self._outlet.notice(
                    image, time_ns, channel.tid or image.pid, message, reason, count
                )


CUT = "writes longer than snaplen (into sockets: flowsnaplen) are cut"
UNREADABLE = (
    "the memory of the process could not be read, as it or its parent had made itself not dumpable"
    " (PR_SET_DUMPABLE, prctl(2))"
)


def _is_binary(channel: TextChannel, data: bytes) -> bool:
    return not channel.target.content.allow_binary and is_binary(data, channel.in_binary)


MESSAGE = form("message", "piece", "pieces", "missing")


def _piece_data(message: str, missing: int) -> list[tuple[Any, ...]]:
    """Return the data of the events of a text; each piece but the last ends a line if it can.

    A piece has its number and how many there are; the last has how many bytes after it are missing.
    """
    if len(message) <= MOST_CHARACTERS:
        return [(MESSAGE, message, None, None, missing or None)]
    texts = list(_pieces(message))
    count = len(texts)
    return [
        (MESSAGE, text, number, count, missing or None if number == count else None)
        for number, text in enumerate(texts, 1)
    ]


def _pieces(message: str) -> Iterator[str]:
    at = 0
    while at < len(message):
        end = at + MOST_CHARACTERS
        if end < len(message):
            end = message.rfind("\n", at, end) + 1 or end
        yield message[at:end]
        at = end
