"""The summary of a session: a label and an answer to a line, nothing that is zero."""

from __future__ import annotations

import posixpath
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from scopetrace.model.counts import number_of
from scopetrace.model.file_record import OWN, FileRecord
from scopetrace.model.flow_record import FlowRecord
from scopetrace.model.process_tree import ProcessNode
from scopetrace.model.shown import shell_line
from scopetrace.model.summary import Log, Slow, Summary
from scopetrace.output.answers import shorten_middle
from scopetrace.output.color import paint
from scopetrace.output.escape import escape, escape_message
from scopetrace.output.flows import address_text
from scopetrace.output.status import describe_status
from scopetrace.output.tree import status_text
from scopetrace.output.units import format_microseconds, format_size
from scopetrace.output.why import has_reason, reason_text
from scopetrace.output.width import display_width, shorten, without_folder, wrap

LABEL_COLUMNS = 11
LEAST_COLUMNS = 20
"""That an answer gets, however narrow the terminal is."""
LEAST_NAME = 4
WHOLE = ("why", "processes", "hidden", "network", "output", "http", "stderr", "notices", "lost")
"""The labels of sentences, which are wrapped."""
BEGUN = ("logs", "stops")
"""Of these the end is left out: the last line of a log, the rarest reasons. Of others it is the
middle: their ends are the names of files, sizes and durations."""
SESSION = "  (session "
LAST = ", last: "
LATER_NS = 100_000_000
"""Processes that ended so much later than the program are mentioned at its end."""
LEAST_FOLDERS = 3
"""Of one search: those in fewer are named."""
PATHS = 5
"""So many paths, logs, processes or peers of one kind are named; the rest is counted."""
_Thing = TypeVar("_Thing")


def summary_lines(summary: Summary, width: int | None, *, color: bool = False) -> Iterator[str]:
    """Yield the lines of a summary, each at most `width` wide; None: there is no terminal."""
    last = ""
    for label, text in summary_facts(summary):
        last = label or last
        head = f"{label:{LABEL_COLUMNS}}"
        first, *more = [text] if width is None else _fitted(last, text, width - LABEL_COLUMNS)
        yield (paint(head, "green") if color and label else head) + first
        yield from (f"{'':{LABEL_COLUMNS}}{line}" for line in more)


def _fitted(label: str, text: str, columns: int) -> list[str]:
    """Return an answer in lines of so many columns: whole, or without what matters least."""
    columns = max(columns, LEAST_COLUMNS)
    if label in WHOLE:
        return wrap(text, columns)
    if label == "command" and display_width(text) > columns:
        command, gap, session = text.rpartition(SESSION)
        return [shorten_middle(part, columns) for part in (command, gap.lstrip() + session)]
    if label == "slow":
        return [_fitted_time(text, columns)]
    end = text.find(LAST)
    if label == "logs" and end > columns:
        return [shorten_middle(text[:end], columns)]
    return [(shorten if label in BEGUN else shorten_middle)(text, columns)]


def _fitted_time(text: str, columns: int) -> str:
    """Return what took long, with how long that was, whole, or without the CPU time."""
    name, gap, took = text.rpartition(": ")
    if display_width(text) > columns and columns < 2 * display_width(took):
        took = took.partition(",")[0]
    room = columns - display_width(gap + took)
    if not gap or room < LEAST_NAME:
        return shorten_middle(text, columns)
    return shorten_middle(name, room) + gap + took


def summary_rows(summary: Summary) -> list[dict[str, str]]:
    """Return the lines as rows of a table, each with the label of its answer."""
    rows: list[dict[str, str]] = []
    for label, text in summary_facts(summary):
        rows.append({"about": label or (rows[-1]["about"] if rows else ""), "answer": text})
    return rows


def summary_facts(summary: Summary) -> Iterator[tuple[str, str]]:
    """Yield labels and answers; a second line of one answer has no label."""
    yield from _labelled("command", [_command(summary)])
    yield _end(summary)
    yield from _labelled("why", _why(summary))
    yield from _labelled("processes", _processes(summary))
    yield from _labelled("failed", _failed(summary))
    yield from _files(summary)
    yield from _labelled("logs", _logs(summary))
    yield from _labelled("network", _network(summary))
    yield from _labelled("http", _requests(summary))
    yield from _labelled("output", _output(summary))
    yield from _labelled("stderr", map(escape_message, summary.stderr_last))
    yield from _labelled("slow", map(_slow, summary.slow))
    yield from _labelled("stops", _stops(summary.gate))
    yield from _labelled("notices", map(escape, _some(summary.notices)))
    if summary.info.lost:
        yield "lost", f"{summary.info.lost:,} of its events and records could not be recorded"


def _labelled(label: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        yield label, text
        label = ""


def _command(summary: Summary) -> str:
    info = summary.info
    return f"{escape(shell_line(info.args))}{SESSION}{info.id}, in {escape(info.cwd)})"


def _end(summary: Summary) -> tuple[str, str]:
    """Return a label, and how the program ended and after how long, or how long it runs."""
    info = summary.info
    if info.status == "running":
        lasted_us = max(time.time_ns() - info.started_ns, 0) // 1000
        return "running", f"for {format_microseconds(lasted_us)}{_first_end(summary)}"
    text = describe_status(info)
    if (info.exit_code, info.signal) == (None, None):
        text = f"not recorded: the recording was {text}"
    if info.ended_ns is not None:
        text += _after(summary, info.ended_ns)
    return "ended", text


def _first_end(summary: Summary) -> str:
    """Return how the program ended, of which processes still run."""
    info = summary.info
    if (info.exit_code, info.signal) == (None, None):
        return ""
    return f"; the program itself ended: {describe_status(info._replace(status='finished'))}"


def _after(summary: Summary, ended_ns: int) -> str:
    """Return after how long the program ended, and the last process, if that was much later."""
    info = summary.info
    nodes = [node for node in summary.processes if node.pid == info.pid]
    last = max((node.ended_ns or 0 for node in summary.processes), default=0)
    if not nodes or nodes[0].ended_ns is None or last - nodes[0].ended_ns < LATER_NS:
        return f" after {_duration(ended_ns - info.started_ns)}"
    own, others = nodes[0].ended_ns - info.started_ns, last - info.started_ns
    return f" after {_duration(own)}, the last of its processes after {_duration(others)}"


def _duration(ns: int) -> str:
    return format_microseconds(ns // 1000)


def _why(summary: Summary) -> Iterator[str]:
    """Yield the likeliest reason of a bad end, if there is one."""
    end = summary.bad_end
    if end is not None and has_reason(end):
        yield reason_text(end)


def _own_processes(summary: Summary) -> list[ProcessNode]:
    return [node for node in summary.processes if node.key not in summary.start_up_images]


def _processes(summary: Summary) -> Iterator[str]:
    nodes = _own_processes(summary)
    if len(nodes) < 2:
        return
    programs = Counter(node.process.proc for node in nodes)
    named = [_counted(escape(name), times) for name, times in programs.most_common()]
    running = sum(node.ended_ns is None for node in nodes)
    still = f", {running} running" if running and summary.info.status == "running" else ""
    yield f"{len(nodes)}{still}: " + ", ".join(_some(named))


def _failed(summary: Summary) -> list[str]:
    """Return the processes that ended badly, but for the first, the last one first."""
    nodes = _own_processes(summary)
    failed = [node for node in nodes if node.failed and node.pid != summary.info.pid]
    failed.sort(key=lambda node: node.ended_ns or 0, reverse=True)
    return _some(
        failed,
        lambda node: f"{_program(node.process.command)} [{node.pid}]: {status_text(node)}",
    )


def _program(command: str) -> str:
    return escape(without_folder(command))


def _output(summary: Summary) -> Iterator[str]:
    streams = (("stdout", summary.stdout_lines), ("stderr", summary.stderr_lines))
    written = [f"{number_of(count, 'line')} to {name}" for name, count in streams if count]
    if written:
        yield ", ".join(written)


def _files(summary: Summary) -> Iterator[tuple[str, str]]:
    """Yield what was done to files; those that were written and then deleted come last."""
    own = [file for file in summary.files if file.path_class == OWN]
    yield from _labelled("read", _some((file for file in own if file.read), _read))
    written = sorted((file for file in own if file.written), key=lambda file: file.deleted)
    yield from _labelled("written", _some(written, _written))
    missed = [file for file in own if file.missed and not (file.read or file.written)]
    yield from _labelled("not found", _some(_searches(missed)))
    yield from _labelled("denied", _paths(file for file in own if file.denied))
    deleted = sorted((file for file in own if file.deleted), key=lambda file: file.written)
    yield from _labelled("deleted", _paths(deleted))
    yield from _labelled("hidden", _hidden(summary, len(summary.files) - len(own)))


def _hidden(summary: Summary, files: int) -> Iterator[str]:
    if files:
        yield f"{number_of(files, 'start-up file')} (libraries, locales...): scopetrace files -A"
    processes = len(summary.processes) - len(_own_processes(summary))
    if processes:
        yield (f"{number_of(processes, 'start-up process')} (of pyenv, npm...): scopetrace tree -A")


def _read(file: FileRecord) -> str:
    return _sized(file.path, file.read_bytes, file.read_ops)


def _written(file: FileRecord) -> str:
    return _sized(file.path, file.written_bytes, file.written_ops)


def _sized(path: str, size: int, ops: int) -> str:
    return escape(path) + (f" ({format_size(size)})" if ops else "")


def _searches(files: Iterable[FileRecord]) -> Iterator[str]:
    """Yield the paths; what was looked for in several folders once, with their number."""
    by_name: dict[str, list[str]] = {}
    for file in files:
        by_name.setdefault(posixpath.basename(file.path), []).append(file.path)
    for paths in by_name.values():
        if len(paths) < LEAST_FOLDERS:
            yield from map(escape, paths)
        else:
            yield f"{escape(paths[0])}, nor in {len(paths) - 1} other folders"


def _paths(files: Iterable[FileRecord]) -> list[str]:
    return _some(files, lambda file: escape(file.path))


def _logs(summary: Summary) -> Iterator[str]:
    yield from _some(summary.logs, _log)


def _log(log: Log) -> str:
    return f"{escape(log.path)} ({number_of(log.lines, 'line')}){LAST}{escape_message(log.last)}"


def _network(summary: Summary) -> Iterator[str]:
    peers: dict[str, list[FlowRecord]] = {}
    for flow in summary.flows:
        if flow.peer is not None and flow.peer.family != "unix" and not _is_unused(flow):
            peers.setdefault(_peer(flow), []).append(flow)
    largest = sorted(peers.items(), key=lambda peer: _weight(peer[1]), reverse=True)
    yield from _some([f"{peer}{_sums(flows)}" for peer, flows in largest])
    sockets = Counter(
        address_text(flow.peer)
        for flow in summary.flows
        if flow.peer is not None
        and flow.peer.family == "unix"
        and flow.peer.host
        and flow.role == "client"
    )
    yield from _some([_counted(path, times) for path, times in sockets.items()])
    failed = summary.net_errors | summary.lookup_errors
    texts = [_counted(escape(name), times) for name, times in failed.items()]
    yield from (f"failed: {text}" for text in _some(texts))


def _slow(slow: Slow) -> str:
    name, took = escape(slow.name), format_microseconds(slow.duration_us)
    if slow.kind == "process":
        cpu = "" if slow.cpu_us is None else f", cpu {format_microseconds(slow.cpu_us)}"
        return f"{_program(slow.name)} [{slow.pid}]: {took}{cpu}"
    where = {
        "file": "in reads and writes",
        "request": "until the response",
        "served": "until it was answered",
    }
    return f"{name}: {took} {where.get(slow.kind, 'until the answer')}"


def _peer(flow: FlowRecord) -> str:
    assert flow.peer is not None
    if flow.role == "server":
        return f"served port {flow.local.port if flow.local is not None else 0}"
    name = f"{escape(flow.peer_name)} " if flow.peer_name else ""
    port = f" port {flow.peer.port}" if flow.peer.port else ""
    return f"{name}{address_text(flow.peer)}{port}"


def _is_unused(flow: FlowRecord) -> bool:
    """Whether nothing went to the peer of a UDP socket.

    Resolvers connect one to each address of a name, to see which ones have a route (RFC 6724).
    """
    return flow.transport == "IP.UDP" and not (flow.bytes_sent or flow.bytes_recv)


def _weight(flows: list[FlowRecord]) -> tuple[bool, int]:
    """By which peers are ordered: the kernel, which is asked for addresses, is the last one."""
    sent, received = _bytes(flows)
    return not any(flow.transport == "Netlink" for flow in flows), sent + received


def _bytes(flows: list[FlowRecord]) -> tuple[int, int]:
    """Return the sums of the bytes sent and received."""
    sent = sum(flow.bytes_sent or 0 for flow in flows)
    return sent, sum(flow.bytes_recv or 0 for flow in flows)


def _sums(flows: list[FlowRecord]) -> str:
    sent, received = _bytes(flows)
    protocols = dict.fromkeys(escape(flow.protocol) for flow in flows if flow.protocol)
    count = f", {len(flows)} flows" if len(flows) > 1 else ""
    spoken = f" {'/'.join(protocols)}" if protocols else ""
    return f"{spoken}: {format_size(sent)} sent, {format_size(received)} received{count}"


def _requests(summary: Summary) -> Iterator[str]:
    for side, statuses in summary.requests.items():
        counts = ", ".join(_counted(str(status), times) for status, times in statuses.items())
        yield f"{'served' if side == 'server' else 'received'} {counts}"
    if summary.unanswered:
        yield f"{number_of(summary.unanswered, 'request')} without a response"


def _stops(gate: dict[str, int]) -> Iterator[str]:
    """Yield how many calls were made without a stop, and why the others stopped."""
    stopped = {way: calls for way, calls in gate.items() if way != "gated"}
    made, count = sum(gate.values()), sum(stopped.values())
    if made:
        whys = [f"{calls:,} {WHY_STOPPED.get(way, way)}" for way, calls in stopped.items()]
        text = f"{count:,} of {made:,} recorded calls ({100 * count / made:.1f} %)"
        yield ": ".join([text, ", ".join(whys)] if whys else [text])


WHY_STOPPED = {
    "asked": "that failed",
    "early": "by new programs",
    "other": "of other kinds",
    "fd": "on new fds, or files with other writers",
    "name": "on paths that had to be followed first",
    "site": "from new places",
    "refused": "by programs or threads that cannot do without",
    "each": "by programs with filters or io_uring",
}
"""Way (model.raw.Way) → why calls made so stopped."""


def _counted(name: str, times: int) -> str:
    return f"{name} ({times} times)" if times > 1 else name


def _some(things: Iterable[_Thing], shown: Callable[[_Thing], str] = str) -> list[str]:
    """Return the first few as they are shown, and how many more there are."""
    found = list(things)
    more = len(found) - PATHS
    texts = list(map(shown, found[:PATHS]))
    return texts if more <= 0 else [*texts, f"and {more} more"]


def summary_body(summary: Summary) -> dict[str, Any]:
    """Return a summary as JSON has it."""
    info = summary.info
    own = [file for file in summary.files if file.path_class == OWN]
    nodes = summary.processes
    return {
        "id": info.id,
        "args": info.args,
        "cwd": info.cwd,
        "status": info.status,
        "exit_code": info.exit_code,
        "signal": info.signal,
        "why": next(_why(summary), None),
        "duration_us": None if info.ended_ns is None else (info.ended_ns - info.started_ns) // 1000,
        "processes": len(nodes),
        "failed": [
            {"pid": node.pid, "cmd": node.process.cmd, "status": status_text(node)}
            for node in nodes
            if node.failed
        ],
        "read": [file.path for file in own if file.read],
        "written": [file.path for file in own if file.written],
        "not_found": [file.path for file in own if file.missed],
        "denied": [file.path for file in own if file.denied],
        "deleted": [file.path for file in own if file.deleted],
        "startup_files": len(summary.files) - len(own),
        "logs": [log._asdict() for log in summary.logs],
        "peers": list(
            dict.fromkeys(_peer(flow) for flow in summary.flows if flow.peer is not None)
        ),
        "net_errors": summary.net_errors,
        "lookup_errors": summary.lookup_errors,
        "http": summary.requests,
        "http_unanswered": summary.unanswered,
        "stdout_lines": summary.stdout_lines,
        "stderr_lines": summary.stderr_lines,
        "stderr_last": summary.stderr_last,
        "slow": [slow._asdict() for slow in summary.slow],
        "notices": summary.notices,
        "gate": summary.gate,
        "lost": info.lost,
    }
