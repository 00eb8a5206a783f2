"""The pipeline: batches of raw records in, rows of the session file out.

The only module that knows decode, watch, sources, metrics and store at once. It gives each process
image its rules and its row, lets operations meet the sources, and asks the rules of the process
about each event. What it drops is counted and reported in a notice.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Any, Protocol

from scopetrace.config.patterns import Pattern, take_given_up
from scopetrace.decode.decoder import Decoder
from scopetrace.metrics import Metrics
from scopetrace.model.call import Call
from scopetrace.model.counts import number_of
from scopetrace.model.event import Event
from scopetrace.model.form import Data
from scopetrace.model.image import Image
from scopetrace.model.metric import Sample
from scopetrace.model.named import build, values
from scopetrace.model.operation import (
    CalledWhole,
    CallsMade,
    Ended,
    ImageEnded,
    ImageStarted,
    Operation,
    Synced,
)
from scopetrace.model.payload import Payload
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.model.raw import Batch, record_at
from scopetrace.model.whole_call import WholeCall
from scopetrace.source import Handlers
from scopetrace.sources.needs import source_classes
from scopetrace.streams.flows import FlowOutlet, Flows
from scopetrace.streams.text import TextChannels
from scopetrace.watch import ProcessFacts, Watch

SECOND_NS = 1_000_000_000
METRIC = "metric"


class Writer(Protocol):
    """The methods of a `SessionWriter` that the pipeline calls."""

    def add_process(self, process: Process) -> None:
        """Write a process image."""

    def end_process(self, end: ProcessEnd) -> None:
        """Write how a process image ended."""

    def add_events(self, events: Sequence[Event]) -> None:
        """Write events in their order."""

    def add_metrics(self, samples: Sequence[Sample]) -> None:
        """Write samples of metrics in their order."""

    def add_payloads(self, payloads: Sequence[Payload]) -> None:
        """Write what went through flows, in its order."""

    def add_calls(self, calls: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of calls (`WholeCall`) in the order in which these ended."""


class Rate:
    """How many events one process made in one second, and how many of them were dropped."""

    __slots__ = ("dropped", "events", "second", "tid")

    def __init__(self, second: int, tid: int) -> None:
        self.second = second
        self.tid = tid
        self.events = 0
        self.dropped = 0


class Pipeline(FlowOutlet):
    """Turns the records of one session into its rows.

    Args:
        calls: the rows of syscalls.def, in order.
        watch: the rules of the configuration.
        host: name of this machine, for `custom` filters.
        clock_offset_ns: Unix time less CLOCK_MONOTONIC.
        writer: where rows go.
        mute: called with the fd_serial of an fd whose bytes no rule wants.
        show_call: takes each call that is recorded whole, and who made it; None: nothing does.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        watch: Watch,
        host: str,
        clock_offset_ns: int,
        writer: Writer,
        mute: Callable[[int], object],
        show_call: Callable[[Image, WholeCall], object] | None = None,
    ) -> None:
        self.sync_requested = False
        """Whether the engine waits for a commit; the recorder resets it."""
        self.counts: Ended | None = None
        """What the engine counted, once the last process has exited."""
        self.ways: dict[str, int] = {}
        """Way (model.raw.Way) → how many calls programs have made so, as the engine last said."""
        self._watch = watch
        self._host = host
        self._offset_ns = clock_offset_ns
        self._writer = writer
        self._rows: list[Event] = []
        self._payloads: list[Payload] = []
        self._calls: list[tuple[Any, ...]] = []
        self._payload_room = watch.config.scopetrace.payloadlimit
        self._payloads_cut = 0
        self._given_up: list[Pattern] = []
        self._unwritten: set[Image] = set()
        self._rates: dict[Image, Rate] = {}
        self.main: Image | None = None
        """The first image of the command; None until its exec."""
        self.main_end: ProcessEnd | None = None
        """How the command's process ended, once it has."""
        self.last_end_ns = 0
        """When the last process ended so far, Unix time in ns."""
        self.record_ns = 0
        """When the last record was made, CLOCK_MONOTONIC."""
        emit_metric = self._emit_metric if watch.could_want(METRIC) else None
        self._metrics = Metrics(
            watch.config.libscope.summaryperiod, self._ensure_process, emit_metric
        )
        self._meter = self._metrics.meter
        self._show_call = show_call
        self._inherited: list[CalledWhole] = []
        self._records_calls = bool(watch.config.scopetrace.syscalls)
        self._decoder = Decoder(calls, self._dispatch, clock_offset_ns)
        sources = [source(self) for source in source_classes()]
        self._text = TextChannels(self, sources, mute)
        self._flows = Flows(self, sources, mute)
        self._handlers = _handlers(
            [
                {
                    ImageStarted: self._on_image_started,
                    CalledWhole: self._on_called if self._records_calls else _ignore,
                    Synced: self._on_synced,
                    CallsMade: self._on_calls_made,
                    Ended: self._on_ended,
                },
                self._text.handlers(),
                self._flows.handlers(),
                *(source.handlers() for source in sources),
                self._metrics.handlers(),
                {ImageEnded: self._on_image_ended},
            ]
        )

    def feed(self, batch: bytes) -> None:
        """Decode one batch of whole records. What is left of a broken one counts as one record.

        Raises:
            SessionError: the events of this batch could not be written.
        """
        records, at, record = Batch(batch), 0, None
        try:
            while at < records.size:
                record = record_at(records, at)
                self._decoder.decode(record)
                at += record.size
        except (struct.error, ValueError) as error:
            self._decoder.misunderstand(error)
        if record is not None:
            self.record_ns = record.entered_ns
        self.flush()

    def tick(self, now_ns: int) -> None:
        """Emit and report what is due at `now_ns`, as records have it (CLOCK_MONOTONIC)."""
        now_ns += self._offset_ns
        self._text.tick(now_ns)
        for image in [i for i, rate in self._rates.items() if rate.second < now_ns // SECOND_NS]:
            self._report_dropped(image, self._rates.pop(image))
        self._metrics.tick(now_ns)
        self._report_given_up(now_ns)
        self.flush()

    @property
    def due_ns(self) -> int | None:
        """When `tick` is due for text that waits, CLOCK_MONOTONIC; None: no text waits."""
        due_ns = self._text.due_ns
        return None if due_ns is None else due_ns - self._offset_ns

    @property
    def programs(self) -> list[str]:
        """The programs of the processes that run now, a name for each process."""
        return [group.image.proc for group in self._decoder.state.tree.groups.values()]

    def flush(self) -> None:
        """Write events, payloads, calls and samples, each even if another cannot be written."""
        rows, self._rows = self._rows, []
        payloads, self._payloads = self._payloads, []
        calls_made, self._calls = self._calls, []
        samples = self._metrics.take()
        with ExitStack() as calls:  # the last one is made first
            if samples:
                calls.callback(self._writer.add_metrics, samples)
            if calls_made:
                calls.callback(self._writer.add_calls, calls_made)
            if payloads:
                calls.callback(self._writer.add_payloads, payloads)
            if rows:
                calls.callback(self._writer.add_events, rows)

    def finish(self, now_ns: int) -> None:
        """End the session at `now_ns` (CLOCK_MONOTONIC): emit the rest, report what is missing."""
        self._text.finish()
        for image in list(self._rates):
            self._report_dropped(image, self._rates.pop(image))
        self._report_lost(now_ns + self._offset_ns)
        self._metrics.finish(now_ns + self._offset_ns)
        self._report_given_up(now_ns + self._offset_ns)
        self._report_unsearched(now_ns + self._offset_ns)
        self.flush()

    def emit(
        self,
        image: Image,
        time_ns: int,
        tid: int,
        sourcetype: str,
        source: str,
        channel: int,
        data: Data,
    ) -> None:
        """Add an event, if the rules of its process admit it and maxeventpersec is not reached."""
        rules = image.rules
        event = build(Event, (time_ns, image.id, tid, sourcetype, source, channel, data))
        if sourcetype in rules.choosy:
            admitted = rules.admits(event)
            if admitted is None:
                return
            event = admitted
        most = rules.most_per_second
        if most and self._is_beyond(most, image, time_ns, tid):
            return
        if self._unwritten and image in self._unwritten:
            self._write_process(image)
        self._rows.append(event)

    def notice(
        self, image: Image, time_ns: int, tid: int, message: str, reason: str, count: int
    ) -> None:
        """Add a notice, whatever the rules are."""
        if image in self._unwritten:
            self._write_process(image)
        data = {"message": message, "reason": reason, "count": count}
        self._rows.append(Event(time_ns, image.id, tid, "notice", "notice", 0, data))

    def measure_with(
        self,
        image: Image,
        time_ns: int,
        name: str,
        value: float,
        numops: int,
        tags: tuple[Any, ...],
    ) -> None:
        """Take a measure of a metric."""
        self._meter.measure_with(image, time_ns, name, value, numops, tags)

    def measure_own(
        self, image: Image, time_ns: int, name: str, type: str, value: float, tags: dict[str, str]
    ) -> None:
        """Take a measure of a metric that the program itself sent."""
        self._meter.measure_own(image, time_ns, name, type, value, tags)

    def keep(self, payload: Payload) -> None:
        """Add a payload, or as much of it as payloadlimit leaves room for."""
        cut = len(payload.data) - self._payload_room
        if cut > 0:
            self._payloads_cut += cut
            kept = payload.data[: self._payload_room]
            payload = payload._replace(data=kept, missing=payload.missing + cut)
        self._payload_room -= len(payload.data)
        self._payloads.append(payload)

    def _emit_metric(self, image: Image, time_ns: int, name: str, data: dict[str, Any]) -> None:
        """Emit a single measure as an event, if a rule wants that."""
        if image.rules.wants(METRIC, name):
            self.emit(image, time_ns, image.pid, METRIC, name, 0, data)

    def _dispatch(self, operation: Operation) -> None:
        for handler in self._handlers[type(operation)]:
            handler(operation)

    def _on_image_started(self, operation: ImageStarted) -> None:
        image = operation.image
        facts = (image.proc, image.cmd, self._host, image.username, image.env, image.ancestors)
        image.rules = self._watch.for_process(build(ProcessFacts, facts))
        self._unwritten.add(image)
        if operation.seen:
            self.main = self.main or image
            self._write_process(image)
            while self._inherited:
                self._on_called(self._inherited.pop(0)._replace(image=image))

    def _ensure_process(self, image: Image) -> None:
        if image in self._unwritten:
            self._write_process(image)

    def _write_process(self, image: Image) -> None:
        self._unwritten.discard(image)
        self._metrics.process_written(image)
        row = (
            image.id,
            image.pid,
            image.ppid,
            image.parent,
            image.started_ns,
            image.proc,
            image.cmd,
            image.args,
            image.exe,
            image.cwd,
            image.uid,
            image.gid,
            image.username,
            image.groupname,
            image.rules.tags,
            image.args_missing,
        )
        self._writer.add_process(build(Process, row))

    def _on_image_ended(self, operation: ImageEnded) -> None:
        image, time_ns, exit_code, signal, replaced = values(operation)
        rate = self._rates.pop(image, None)
        if rate is not None:
            self._report_dropped(image, rate)
        if image in self._unwritten:
            self._unwritten.discard(image)
            return
        end = build(ProcessEnd, (image.id, time_ns, exit_code, signal, replaced))
        if self.main is not None and image.pid == self.main.pid and not replaced:
            self.main_end = self.main_end or end
        self.last_end_ns = max(self.last_end_ns, time_ns)
        self._writer.end_process(end)

    def _on_called(self, operation: CalledWhole) -> None:
        image, tid, time_ns, duration_ns, abi, number, result, data = values(operation)
        if self.main is None:  # a descriptor of the launcher, which the first program inherits
            self._inherited.append(operation)
            return
        if image in self._unwritten:
            self._write_process(image)
        row = (time_ns, duration_ns, image.id, tid, abi, number, result, data)
        self._calls.append(row)
        if self._show_call is not None:
            self._show_call(image, build(WholeCall, row))

    def _on_synced(self, operation: Synced) -> None:
        self.sync_requested = True

    def _on_calls_made(self, operation: CallsMade) -> None:
        self.ways[operation.way] = operation.calls

    def _on_ended(self, operation: Ended) -> None:
        self.counts = operation

    def _is_beyond(self, most: int, image: Image, time_ns: int, tid: int) -> bool:
        """Count one more event of a process; return whether it is beyond `most` in this second."""
        second = time_ns // SECOND_NS
        rate = self._rates.get(image)
        if rate is None or rate.second != second:
            if rate is not None:
                self._report_dropped(image, rate)
            rate = self._rates[image] = Rate(second, tid)
        rate.events += 1
        if rate.events <= most:
            return False
        rate.dropped += 1
        return True

    def _report_dropped(self, image: Image, rate: Rate) -> None:
        if not rate.dropped:
            return
        message = (
            f"{number_of(rate.dropped, 'event')} of {image.proc} ({image.pid}) had to be dropped:"
            f" it made more than {image.rules.most_per_second} in a second (maxeventpersec)"
        )
        time_ns = (rate.second + 1) * SECOND_NS - 1
        self.notice(image, time_ns, rate.tid, message, "maxeventpersec", rate.dropped)

    def _report_given_up(self, time_ns: int) -> None:
        """Report the expressions that took too long since the last report."""
        image = self.main
        if image is None:
            return
        for pattern in take_given_up():
            self._given_up.append(pattern)
            message = GIVEN_UP.format(pattern=pattern)
            self.notice(image, time_ns, image.pid, message, "regex", 1)

    def _report_unsearched(self, time_ns: int) -> None:
        """Report in how many texts these were not searched for after that."""
        image = self.main
        for pattern in self._given_up:
            if image is not None and pattern.unsearched:
                texts = number_of(pattern.unsearched, "text")
                message = UNSEARCHED.format(pattern=pattern, texts=texts)
                self.notice(image, time_ns, image.pid, message, "regex", pattern.unsearched)

    def _report_lost(self, time_ns: int) -> None:
        """Report what the engine or the decoder could not do."""
        image = self.main
        if image is None:
            return
        decoder, counts = self._decoder, self.counts
        losses = [
            (decoder.misunderstood, "record", "misunderstood", MISUNDERSTOOD),
            (self._payloads_cut, "byte", "payloadlimit", PAYLOADS_CUT),
            (counts.lost if counts else 0, "record", "lost", LOST),
            (counts.unreadable if counts else 0, "time", "unreadable", UNREADABLE),
            (counts.waits if counts else 0, "time", "waited", WAITED),
        ]
        waited_ms = (counts.waited_ns if counts else 0) // 1_000_000
        for count, noun, reason, sentence in losses:
            if count:
                message = sentence.format(
                    count=number_of(count, noun),
                    first=decoder.first_misunderstood,
                    waited_ms=waited_ms,
                )
                self.notice(image, time_ns, image.pid, message, reason, count)


GIVEN_UP = (
    "The regular expression {pattern.text} ({pattern.place}) took too long to search for in one"
    " text, and was given up: from here on it is found in nothing"
)
UNSEARCHED = (
    "The regular expression {pattern.text} ({pattern.place}) was not searched for in"
    " {texts} after it was given up"
)
MISUNDERSTOOD = "{count} could not be understood, so events may be missing (first: {first})"
PAYLOADS_CUT = "{count} of payloads could not be kept: that is more than payloadlimit lets in"
LOST = "{count} could not be made for want of memory, so events are missing"
UNREADABLE = (
    "{count} the memory of a program could not be read, so paths or contents are missing: it"
    " or its parent had made itself not dumpable (PR_SET_DUMPABLE, prctl(2))"
)
WAITED = "The program waited {waited_ms} ms in all, {count}, until recording had caught up"


def _handlers(handlers: Sequence[Handlers]) -> dict[type, list[Callable[[Any], None]]]:
    """Return, for each class of operation, all its handlers, in their order."""
    merged: dict[type, list[Callable[[Any], None]]] = {}
    for operation, handler in chain.from_iterable(each.items() for each in handlers):
        merged.setdefault(operation, []).append(handler)
    return merged


def _ignore(operation: Operation) -> None:
    """Do nothing."""
