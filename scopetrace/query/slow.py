"""Where the time of a session went: its longest processes, files, requests and questions.

A process has the time that was its own: what was not that of the processes that it started.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from scopetrace.model.file_record import FileRecord
from scopetrace.model.process_tree import ProcessNode, all_nodes
from scopetrace.model.summary import Slow
from scopetrace.query.few_events import few_events

MOST = 3
"""So many are returned."""
LEAST_US = 100_000
LEAST_PART = 0.1
"""Of the time of the session; what took less is not slow."""
_ANSWERS = """
SELECT source, data, process.pid, json_extract(data, '$.' || :field) AS duration_us
  FROM {events} AS event JOIN process ON process.id = event.process
 WHERE source = :source AND duration_us >= :least ORDER BY duration_us DESC LIMIT :most
"""


def slowest(
    db: sqlite3.Connection,
    roots: Sequence[ProcessNode],
    files: Iterable[FileRecord],
    duration_ns: int | None,
) -> tuple[Slow, ...]:
    """Return what took much of the time, the longest first; `duration_ns`: of the session."""
    least_us = max(LEAST_US, int((duration_ns or 0) / 1000 * LEAST_PART))
    found = [*_processes(roots), *_files(files), *_answers(db, least_us)]
    long = (slow for slow in found if slow.duration_us >= least_us)
    return tuple(sorted(long, key=lambda slow: -slow.duration_us)[:MOST])


def _processes(roots: Sequence[ProcessNode]) -> Iterator[Slow]:
    for node in all_nodes(roots):
        if node.duration_ns is not None:
            of_others_ns = sum(child.duration_ns or 0 for child in node.children)
            own_us = (node.duration_ns - of_others_ns) // 1000
            yield Slow("process", node.process.command, own_us, node.pid, node.cpu_us)


def _files(files: Iterable[FileRecord]) -> Iterator[Slow]:
    for file in files:
        if file.io_us:
            pid = file.pids[0] if len(file.pids) == 1 else 0
            yield Slow("file", file.path, file.io_us, pid, None)


def _answers(db: sqlite3.Connection, least_us: int) -> Iterator[Slow]:
    sql = _ANSWERS.format(events=few_events(db))
    fields = {"http.resp": "http_duration_us", "dns.resp": "duration_us"}
    for source, field in fields.items():
        chosen = {"source": source, "field": field, "least": least_us, "most": MOST}
        for _, text, pid, duration_us in db.execute(sql, chosen):
            data = json.loads(text)
            if source == "http.resp":
                name = f"{data.get('http_method', '')} {data.get('http_target', '')}".strip()
                kind = "served" if "http_server_duration" in data else "request"
                yield Slow(kind, name, duration_us, pid, None)
            else:
                yield Slow("question", data.get("domain", ""), duration_us, pid, None)
