"""A session in the Trace Event Format, which ui.perfetto.dev, chrome://tracing and speedscope open.

A process is a track, its main thread shows the programs that it ran. What has a start and an end
(an open file, a connection, a request, a question) is a slice. Slices of one track may not overlap,
so a process has as many tracks of a kind as it had files, connections… open at a time. All else is
an instant on the track of its thread. Times are µs since the session began. A process is found by
its pid: if the system gave a pid twice, both processes are on one track.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from scopetrace.model.event import EventRecord
from scopetrace.model.process_tree import ProcessNode, all_nodes
from scopetrace.output.json_bytes import json_document
from scopetrace.output.tree import status_text

TraceEvent = dict[str, Any]
"""One object of the format: name, ph (its kind), ts (µs), pid and tid are in each."""

LANES = 10_000_000
"""Tracks of slices have numbers from this on, which no thread has (pid_max is 4,194,304)."""
NAME_CHARACTERS = 120
"""Longer names are cut; the whole is in the arguments."""


class Kind(NamedTuple):
    """How events of a source become slices."""

    track: str
    """Name of the tracks."""
    name: tuple[str, ...]
    """The fields whose values name a slice."""
    duration: str
    """The field with the duration."""
    unit_ns: int


KINDS = {
    "fs.close": Kind("files", ("file",), "duration", 1000),
    "net.close": Kind("connections", ("net_peer_ip", "net_peer_port"), "duration", 1_000_000),
    "http.resp": Kind("requests", ("http_method", "http_target"), "http_duration_us", 1000),
    "dns.resp": Kind("questions", ("domain", "type"), "duration_us", 1000),
}
FIRST_LANES = {source: LANES * number for number, source in enumerate(KINDS, 1)}
"""Source → the number of the first track of its slices."""
NAMING_FIELDS = ("message", "file", "domain", "what", "signal", "error")
"""Fields whose values are in the name of an instant."""
SAID_BY_SLICES = frozenset(("fs.open", "net.open", "proc.start", "proc.fork", "proc.exit"))
"""Sources of which there is no instant."""
COUNTED = {
    "fs.close": ("file bytes", {"read": "file_read_bytes", "written": "file_write_bytes"}),
    "net.close": ("network bytes", {"received": "net_bytes_recv", "sent": "net_bytes_sent"}),
}
"""Source → the name of a counter of each process, and the fields that its series add up."""


def perfetto_file(
    began_ns: int, until_ns: int, roots: Iterable[ProcessNode], events: Iterable[EventRecord]
) -> Iterator[bytes]:
    """Yield the file in pieces.

    Args:
        began_ns: when the session began, Unix time in ns.
        until_ns: when processes end whose end was not recorded.
        roots: the processes.
        events: all events.
    """
    objects = trace_events((began_ns, until_ns), [*all_nodes(roots)], events)
    return json_document(b'{"displayTimeUnit":"ms","traceEvents":[', objects, b"]}\n")


def trace_events(
    span_ns: tuple[int, int], nodes: Iterable[ProcessNode], events: Iterable[EventRecord]
) -> Iterator[TraceEvent]:
    """Yield the objects of the format: first those of processes, then those of events."""
    starts: dict[int, int] = {}
    for node in nodes:
        starts.setdefault(node.pid, node.started_ns)
        yield from _process(node, *span_ns)
    tracks = _Tracks(span_ns[0], starts)
    for event in events:
        yield from tracks.of(event)


def _process(node: ProcessNode, began_ns: int, until_ns: int) -> Iterator[TraceEvent]:
    """Yield the name of a process, and a slice for each program that it ran."""
    pid, last = node.pid, node.process
    yield _named("process_name", pid, pid, last.proc)
    yield _named("thread_name", pid, pid, last.proc)
    yield _meta("process_labels", pid, pid, {"labels": f"{_short(last.cmd)} · {status_text(node)}"})
    end_ns = node.ended_ns or until_ns
    ends = [*(image.started_ns for image in node.images[1:]), end_ns]
    for image, end in zip(node.images, ends, strict=True):
        facts = {"cmd": image.cmd, "exe": image.exe, "cwd": image.cwd, "user": image.username}
        if image is last:
            facts["status"] = status_text(node)
        yield _slice(
            "process", image.proc, (pid, pid), (image.started_ns - began_ns, end - began_ns), facts
        )


class _Tracks:
    """The tracks of slices and the counters of all processes."""

    def __init__(self, began_ns: int, starts: dict[int, int]) -> None:
        self._began_ns = began_ns
        self._starts = starts
        self._lanes: dict[tuple[int, str], _Lanes] = {}
        self._sums: dict[tuple[int, str], dict[str, int]] = {}

    def of(self, event: EventRecord) -> Iterator[TraceEvent]:
        """Yield the objects for an event."""
        kind = KINDS.get(event.source)
        if kind is not None and kind.duration in event.data:
            yield from self._sliced(event, kind)
        elif event.source not in SAID_BY_SLICES:
            yield self._instant(event)
        if event.source in COUNTED:
            yield from self._counted(event)

    def _sliced(self, event: EventRecord, kind: Kind) -> Iterator[TraceEvent]:
        end_ns = event.time_ns
        start_ns = end_ns - event.integer(kind.duration) * kind.unit_ns
        start_ns = max(start_ns, self._starts.get(event.pid, 0), self._began_ns)
        key = (event.pid, kind.track)
        if key not in self._lanes:
            self._lanes[key] = _Lanes()
        lane, is_new = self._lanes[key].take(start_ns, end_ns)
        tid = FIRST_LANES[event.source] + lane
        if is_new:
            yield _named("thread_name", event.pid, tid, f"{kind.track} {lane + 1}")
        words = (str(event.data[field]) for field in kind.name if field in event.data)
        times = (start_ns - self._began_ns, end_ns - self._began_ns)
        name = " ".join(words) or event.source
        facts = {"id": event.id, **event.data}
        yield _slice(event.sourcetype, name, (event.pid, tid), times, facts)

    def _instant(self, event: EventRecord) -> TraceEvent:
        naming = (str(event.data[field]).strip() for field in NAMING_FIELDS if field in event.data)
        return {
            "name": _short(" ".join((event.source, *naming))),
            "cat": event.sourcetype,
            "ph": "i",
            "s": "t",
            "ts": _us(event.time_ns - self._began_ns),
            "pid": event.pid,
            "tid": event.tid,
            "args": {"id": event.id, **event.data},
        }

    def _counted(self, event: EventRecord) -> Iterator[TraceEvent]:
        name, fields = COUNTED[event.source]
        moved = {series: event.integer(field) for series, field in fields.items()}
        if not any(moved.values()):
            return
        before = self._sums.get((event.pid, name), {})
        sums = {series: before.get(series, 0) + size for series, size in moved.items()}
        self._sums[event.pid, name] = sums
        yield {
            "name": name,
            "ph": "C",
            "ts": _us(event.time_ns - self._began_ns),
            "pid": event.pid,
            "tid": event.pid,
            "args": sums,
        }


class _Lanes:
    """Tracks on which slices do not overlap; slices come in the order of their ends."""

    def __init__(self) -> None:
        self._free: list[tuple[int, int]] = []
        """When each track's last slice ends, and its number; sorted."""

    def take(self, start_ns: int, end_ns: int) -> tuple[int, bool]:
        """Return the number of a track that is free from `start_ns` on, and whether it is new."""
        at = bisect_right(self._free, (start_ns, LANES))
        lane = self._free.pop(at - 1)[1] if at else len(self._free)
        insort(self._free, (max(start_ns, end_ns), lane))
        return lane, not at


def _slice(
    category: str, name: str, track: tuple[int, int], times: tuple[int, int], facts: dict[str, Any]
) -> TraceEvent:
    """Return a slice; times in ns since the session began."""
    start_ns, end_ns = times
    return {
        "name": _short(name),
        "cat": category,
        "ph": "X",
        "ts": _us(start_ns),
        "dur": _us(end_ns - start_ns),
        "pid": track[0],
        "tid": track[1],
        "args": facts,
    }


def _named(what: str, pid: int, tid: int, name: str) -> TraceEvent:
    return _meta(what, pid, tid, {"name": name})


def _meta(what: str, pid: int, tid: int, args: dict[str, Any]) -> TraceEvent:
    return {"name": what, "ph": "M", "ts": 0, "pid": pid, "tid": tid, "args": args}


def _us(ns: int) -> float:
    return max(ns, 0) / 1000


def _short(text: str) -> str:
    return text if len(text) <= NAME_CHARACTERS else text[: NAME_CHARACTERS - 1] + "…"
