"""The summary of a session, put together from the same parts that the other views show."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator

from scopetrace.db.schema import has_table
from scopetrace.model.file_record import OWN
from scopetrace.model.session import SessionInfo
from scopetrace.model.summary import Summary
from scopetrace.query.few_events import few_events
from scopetrace.query.files import read_files
from scopetrace.query.flows import read_last
from scopetrace.query.last_lines import last_lines
from scopetrace.query.log_scan import read_logs
from scopetrace.query.path_classes import PathClasses
from scopetrace.query.slow import slowest
from scopetrace.query.startup import start_up_images
from scopetrace.query.tree import read_tree
from scopetrace.query.why import read_bad_end

FOUND = "NOERROR"
"""The outcome of a look-up whose name is there (RFC 1035, section 4.1.1)."""
LOCAL = ("bind", "listen")
"""What calls end in that are about an address of this program."""


def read_summary(db: sqlite3.Connection, info: SessionInfo, classes: PathClasses) -> Summary:
    """Return the summary of a session as it is now."""
    roots, files = read_tree(db), tuple(read_files(db, classes))
    duration_ns = None if info.ended_ns is None else info.ended_ns - info.started_ns
    texts = read_logs(db)
    requests, unanswered = _requests(db)
    bad_end = read_bad_end(db, info, classes, roots)
    console = {log.path: log.lines for log in texts if log.sourcetype == "console"}
    return Summary(
        info=info,
        roots=roots,
        start_up_images=start_up_images(db, classes),
        bad_end=bad_end,
        files=files,
        logs=tuple(log for log in texts if log.sourcetype == "file"),
        flows=tuple(read_last(db, None)),
        net_errors=_net_errors(db, classes),
        lookup_errors=_lookup_errors(db),
        requests=requests,
        unanswered=unanswered,
        stdout_lines=console.get("stdout", 0),
        stderr_lines=console.get("stderr", 0),
        stderr_last=(bad_end and bad_end.stderr) or last_lines(db),
        slow=slowest(db, roots, files, duration_ns),
        notices=tuple(_messages(db, "notice")),
        gate=_gate(db),
    )


def _net_errors(db: sqlite3.Connection, classes: PathClasses) -> dict[str, int]:
    """Count errors by address, without those of services that every program asks, as nscd."""
    rows = db.execute(f"SELECT data FROM {few_events(db)} WHERE source = 'net.error' ORDER BY id")
    found: Counter[str] = Counter()
    for (text,) in rows:
        data = json.loads(text)
        end = "host" if data["op"].endswith(LOCAL) else "peer"
        path = data.get("unix_local_path" if end == "host" else "unix_peer_path", "")
        if path and classes.of(path) != OWN:
            continue
        host, port = data.get(f"net_{end}_ip", ""), data.get(f"net_{end}_port")
        peer = path or (f"{host} port {port}" if port else host)
        found[
            f"{data['op']} {peer}: {data['error']}" if peer else f"{data['op']}: {data['error']}"
        ] += 1
    return dict(found.most_common())


def _lookup_errors(db: sqlite3.Connection) -> dict[str, int]:
    """Count names that could not be looked up, by what became of it."""
    rows = db.execute(
        "SELECT json_extract(data, '$.domain'),"
        " coalesce(json_extract(data, '$.error'), json_extract(data, '$.rcode')) AS outcome"
        f" FROM {few_events(db)} WHERE source IN ('dns.resp', 'dns.error') AND outcome <> ?"
        " ORDER BY id",
        (FOUND,),
    )
    found = Counter(f"look up {domain}: {outcome}" for domain, outcome in rows)
    return dict(found.most_common())


def _requests(db: sqlite3.Connection) -> tuple[dict[str, dict[int, int]], int]:
    """Count responses by the side of this program and by status; and requests without a response.

    A response to a request that was seen has its method.
    """
    found: dict[str, dict[int, int]] = {}
    unanswered = 0
    rows = db.execute(
        "SELECT source, CASE WHEN json_extract(data, '$.http_server_duration') IS NULL"
        " THEN 'client' ELSE 'server' END AS side,"
        " json_extract(data, '$.http_status_code') AS status, count(*),"
        " count(json_extract(data, '$.http_method'))"
        f" FROM {few_events(db)} WHERE source IN ('http.req', 'http.resp')"
        " GROUP BY source, side, status ORDER BY side, status"
    )
    for source, side, status, count, with_method in rows:
        if source == "http.req":
            unanswered += count
        else:
            unanswered -= with_method
            found.setdefault(side, {})[status] = count
    return found, max(unanswered, 0)


def _messages(db: sqlite3.Connection, sourcetype: str) -> Iterator[str]:
    sql = f"SELECT data FROM {few_events(db)} WHERE sourcetype = ? ORDER BY id"
    rows = db.execute(sql, (sourcetype,))
    yield from (str(json.loads(data).get("message", "")) for (data,) in rows)


def _gate(db: sqlite3.Connection) -> dict[str, int]:
    """Count calls by the way in which they were made, the most frequent first."""
    if not has_table(db, "gate"):
        return {}
    return dict(db.execute("SELECT way, calls FROM gate WHERE calls > 0 ORDER BY calls DESC, way"))
