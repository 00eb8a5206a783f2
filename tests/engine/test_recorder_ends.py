"""The session after the recorder or the program was ended from outside."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scopetrace.query import open_session
from support.harness import (
    PATIENCE,
    Stage,
    only,
    read_events,
    read_info,
    scopetrace_command,
    session_files,
    wait_for,
)

BUSY = "i=0; while :; do i=$((i+1)); echo line $i >> busy.log; cat busy.log > /dev/null; done"


@contextmanager
def started(stage: Stage, *argv: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start a recorded program that runs until it is killed; yield it and its session's path."""
    home = stage.new_home()
    user = stage.become()
    program = subprocess.Popen(
        scopetrace_command("run", *argv), cwd=stage.work, env=stage.environment(), **user
    )
    try:
        path = wait_for(lambda: only(session_files(home)), "the session")
        wait_for(lambda: any(e.sourcetype == "file" for e in read_events(path)), "a log line")
        yield program, path
    finally:
        program.kill()
        program.wait(PATIENCE)


@pytest.mark.parametrize("attempt", range(3))
def test_a_killed_recorder_leaves_a_valid_file_and_no_running_program(
    attempt: int, stage: Stage
) -> None:
    with started(stage, "/bin/sh", "-c", BUSY) as (program, path):
        os.kill(read_info(path).recorder_pid, signal.SIGKILL)

        assert program.wait(PATIENCE) == -signal.SIGKILL
    wait_for(lambda: read_info(path).status == "interrupted", "the recorder to have ended")
    with sqlite3.connect(path) as file:
        assert file.execute("pragma integrity_check").fetchone() == ("ok",)
    file.close()
    assert len(read_events(path)) > 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_recorder_that_is_asked_to_end_finishes_its_session(number: int, stage: Stage) -> None:
    with started(stage, "/bin/sh", "-c", BUSY) as (_program, path):
        os.kill(read_info(path).recorder_pid, number)

        wait_for(lambda: read_info(path).status == "stopped", "the session to be stopped")


def test_the_session_of_a_killed_program_is_finished(stage: Stage) -> None:
    with started(stage, "/bin/sh", "-c", BUSY) as (program, path):
        program.kill()

        assert program.wait(PATIENCE) == -signal.SIGKILL
        wait_for(lambda: read_info(path).status == "finished", "the recorder to finish")
    assert read_info(path).signal == signal.SIGKILL


WAITS_WITH_ALL_OPEN = """
import os, pathlib, socket, threading
log = open("waits.log", "w")
print("five", file=log, flush=True)
inherited = os.open("inherited.log", os.O_WRONLY | os.O_CREAT)
listener = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listener.getsockname())
far, _ = listener.accept()
near.sendall(b"four")
far.recv(16)
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.sendto(b"three", near.getsockname())
if os.fork() == 0:
    os.write(inherited, b"sixsix")
pathlib.Path(f"ready.{os.getpid()}").touch()
threading.Event().wait()
"""


def test_open_files_and_flows_are_recorded_with_their_bytes_when_recording_stops(
    stage: Stage,
) -> None:
    with started(stage, "python3", "-c", WAITS_WITH_ALL_OPEN) as (program, path):
        wait_for(lambda: len(list(stage.work.glob("ready.*"))) == 2, "both processes to wait")
        children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
        try:
            os.kill(read_info(path).recorder_pid, signal.SIGUSR1)
            wait_for(lambda: read_info(path).status == "stopped", "the session to be stopped")

            assert program.poll() is None
        finally:
            for child in children:
                os.kill(int(child), signal.SIGKILL)
    stopped = [e for e in read_events(path) if e.data.get("op") == "stop"]
    files = {
        (Path(e.data["file"]).name, e.pid == program.pid): e.data["file_write_bytes"]
        for e in stopped
        if e.source == "fs.close" and e.data["file"].endswith(".log")
    }
    assert files == {
        ("waits.log", True): 5,
        ("inherited.log", True): 0,
        ("inherited.log", False): 6,
    }
    flows = sorted(
        (e.data["net_transport"], e.data["net_bytes_sent"], e.data["net_bytes_recv"])
        for e in stopped
        if e.source == "net.close"
    )
    assert flows == [("IP.TCP", 0, 4), ("IP.TCP", 4, 0), ("IP.UDP", 5, 0)]
    assert {e.data["net_close_reason"] for e in stopped if e.source == "net.close"} == {"stop"}
    with open_session(path) as session:
        sent = [m.value for m in session.metrics(name=["net.tx"])]
        connections = [m.value for m in session.metrics(name=["net.tcp"])]
    assert sum(sent) == 9
    assert connections[-1] == 2
