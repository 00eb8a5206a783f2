"""What is in the report: rows of a few columns for each part, no more than fit.

A page of three megabytes opens quickly, so each part has a limit in bytes. What is most likely
asked for comes first: what failed, what is the program's own, what is large, the beginning and the
end of what was written. How much is left out is counted. Texts are escaped as on a terminal, so
that no name can look like another. Times are µs since the session began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from scopetrace.model.counts import number_of
from scopetrace.model.event import EventRecord
from scopetrace.model.exchange import LEAST_HTTP_ERROR, Content, Exchange
from scopetrace.model.file_record import OWN, FileRecord
from scopetrace.model.flow_record import FlowRecord
from scopetrace.model.process_tree import ProcessNode
from scopetrace.model.report import ReportInput
from scopetrace.model.summary import Summary
from scopetrace.output.cause import failure_text
from scopetrace.output.escape import escape, escape_lines
from scopetrace.output.flows import endpoint_text
from scopetrace.output.http_body import body_text
from scopetrace.output.json_bytes import json_bytes
from scopetrace.output.tree import status_text
from scopetrace.output.why import reason_text

PROCESSES, FILES, FLOWS, REQUESTS, LINES, ERRORS = (
    "processes",
    "files",
    "flows",
    "requests",
    "lines",
    "errors",
)
LIMITS = {
    PROCESSES: 400_000,
    FILES: 700_000,
    FLOWS: 250_000,
    REQUESTS: 600_000,
    LINES: 650_000,
    ERRORS: 250_000,
}
"""Part → how many bytes of JSON its rows may have."""
COLUMNS = {
    PROCESSES: (
        "pid", "depth", "proc", "cmd", "at_us", "duration_us", "status", "failed", "cpu_us",
        "rss_kib", "execs", "is_startup",
    ),
    FILES: (
        "path", "class", "uses", "read_bytes", "written_bytes", "ops", "io_us", "errors", "procs",
        "names",
    ),
    FLOWS: (
        "id", "pid", "proc", "role", "local", "peer", "protocol", "at_us", "duration_us", "sent",
        "received", "reason", "error", "is_startup",
    ),
    REQUESTS: (
        "flow", "at_us", "duration_us", "method", "url", "status", "request_headers",
        "request_body", "response_headers", "response_body",
    ),
    LINES: ("at_us", "pid", "proc", "source", "text"),
    ERRORS: ("kind", "error", "who", "what", "is_startup"),
}  # fmt: skip
"""Part → the names of its columns, by which page.js speaks of them."""
MOST_ROWS = 6000
"""Of a part: more would make the page slow."""
MOST_TEXT = 2000
"""Characters of one line or command; the rest is cut."""


class Part(NamedTuple):
    """The rows of one part."""

    columns: Sequence[str]
    rows: list[list[Any]]
    left: int
    """How many rows are not there."""


def parts(found: ReportInput) -> dict[str, Part]:
    """Return all parts."""
    summary = found.summary
    began_ns = summary.info.started_ns
    flow_ids = {flow.channel: flow.id for flow in summary.flows}
    answered = sum(sum(statuses.values()) for statuses in summary.requests.values())
    return {
        PROCESSES: _part(PROCESSES, _processes(summary, began_ns), len(summary.processes)),
        FILES: _part(FILES, map(_file, _by_weight(summary.files)), len(summary.files)),
        FLOWS: _part(FLOWS, (_flow(flow, found) for flow in summary.flows), len(summary.flows)),
        REQUESTS: _part(
            REQUESTS,
            (_request(one, began_ns, flow_ids) for one in found.exchanges),
            answered + summary.unanswered,
        ),
        LINES: _lines(found, began_ns),
        ERRORS: _part(ERRORS, _errors(found), 0),
    }


def _part(name: str, rows: Iterable[list[Any]], total: int) -> Part:
    """Return the first rows, as many as fit; `total` is how many there are at least."""
    kept, left_bytes = [], LIMITS[name]
    for row in islice(rows, MOST_ROWS):
        left_bytes -= len(json_bytes(row)) + 1
        if left_bytes < 0:
            break
        kept.append(row)
    return Part(COLUMNS[name], kept, max(total - len(kept), 0))


def _processes(summary: Summary, began_ns: int) -> Iterator[list[Any]]:
    """Yield processes, parents first; of too many those that failed or took longest."""
    nodes = [pair for root in summary.roots for pair in root.walk()]
    wanted = {id(node) for _, node in nodes}
    if len(nodes) > MOST_ROWS:
        ranked = sorted(nodes, key=lambda pair: (not pair[1].failed, -(pair[1].duration_ns or 0)))
        wanted = {id(node) for _, node in ranked[:MOST_ROWS]}
    live = summary.info.status == "running"
    for depth, node in nodes:
        if id(node) in wanted:
            is_start_up = node.key in summary.start_up_images
            yield [*_process(node, depth, began_ns, status_text(node, live=live)), is_start_up]


def _process(node: ProcessNode, depth: int, began_ns: int, status: str) -> list[Any]:
    return [
        node.pid,
        depth,
        escape(node.process.proc),
        _cut(escape(node.process.command)),
        _us(node.started_ns, began_ns),
        None if node.duration_ns is None else node.duration_ns // 1000,
        status,
        node.failed,
        node.cpu_us,
        node.max_rss_kib,
        [_us(image.started_ns, began_ns) for image in node.images[1:]],
    ]


def _by_weight(files: Iterable[FileRecord]) -> list[FileRecord]:
    """Return files: the program's own first, then those with most bytes."""
    return sorted(
        files,
        key=lambda file: (file.path_class != OWN, -file.read_bytes - file.written_bytes),
    )


def _file(file: FileRecord) -> list[Any]:
    return [
        escape(file.path),
        file.path_class,
        file.uses,
        file.read_bytes,
        file.written_bytes,
        file.read_ops + file.written_ops,
        file.io_us,
        escape(" ".join(file.errors)),
        _cut(escape(" ".join(file.procs))),
        _cut(escape(" ".join(file.names))),
    ]


def _flow(flow: FlowRecord, found: ReportInput) -> list[Any]:
    began_ns = found.summary.info.started_ns
    peer = endpoint_text(flow.peer)
    return [
        flow.id,
        flow.pid,
        escape(flow.proc),
        flow.role,
        endpoint_text(flow.local),
        f"{escape(flow.peer_name)} ({peer})" if flow.peer_name and peer else peer,
        escape(flow.protocol),
        _us(flow.opened_ns, began_ns),
        None if flow.duration_ns is None else flow.duration_ns // 1000,
        flow.bytes_sent,
        flow.bytes_recv,
        flow.close_reason,
        escape(flow.error),
        flow.id in found.start_up_flows,
    ]


def _request(exchange: Exchange, began_ns: int, flow_ids: dict[int, int]) -> list[Any]:
    return [
        flow_ids.get(exchange.channel, 0),
        _us(exchange.started_ns, began_ns),
        exchange.duration_us,
        escape(str(exchange.fact("http_method") or "?")),
        _cut(escape(exchange.url)),
        exchange.status,
        *_content(exchange.request_content),
        *_content(exchange.response_content),
    ]


def _content(content: Content | None) -> tuple[str, str]:
    """Return the header fields and the body of a message, each as text of several lines."""
    if content is None:
        return "", ""
    headers = "\n".join(f"{escape(name)}: {escape(value)}" for name, value in content.headers)
    body = body_text(content)
    if body.is_base64:
        return headers, f"({number_of(len(content.body), 'byte')} or more, no text)"
    return headers, "\n".join(escape_lines(body.text))


def _lines(found: ReportInput, began_ns: int) -> Part:
    """Return the lines of what was written: the beginning and the end, if not all fit."""
    rows = [row for event in found.texts for row in _text_lines(event, began_ns)]
    most_bytes, most_rows = LIMITS[LINES] // 3, MOST_ROWS // 3
    first = _fitting(rows, most_bytes, most_rows)
    last = _fitting(reversed(rows[len(first) :]), 2 * most_bytes, 2 * most_rows)
    kept = [*first, *reversed(last)]
    return Part(COLUMNS[LINES], kept, len(rows) - len(kept) + found.texts_left)


def _fitting(rows: Iterable[list[Any]], most_bytes: int, most_rows: int) -> list[list[Any]]:
    kept = []
    for row in islice(rows, most_rows):
        most_bytes -= len(json_bytes(row)) + 1
        if most_bytes < 0:
            break
        kept.append(row)
    return kept


def _text_lines(event: EventRecord, began_ns: int) -> Iterator[list[Any]]:
    facts = [_us(event.time_ns, began_ns), event.pid, escape(event.proc), escape(event.source)]
    for line in escape_lines(str(event.data.get("message", ""))):
        yield [*facts, _cut(line)]


def _errors(found: ReportInput) -> Iterator[list[Any]]:
    """Yield what failed: processes, connections, look-ups, requests, own files first, calls."""
    yield from _bad_ends(found)
    yield from _counted("network", found.summary.net_errors)
    yield from _counted("DNS", found.summary.lookup_errors)
    yield from _counted("HTTP", _refused(found.exchanges))
    causes = {event.text("file"): event for event in found.failures if event.sourcetype == "fs"}
    for file in _by_weight(found.summary.files):
        if file.errors:
            who, error = escape(" ".join(file.procs)), escape(" ".join(file.errors))
            event = causes.get(file.path)
            what = escape(file.path) if event is None else failure_text(event.source, event.data)
            yield ["file", error, _cut(who), _cut(what), file.path_class != OWN]
    for event in found.failures:
        if event.sourcetype != "fs":
            yield _failure(event)


def _counted(kind: str, errors: dict[str, int]) -> Iterator[list[Any]]:
    """Yield errors that are counted by what failed: `connect 10.0.0.7 port 80: ECONNREFUSED`."""
    for text, count in errors.items():
        what, _, error = text.rpartition(": ")
        times = f" ({count} times)" if count > 1 else ""
        yield [kind, escape(error), "", _cut(escape(what) + times), False]


def _refused(exchanges: Iterable[Exchange]) -> dict[str, int]:
    """Count the requests that were answered with an error, as `GET http://box/x: 404`."""
    return Counter(
        f"{one.fact('http_method') or '?'} {one.url}: {one.status}"
        for one in exchanges
        if one.status is not None and one.status >= LEAST_HTTP_ERROR
    )


def _bad_ends(found: ReportInput) -> Iterator[list[Any]]:
    """Yield the processes that ended badly: those of which the reason is known, then the others."""
    explained = {node.images[0].id for end in found.why.ends for node in end.chain}
    for end in found.why.ends:
        yield _bad_end(end.chain[0], reason_text(end), False)
    for node in found.summary.processes:
        if node.failed and node.images[0].id not in explained:
            is_start_up = node.key in found.summary.start_up_images
            yield _bad_end(node, escape(node.process.command), is_start_up)


def _bad_end(node: ProcessNode, what: str, is_start_up: bool) -> list[Any]:
    who = f"{escape(node.process.proc)} [{node.pid}]"
    return ["process", status_text(node), who, _cut(what), is_start_up]


def _failure(event: EventRecord) -> list[Any]:
    who = f"{escape(event.proc)} [{event.pid}]"
    what = failure_text(event.source, event.data)
    return ["call", escape(event.text("error")), who, _cut(what), False]


def _us(time_ns: int, began_ns: int) -> int:
    return max(time_ns - began_ns, 0) // 1000


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
