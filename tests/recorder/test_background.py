from __future__ import annotations

import sqlite3
import stat
import subprocess
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from scopetrace import capture
from scopetrace.model.file_record import FileRecord
from scopetrace.query import open_session
from scopetrace.recorder import background
from scopetrace.streams import text
from support.harness import (
    Stage,
    only,
    read_events,
    read_info,
    scopetrace_command,
    session_files,
    wait_for,
)
from support.interpreter import python

FAULTY = """
import sys
from scopetrace.cli import main
from scopetrace.recorder import background

turns = iter(range(10))

class Pipeline(background.Pipeline):
    def tick(self, now_ns):
        if next(turns, 10) == 3:
            raise RuntimeError("a fault")
        super().tick(now_ns)

background.Pipeline = Pipeline
sys.exit(main(sys.argv[1:]))
"""
"""scopetrace with a fault in its recorder that shows after a moment."""
PROGRAM = "for i in 1 2 3 4; do sleep 0.1; cat /etc/passwd > /dev/null; echo $i; done; exit 4"


def test_a_fault_of_the_recorder_ends_the_recording_and_not_the_program(stage: Stage) -> None:
    home = stage.new_home()

    ending = stage.run([python(), "-P", "-c", FAULTY, "run", "sh", "-c", PROGRAM], umask=0)

    path = only(session_files(home))
    assert (ending.stdout, ending.status) == (b"1\n2\n3\n4\n", 4)
    assert ending.stderr.decode() == (
        "scopetrace: recording ended by a fault of scopetrace (RuntimeError: a fault); the program"
        f" runs on. Please report {path}.fault.txt\n"
    )
    assert wait_for(lambda: read_info(path).status, "a status") == "incomplete"
    report = path.with_name(f"{path.name}.fault.txt")
    assert "RuntimeError: a fault" in report.read_text()
    assert modes(path.parent) == {path.name: 0o600, report.name: 0o600, ".last-id": 0o600}


LARGE = """
import sys
from scopetrace.cli import main
from scopetrace.store import writer

writer.LARGE_EVENTS = 10
sys.exit(main(sys.argv[1:]))
"""
"""scopetrace that takes ten events for many."""


def test_a_large_session_keeps_what_its_events_say(stage: Stage) -> None:
    home = stage.new_home()
    ending = stage.run([python(), "-P", "-c", LARGE, "run", "sh", "-c", "echo x > a; mv a b"])
    stage.finished(home, ending)
    (path,) = session_files(home)
    before = files_of(path)

    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        kinds = {kind for (kind,) in db.execute("SELECT kind FROM answer")}
        assert kinds == {"FileRecord", "FlowRecord", "NameRecord"}
        db.execute("DELETE FROM answer")
    assert files_of(path) == before
    assert {str(stage.work / "b")} <= {file.path for file in before}


def files_of(path: Path) -> list[FileRecord]:
    with open_session(path) as session:
        return session.files()


def test_only_the_owner_may_read_what_was_recorded(stage: Stage) -> None:
    config = f"event: {{transport: {{type: file, path: {stage.work}/events.json}}}}"

    stage.record(["/bin/true"], umask=0, config=config)

    (path,) = session_files(stage.home)
    assert modes(path.parent) == {path.name: 0o600, ".last-id": 0o600}
    assert modes(stage.work) == {"events.json": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of each file, but for those that a log of SQLite has for a moment."""
    files = [path for path in folder.iterdir() if "-" not in path.suffix]
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}


def test_no_text_waits_longer_than_promised() -> None:
    """100 ms: whole lines in the ring and for a commit, an unfinished one before it is reported."""
    waits_ns = capture.READ_TIMEOUT_MS * background.MILLISECOND_NS + background.COMMIT_INTERVAL_NS
    assert waits_ns < 100_000_000
    assert text.LONGEST_NS < 100_000_000


class Simulation:
    """A recorder's loop with a clock of its own: reading waits no longer than it is reported to."""

    setback = ""

    def __init__(
        self, monkeypatch, made_at_ms: Iterable[int], until_ms: int, has_more: bool = False
    ) -> None:
        self.now_ns = 0
        self.until_ns = until_ms * background.MILLISECOND_NS
        self.due = [at * background.MILLISECOND_NS for at in made_at_ms]
        self.fed: list[int] = []
        self.committed: list[tuple[int, int]] = []
        """When, and when the oldest of what was committed had been made."""
        self.ticks: list[int] = []
        """Up to when time passed for the pipeline."""
        self.engine = SimpleNamespace(acknowledge=bool, flush_tallies=bool, has_more=has_more)
        self.pipeline = SimpleNamespace(
            main=None,
            feed=self.feed,
            tick=self.ticks.append,
            due_ns=None,
            sync_requested=False,
            record_ns=0,
        )
        monkeypatch.setattr(background.time, "monotonic_ns", lambda: self.now_ns)
        recorder = object.__new__(background.Recorder)
        recorder.__dict__ |= {
            "_capture": self,
            "_pipeline": self.pipeline,
            "_writer": self,
            "_forwarding": None,
            "_live_calls": None,
            "_committed_ns": 0,
            "_uncommitted": False,
            "_period_ns": 0,
            "_told_ns": 0,
        }
        recorder._record()

    @property
    def ended(self) -> bool:
        return self.now_ns >= self.until_ns

    def read(self, timeout_ms: int = capture.READ_TIMEOUT_MS) -> bytes:
        """Wait as the engine does: it returns when the time is up, with what came meanwhile."""
        self.now_ns += max(timeout_ms, 1) * background.MILLISECOND_NS
        ready = [at for at in self.due if at <= self.now_ns]
        self.due = self.due[len(ready) :]
        self.fed += ready
        return b"x" * len(ready)

    def feed(self, batch: bytes) -> None:
        assert batch
        self.pipeline.record_ns = self.fed[-1]

    def commit(self) -> None:
        if self.fed:
            self.committed.append((self.now_ns, self.fed[0]))
            self.fed.clear()


@pytest.mark.parametrize(
    "made_at_ms",
    [[5], [5, 6, 7], range(0, 2000, 3), range(0, 2000, 70), [1, 39, 41, 82, 500, 501, 1200]],
)
def test_what_a_program_did_is_committed_within_100_ms(monkeypatch, made_at_ms) -> None:
    """Whether it goes on or waits: with a clock that stands still while nothing is waited for."""
    simulation = Simulation(monkeypatch, made_at_ms, until_ms=3000)

    assert simulation.fed == []
    assert simulation.committed
    for at_ns, oldest_ns in simulation.committed:
        assert at_ns - oldest_ns <= 100 * background.MILLISECOND_NS


def test_a_busy_program_does_not_make_a_commit_for_each_of_its_calls(monkeypatch) -> None:
    simulation = Simulation(monkeypatch, range(1000), until_ms=1100)

    assert 10 <= len(simulation.committed) <= 30


def test_what_a_program_did_is_seen_while_it_waits(stage: Stage) -> None:
    home = stage.new_home()
    command = scopetrace_command("run", "sh", "-c", "echo before; read line; echo after")
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=stage.work,
        env=stage.environment(),
        **stage.become(),
    ) as program:
        path = wait_for(lambda: only(session_files(home)), "a session")
        wait_for(lambda: messages(path) == ["before\n"], "the first line")
        assert read_info(path).status == "running"
        program.communicate(b"\n")
    wait_for(lambda: messages(path) == ["before\n", "after\n"], "the second line")


def messages(path: Path) -> list[str]:
    return [event.data["message"] for event in read_events(path) if event.source == "stdout"]


@pytest.mark.parametrize("has_more", [False, True])
def test_while_records_wait_time_passes_up_to_the_last_that_was_read(monkeypatch, has_more) -> None:
    made_at_ms = range(7, 2000, 30)

    simulation = Simulation(monkeypatch, made_at_ms, until_ms=2000, has_more=has_more)

    made_ns = {at * background.MILLISECOND_NS for at in made_at_ms}
    assert len(simulation.ticks) > 10
    assert all((tick in made_ns) is has_more for tick in simulation.ticks)
