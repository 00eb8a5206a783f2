"""A session writer that also sends what was committed to the destinations.

Rows go to the session's writer first. What it could not write is not sent either, so that a
destination never has an event that the session lacks.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from scopetrace.forward.lines import Lines
from scopetrace.forward.sender import Sender
from scopetrace.model.counts import number_of
from scopetrace.model.event import Event
from scopetrace.model.metric import Sample
from scopetrace.model.payload import Payload
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.store.writer import SessionWriter

PATIENCE_S = 3.0
"""How long queued lines may delay the end of a session."""
MOST_ENDED = 256
"""Process images remembered after their end: events about them may follow."""

_NO_PROCESS = Process(0, 0, 0, 0, 0, "", "", (), "", "", 0, 0, "", "")
"""Stands for a process image that is not remembered any more."""


class ForwardingWriter:
    """Writes rows to a session, and sends them once they are committed.

    Args:
        writer: of the session.
        lines: makes what is sent.
        events: sends events; None: they are not sent.
        metrics: sends metrics; None: they are not sent.
        first_line: makes the first line for events, about the first process; None: there is none.
    """

    def __init__(
        self,
        writer: SessionWriter,
        lines: Lines,
        events: Sender | None,
        metrics: Sender | None,
        first_line: Callable[[Process], bytes] | None = None,
    ) -> None:
        self._writer = writer
        self._lines = lines
        self._event_sender = events
        self._metric_sender = metrics
        self._make_first_line = first_line
        self._events: list[Event] = []
        self._samples: list[Sample] = []
        self._processes: dict[int, Process] = {}
        self._ended: deque[int] = deque()

    def add_process(self, process: Process) -> None:
        """Write a process image."""
        self._writer.add_process(process)
        if self._make_first_line is not None and self._event_sender is not None:
            self._event_sender.first_line, self._make_first_line = (
                self._make_first_line(process),
                None,
            )
        self._processes[process.id] = process._replace(args=())

    def end_process(self, end: ProcessEnd) -> None:
        """Write how a process image ended. The first is always remembered: notices belong to it."""
        self._writer.end_process(end)
        if end.id != next(iter(self._processes), None):
            self._ended.append(end.id)

    def add_events(self, events: Sequence[Event]) -> None:
        """Write events in their order."""
        with _Batch(self):
            self._writer.add_events(events)
        if self._event_sender is not None:
            self._events += events

    def add_metrics(self, samples: Sequence[Sample]) -> None:
        """Write samples of metrics in their order."""
        with _Batch(self):
            self._writer.add_metrics(samples)
        if self._metric_sender is not None:
            self._samples += samples

    def add_payloads(self, payloads: Sequence[Payload]) -> None:
        """Write payloads in their order; they are not sent."""
        with _Batch(self):
            self._writer.add_payloads(payloads)

    def add_calls(self, calls: Sequence[tuple[Any, ...]]) -> None:
        """Write calls in their order; they are not sent."""
        with _Batch(self):
            self._writer.add_calls(calls)

    def commit(self) -> None:
        """Commit, then send what was committed."""
        with _Batch(self):
            self._writer.commit()
        events, self._events = self._events, []
        samples, self._samples = self._samples, []
        if self._event_sender is not None:
            self._event_sender.offer(events, self._event_line)
        if self._metric_sender is not None:
            self._metric_sender.offer(samples, self._metric_line)
        while len(self._ended) > MOST_ENDED:
            self._processes.pop(self._ended.popleft(), None)

    def close(self, patience_s: float = PATIENCE_S) -> list[tuple[int, str]]:
        """Send the queued lines, within `patience_s`; rows that are added later are not sent.

        Returns:
            For each destination with lines that could not be sent: their count, and a sentence.
        """
        named = [("event", self._event_sender), ("metric", self._metric_sender)]
        senders = [(what, sender) for what, sender in named if sender is not None]
        self._event_sender = self._metric_sender = None
        deadline = time.monotonic() + patience_s
        for _, sender in senders:
            sender.end()
        for _, sender in senders:
            sender.join(max(deadline - time.monotonic(), 0))
        return [
            (
                count,
                f"{number_of(count, what)} could not be sent to {sender.name}: {sender.why_unsent}",
            )
            for what, sender in senders
            if (count := sender.unsent)
        ]

    def forget_uncommitted(self) -> None:
        """Drop the rows that were not committed: the session has lost them."""
        self._events.clear()
        self._samples.clear()

    def _event_line(self, event: Event) -> bytes:
        return self._lines.event(event, self._processes.get(event.process, _NO_PROCESS))

    def _metric_line(self, sample: Sample) -> bytes:
        return self._lines.metric(sample, self._processes.get(sample.process, _NO_PROCESS))


class _Batch:
    """One transaction of the session's writer: if it fails, all since the last commit is lost."""

    def __init__(self, writer: ForwardingWriter) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_details: object) -> None:
        if kind is not None:
            self._writer.forget_uncommitted()
