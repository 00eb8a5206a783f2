"""What is measured by itself: the pipeline's rate, and how long commands take."""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from replay import feed, rate
from tracing import raw_batches
from workloads import settle, timed

from scopetrace.model.event import Event
from scopetrace.model.process import Process
from scopetrace.query import list_sessions
from scopetrace.store.sessions import SessionStore


class Figure(NamedTuple):
    """One measured number, and its target."""

    name: str
    value: str
    aim: str


def figures(scopetrace: str, folder: Path, rounds: int) -> Iterator[Figure]:
    """Measure, one after another."""
    operations = rate([*raw_batches(["python3", "-c", SCRIPT])], rounds)
    yield Figure(
        "operations from ring to committed row", f"{operations:,.0f} a second", "≥ 100,000"
    )
    yield Figure("CPU time of a million of them", f"{1e6 / operations:.1f} s", "≤ 10 s")
    messages = http_rate([*raw_batches(["python3", "-c", TALK])], rounds)
    yield Figure("HTTP/1 messages from ring to row", f"{messages:,.0f} a second", "≥ 25,000")
    for gate, name in (("off", ""), ("auto", ", with the gate")):
        make = ["make", "-s", "-j2", "-C", "project", "-B"]
        share = recorder_cpu_share(["env", f"SCOPE_GATE={gate}", scopetrace, "run", *make])
        yield Figure(
            f"CPU time of the recorder of make -j2, of make's{name}", f"{100 * share:.0f} %", ""
        )
    yield wall([scopetrace, "--version"], "scopetrace --version", 80, rounds)
    yield wall([scopetrace, "run", "true"], "scopetrace run true", 150, rounds)
    settle(scopetrace)
    for kind, count in (("open", 300_000), ("fork", 20_000), ("keep", 10_000)):
        peak_mb = recorder_peak_mb([scopetrace, "run", str(folder / "loops"), kind, str(count)])
        name = f"recorder's memory, {count:,} times {NAMES[kind]}"
        yield Figure(name, f"{peak_mb} MB", "≤ 100 MB")
    settle(scopetrace)
    flood = str(folder / "flood")
    subprocess.run(["cc", "-O2", "-o", flood, str(HERE / "flood.c")], check=True)
    peak_mb = recorder_peak_mb([scopetrace, "run", flood, str(FLOOD_SECONDS)])
    name = f"recorder's memory, {FLOOD_SECONDS} s of small messages"
    yield Figure(name, f"{peak_mb} MB", "≤ 200 MB")
    settle(scopetrace)
    make_million()
    for options in ([], ["-s", "fs.close"], ["-t", "file"]):
        argv = [scopetrace, "events", *options]
        name = " ".join(["scopetrace events", *options, "(of 1,000,000)"])
        yield wall(argv, name, 150, rounds)


def wall(argv: list[str], name: str, aim_ms: int, rounds: int) -> Figure:
    """Time a command."""
    middle_ms = statistics.median(timed(argv) for _ in range(3 * rounds)) * 1e3
    return Figure(name, f"{middle_ms:.0f} ms", f"≤ {aim_ms} ms")


HERE = Path(__file__).parent
FLOOD_SECONDS = 30
POLL_INTERVAL_S = 0.05
"""Time between two looks at a recorder's memory."""
NAMES = {"open": "open + close", "fork": "a process", "keep": "a file, kept open"}


def recorder_peak_mb(argv: list[str]) -> int:
    """Run a recorded program and return the peak memory of its recorder."""
    peak_kib = 0
    for recorder in recorders(argv):
        peak_kib = int((recorder / "status").read_text().split("VmHWM:")[1].split()[0])
    return peak_kib // 1024


def recorder_cpu_share(argv: list[str]) -> float:
    """Run a recorded program and return the CPU time of its recorder, of that of the program.

    What the recorder does after its program has ended does not count.
    """
    before, ticks = os.times(), 0
    for recorder in recorders(argv):
        fields = (recorder / "stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])  # utime and stime, proc_pid_stat(5)
    after = os.times()
    spent = sum(after[2:4]) - sum(before[2:4])
    return ticks / os.sysconf("SC_CLK_TCK") / spent


def recorders(argv: list[str]) -> Iterator[Path]:
    """Run a recorded program; yield the folder of its recorder in /proc, time and again.

    The output of the program is dropped: it would be printed between the tables.
    """
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as program:
        while program.poll() is None:
            time.sleep(POLL_INTERVAL_S)
            for info in list_sessions():
                if info.pid == program.pid and info.status == "running":
                    yield Path(f"/proc/{info.recorder_pid}")


def http_rate(batches: Sequence[bytes], rounds: int) -> float:
    """Return how many messages of HTTP a stream makes in a second of CPU time, the median."""
    rates = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="scopetrace-replay-") as folder:
            seconds, path = feed(batches, Path(folder))
            with closing(sqlite3.connect(path)) as db:
                (count,) = db.execute(HTTP_ROWS).fetchone()
        rates.append(count / seconds)
    return statistics.median(rates)


HTTP_ROWS = "SELECT count(*) FROM event WHERE sourcetype = 'http'"
TALK = """
import socket, threading
def head(*lines):
    return "\\r\\n".join((*lines, "", "")).encode()
ask = head("GET /index.html HTTP/1.1", "Host: localhost", "User-Agent: bench", "Accept: */*")
say = head("HTTP/1.1 200 OK", "Server: bench", "Content-Type: text/html", "Content-Length: 600")
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
for _ in range(5000):
    client.sendall(ask)
    server.recv(4096)
    server.sendall(say + bytes(600))
    client.recv(4096)
"""
"""Both ends of one connection, so each message is seen twice."""

SCRIPT = """
import os
for i in range(3000):
    with open("/etc/passwd") as file:
        file.read()
    try:
        open(f"missing{i}")
    except OSError:
        pass
    with open("busy.log", "a") as log:
        for line in range(3):
            log.write(f"line {line}\\n")
            log.flush()
"""


def make_million() -> None:
    """Make a session of a million events, as the last one."""
    writer = SessionStore().create("million", ["million"])
    name = ("million",)
    writer.add_process(
        Process(1, 1, 0, 0, 1, "million", "million", name, "/m", "/", 0, 0, "root", "root")
    )
    counts = dict.fromkeys(("file_read_bytes", "file_read_ops", "file_write_bytes"), 1)
    for start in range(0, 1_000_000, 10_000):
        writer.add_events(_nth_event(i, counts) for i in range(start, start + 10_000))
        writer.commit()
    writer.finish()


def _nth_event(i: int, counts: dict[str, int]) -> Event:
    """Return an event of a file; each thousandth is a line of a log."""
    if i % 1000 == 0:
        return Event(i * 1000, 1, 1, "file", "/var/log/a.log", i, {"message": f"line {i}"})
    data = {"file": f"/data/{i}.txt", "op": "close", **counts}
    return Event(i * 1000, 1, 1, "fs", "fs.close" if i % 2 else "fs.open", i, data)
