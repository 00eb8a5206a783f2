"""How long commands take on a session of a million events, and of ten million.

The session is what a build with tests leaves: two thousand processes that look for files, read and
write them, rename and delete some, talk to a server and write logs.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from figures import Figure, wall

from scopetrace.config.stock import stock_text
from scopetrace.db.schema import INDEXES, OTHER_INDEXES, create_indexes
from scopetrace.model.event import Event
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.query.keep_answers import keep_answers
from scopetrace.store.sessions import SessionStore

PROCESSES = 2000
EVENTS_EACH = 500
COMPARED = 100_000
"""Events of each side of a diff."""
COPIES = 10
"""The larger session has the events of the other so many times."""
START_NS = 1_783_822_275_000_000_000
EVENT_NS = 20_000
"""From one event to the next."""
LIBRARIES = tuple(f"/usr/lib/x86_64-linux-gnu/lib{number}.so.6" for number in range(40))
FOLDERS = tuple(f"/usr/include/part{number}" for number in range(50))
SOURCES = tuple(f"/home/ann/project/src/module{n % 97}/file{n}.c" for n in range(20_000))
ENDS = {
    "net_transport": "IP.TCP", "net_peer_ip": "10.0.0.7", "net_peer_port": 8080,
    "net_host_ip": "10.0.0.2", "net_host_port": 40000,
}  # fmt: skip
HTTP = {"http_method": "GET", "http_target": "/api/items", "http_host": "api", **ENDS}
SECOND_MS = 1000
AIMS_MS = {
    "summary": SECOND_MS, "files": SECOND_MS, "files -A --top 20": SECOND_MS, "tree": SECOND_MS,
    "events --group-by file": 300, "events --group-by file --top 20": 300, "why": SECOND_MS,
    "report --force -o report.html": 5 * SECOND_MS,
    "events": 300, "events -s fs.error -n 20": 300, "events -t file": 300, "flows": 300,
    "events --proc cc17 -s fs.close": 300, "history": 300,
    "who /usr/lib/x86_64-linux-gnu/lib1.so.6": 300, "who 10.0.0.7:8080": 300,
}  # fmt: skip


def large_sessions(scopetrace: str, folder: Path, rounds: int) -> Iterator[Figure]:
    """Make both sessions and measure, one command after another."""
    home = folder / "large"
    os.environ["SCOPETRACE_HOME"] = str(home)
    path = make_session(home)
    for command, aim_ms in AIMS_MS.items():
        argv = [scopetrace, *command.split()]
        yield wall(argv, f"scopetrace {command} (of 1,000,000)", aim_ms, rounds)
    live = unfinished(path)
    name = "scopetrace summary (of 1,000,000, while it is recorded)"
    yield wall([scopetrace, "summary", "--id", str(live)], name, SECOND_MS, rounds)
    live.unlink()
    sides = [make_session(home, COMPARED // EVENTS_EACH) for _ in "AB"]
    argv = ["sh", "-c", '"$@" || [ $? = 1 ]', "sh", scopetrace, "diff", *map(str, sides)]
    yield wall(argv, f"scopetrace diff (of twice {COMPARED:,})", 2 * SECOND_MS, rounds)
    for side in sides:
        side.unlink()
    larger = multiplied(path, COPIES)
    for command in ("events", "events -t file", "events -s fs.close"):
        argv = [scopetrace, *command.split()]
        yield wall(argv, f"scopetrace {command} (of 10,000,000)", 100, rounds)
    yield from dash_keys(larger)
    larger.unlink()


def dash_keys(path: Path) -> Iterator[Figure]:
    """Press keys in a dashboard of a session."""
    script = Path(__file__).with_name("dash_keys.py")
    argv = [sys.executable, "-P", str(script), str(path)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    slowest_ms, peak_mb = done.stdout.split()
    yield Figure("dash, the slowest key (of 10,000,000)", f"{slowest_ms} ms", "≤ 50 ms")
    yield Figure("dash, memory (of 10,000,000)", f"{peak_mb} MB", "≤ 100 MB")


def make_session(home: Path, processes: int = PROCESSES) -> Path:
    """Write a session of EVENTS_EACH events for each process and return its file."""
    facts: dict[str, Any] = {"pid": 1, "started_ns": START_NS, "config": stock_text()}
    writer = SessionStore(home).create("make", ["make", "-j8", "test"], **facts)
    choose = random.Random(1)
    for number in range(1, processes + 1):
        start_ns = START_NS + number * EVENTS_EACH * EVENT_NS
        writer.add_process(process(number, start_ns))
        events = list(events_of(number, choose))[:EVENTS_EACH]
        writer.add_events(
            Event(start_ns + at * EVENT_NS, number, number, *one) for at, one in enumerate(events)
        )
        end_ns = start_ns + EVENTS_EACH * EVENT_NS
        writer.end_process(ProcessEnd(number, end_ns, int(number % 100 == 0), None, False))
        writer.commit()
    writer.finish(exit_code=0, keep_answers=keep_answers)
    return writer.path


def process(number: int, started_ns: int) -> Process:
    """Return one process: a child of the first, as of make."""
    name = "make" if number == 1 else f"cc{number % 20}"
    args = (name, "-O2", "-c", SOURCES[number], "-o", f"{SOURCES[number]}.o")
    facts = (f"/usr/bin/{name}", "/home/ann/project", 1000, 1000, "ann", "staff")
    parent = min(number - 1, 1)
    return Process(number, number, parent, parent, started_ns, name, " ".join(args), args, *facts)


Made = tuple[str, str, int, dict[str, Any]]
"""Sourcetype, source, channel and data of an event."""


def events_of(number: int, choose: random.Random) -> Iterator[Made]:
    """Yield the events of one process, EVENTS_EACH of them."""
    yield event("proc.start", op="execve", exe="/usr/bin/cc", args=["cc"], cwd="/home/ann")
    for library in LIBRARIES[:13]:
        yield from used(library, choose, reads=1)
    for at in range(70):
        yield from included(FOLDERS[at % 50], choose)
    for file in choose.sample(SOURCES, 50):
        yield from used(file, choose, reads=2)
    for at in range(8):
        yield from talk(number * 100 + at, choose)
    for at in range(12):
        yield from made(f"/home/ann/project/out/{number}-{at}.o", at % 3 == 0, choose)
    for at in range(10):
        message = f"2026-07-12 compiled {SOURCES[at]} in {number} ms\n"
        yield "file", "/home/ann/project/build.log", number, {"message": message}
        yield "console", "stderr" if at % 3 else "stdout", 0, {"message": f"warning {at}\n"}
    yield event("proc.exit", exit_code=0, duration=5, cpu_own=number, max_rss=30_000)


def included(folder: str, choose: random.Random) -> Iterator[Made]:
    """Yield what the search for a header makes: it is in the third folder."""
    name = f"header{choose.randrange(300)}.h"
    for missed in choose.sample(FOLDERS, 2):
        yield event("fs.error", op="openat", file=f"{missed}/{name}", error="ENOENT")
    yield from used(f"{folder}/{name}", choose, reads=3)


def made(file: str, deleted: bool, choose: random.Random) -> Iterator[Made]:
    """Yield the events of an output file, which is written under another name first."""
    yield from used(f"{file}.tmp", choose, writes=4)
    yield event("fs.rename", op="rename", file=f"{file}.tmp", file_new=file)
    if deleted:
        yield event("fs.delete", op="unlink", file=file)


def event(source: str, **data: Any) -> Made:
    """Return an event that belongs to no open file or flow."""
    kind = source.partition(".")[0]
    return {"proc": "process"}.get(kind, kind), source, 0, data


def used(file: str, choose: random.Random, reads: int = 0, writes: int = 0) -> Iterator[Made]:
    """Yield open and close of a file."""
    channel = choose.getrandbits(50)
    opened = {"file": file, "op": "openat", "fd": choose.randrange(3, 9)}
    yield "fs", "fs.open", channel, {**opened, "flags": "O_RDONLY|O_CLOEXEC"}
    yield "fs", "fs.close", channel, {
        "file": file, "op": "close", "file_read_bytes": 4096 * reads, "file_read_ops": reads,
        "file_write_bytes": 512 * writes, "file_write_ops": writes,
        "duration": choose.randrange(900), "io_duration": choose.randrange(90),
    }  # fmt: skip


def talk(channel: int, choose: random.Random) -> Iterator[Made]:
    """Yield the events of one connection, with a request and its answer."""
    size = choose.randrange(100_000)
    yield "net", "net.open", channel, {"op": "connect", "fd": 5, "role": "client", **ENDS}
    yield "http", "http.req", channel, HTTP
    status = {"http_status_code": 200, "http_client_duration": 3}
    yield "http", "http.resp", channel, {**HTTP, **status}
    sums = {"net_bytes_sent": 120, "net_bytes_recv": size, "duration": 4}
    end = {"net_close_reason": "local", "net_protocol": "HTTP"}
    yield "net", "net.close", channel, {"op": "close", **sums, **end, **ENDS}


def unfinished(path: Path) -> Path:
    """Return a copy of a session as it is while it is recorded: without indexes and answers."""
    copy = path.with_name("live.db")
    shutil.copy(path, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        for index in (*INDEXES, *OTHER_INDEXES):
            db.execute(f"DROP INDEX {index}")
        db.execute("DELETE FROM answer")
        db.execute("UPDATE session SET ended_ns = NULL, status = 'interrupted'")
    return copy


def multiplied(path: Path, times: int) -> Path:
    """Return a copy of a session, the next one, with its events so many times."""
    copy = path.with_name("2-make.db")
    shutil.copy(path, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("UPDATE session SET id = 2")
        for index in (*INDEXES, *OTHER_INDEXES):
            db.execute(f"DROP INDEX {index}")
        (last,) = db.execute("SELECT max(id) FROM event").fetchone()
        for at in range(1, times):
            db.execute(
                "INSERT INTO event SELECT id + ?, time_ns, process, tid, sourcetype, source,"
                " channel, data FROM event WHERE id <= ?",
                (at * last, last),
            )
        create_indexes(db)
    return copy
