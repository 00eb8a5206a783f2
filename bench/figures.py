"""What is measured by itself: the pipeline's rate, and how long commands take."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from replay import rate, record
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
    operations = rate(record(["python3", "-c", SCRIPT]), rounds)
    yield Figure(
        "operations from ring to committed row", f"{operations:,.0f} a second", "≥ 100,000"
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
    """Run a recorded program and return the peak memory of its recorder.

    The output of the program is dropped: it would be printed between the tables.
    """
    peak_kib = 0
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as program:
        while program.poll() is None:
            time.sleep(POLL_INTERVAL_S)
            for info in list_sessions():
                if info.pid == program.pid and info.status == "running":
                    status = Path(f"/proc/{info.recorder_pid}/status").read_text()
                    peak_kib = int(status.split("VmHWM:")[1].split()[0])
    return peak_kib // 1024


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
