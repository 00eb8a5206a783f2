"""What a program does with files that it keeps open is measured while it lives, and adds up."""

from __future__ import annotations

import pytest

import scopetrace
from support.harness import Stage, only, session_files
from support.interpreter import python

SCRIPT = """
import socket, time
near, far = socket.socketpair()
log = open("kept", "wb", buffering=0)
for _ in range(25):
    log.write(b"x" * 10)
    near.send(b"y" * 100)
    time.sleep(0.1)
"""


def test_files_and_flows_that_stay_open_are_measured_every_period(stage: Stage) -> None:
    config = "libscope: {summaryperiod: 1}\n"
    recording = stage.record([python(), "-c", SCRIPT], config=config)

    kept = str(stage.work / "kept")
    (closed,) = recording.of("fs.close", file=kept)
    assert closed.data["file_write_bytes"] == 250
    path = only(session_files(stage.home))
    assert path is not None
    with scopetrace.open_session(path) as session:
        sent = [metric.value for metric in session.metrics("net.tx")]
        written = [metric.value for metric in session.metrics("fs.write")]
    assert len(sent) >= 2
    assert sum(sent) == 2500
    assert sum(written) == sum(e.data["file_write_bytes"] for e in recording.of("fs.close"))


BURN = """
import os, time
kept = bytearray(64 << 20)
while time.process_time() < 0.3:
    pass
for line in open("/proc/self/status"):
    if line.startswith(("VmSize", "Threads")):
        print(line.split()[1])
print(len(os.listdir("/proc/self/fd")) - 1, flush=True)
os._exit(0)
"""


def test_a_short_process_tells_how_it_stood_at_its_end_and_only_its_own_cpu(stage: Stage) -> None:
    shell = ["sh", "-c", '"$0" -S -c "$1"; true', python(), BURN]
    recording = stage.record(shell)
    path = only(session_files(stage.home))
    assert path is not None
    with scopetrace.open_session(path) as session:
        reported = {(m.name, m.pid): m.value for m in session.metrics("proc.")}

    burnt, shells = recording.of("proc.exit")
    size_kib, threads, fds = map(int, recording.ending.stdout.split())
    assert reported["proc.mem", burnt.pid] == pytest.approx(size_kib, rel=0.02)
    assert reported["proc.mem_rss", burnt.pid] > 64 << 10
    assert (reported["proc.thread", burnt.pid], reported["proc.fd", burnt.pid]) == (threads, fds)
    for end in (burnt, shells):
        assert reported["proc.cpu", end.pid] == end.data["cpu_own"]
    assert burnt.data["cpu_own"] >= 300_000
    assert shells.data["cpu_own"] < 150_000
    assert shells.data["cpu_user"] + shells.data["cpu_system"] >= 300_000


QUESTIONS = """
import os
for _ in range(1000):
    os.access("/etc/passwd", os.R_OK)
file = os.open("/etc/passwd", os.O_RDONLY)
for _ in range(500):
    os.lseek(file, 0, os.SEEK_SET)
"""


def test_calls_that_make_no_event_are_counted(stage: Stage) -> None:
    config = "metric: {format: {verbosity: 8}}\n"
    stage.record([python(), "-S", "-c", QUESTIONS], config=config)
    found = counts(stage)

    assert found["fs.stat", "access"] in range(1000, 1010)  # the loader asks once
    assert found["fs.seek", "lseek"] in range(500, 600)  # Python, for each file that it imports


def counts(stage: Stage) -> dict[tuple[str, str], int]:
    path = only(session_files(stage.home))
    assert path is not None
    found: dict[tuple[str, str], int] = {}
    with scopetrace.open_session(path) as session:
        for metric in session.metrics(("fs.stat", "fs.seek")):
            key = (metric.name, metric.tags["op"])
            found[key] = found.get(key, 0) + int(metric.value)
    return found
