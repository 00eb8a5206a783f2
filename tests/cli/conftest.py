from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scopetrace.cli import main
from scopetrace.model.event import Event
from scopetrace.model.process import Process
from scopetrace.store.sessions import SessionStore
from scopetrace.store.writer import SessionWriter

STARTED_NS = 1_783_822_275_000_000_000
"""2026-07-12 02:11:15 UTC."""
SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An own place for sessions, no configuration of anybody's, and UTC."""
    monkeypatch.setenv("SCOPETRACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("SCOPE_CONF_PATH", raising=False)
    monkeypatch.chdir(tmp_path)
    time.tzset()
    yield tmp_path / "home"
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def scopetrace(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call the command line in this process; return its status, its output and its errors."""

    def call(*args: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(args)
        return (status, *capsys.readouterr())

    return call


class Recorder:
    """Writes session files as a recorder does; this very process poses as the one of each."""

    def __init__(self, home: Path) -> None:
        self._store = SessionStore(home)

    @staticmethod
    def process(id: int = 1, pid: int = 70, proc: str = "python3", **changes: Any) -> Process:
        image = Process(
            id=id,
            pid=pid,
            ppid=os.getpid(),
            parent=0,
            started_ns=STARTED_NS,
            proc=proc,
            cmd=f"{proc} log.py",
            args=(proc, "log.py"),
            exe=f"/usr/bin/{proc}",
            cwd="/home/ann",
            uid=1000,
            gid=1001,
            username="ann",
            groupname="staff",
        )
        return image._replace(**changes)

    @staticmethod
    def event(
        source: str, sourcetype: str = "fs", at: float = 0, process: int = 1, **data: Any
    ) -> Event:
        """Return an event `at` seconds after the session's start."""
        time_ns = STARTED_NS + int(at * SECOND)
        return Event(time_ns, process, 70, sourcetype, source, 0, data)

    def start(self, command: str = "python3", **facts: Any) -> SessionWriter:
        facts = {"pid": 70, "started_ns": STARTED_NS, "host": "box", **facts}
        args = facts.pop("args", (command, "log.py"))
        writer = self._store.create(command, args, **facts)
        writer.add_process(self.process())
        writer.commit()
        return writer

    def record(self, *events: Event, command: str = "python3", **facts: Any) -> SessionWriter:
        """Write a whole session, finished a second after it started."""
        writer = self.start(command, **facts)
        writer.add_events(events)
        end = {"ended_ns": STARTED_NS + SECOND, "exit_code": 0, "status": "finished"}
        writer.finish(**{**end, **{key: facts[key] for key in end.keys() & facts.keys()}})
        return writer


@pytest.fixture
def recorder(home: Path) -> Recorder:
    return Recorder(home)
