"""Runs programs under `scopetrace run`, as users do, and without it, so that both can be compared.

A `Stage` is where one test happens: a folder that the user of that test owns, with `work` as the
working folder of every program. Nothing here looks into scopetrace: a session is read through
`scopetrace.open_session`, as anybody would.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import scopetrace
from scopetrace.db.running import started_ticks
from scopetrace.model.event import EventRecord
from scopetrace.model.session import SessionInfo
from support.described import check_described
from support.interpreter import path_to_us, python

GROUP, OTHER_GROUP = 65_533, 65_532
"""The groups of the user without privileges (65534)."""
PATIENCE = 90
"""Seconds after which a program or a recorder that should have ended is called stuck."""

Compile = Callable[..., Path]
"""compile_tracee(name, *flags, compiler="gcc"): the path of the program made from tracees/NAME.c"""
Argv = Sequence[str | Path]
T = TypeVar("T")


@dataclass(frozen=True)
class Ending:
    """What a shell would see of a program."""

    stdout: bytes
    stderr: bytes
    status: int
    """Exit status; -N if signal N ended it."""


@dataclass(frozen=True)
class Recording:
    """A finished session, and how its program ended."""

    ending: Ending
    info: SessionInfo
    events: list[EventRecord]

    def of(self, *sources: str, file: str | None = None) -> list[EventRecord]:
        """Return the events of these sources (fs.open…) or sourcetypes, in their order."""
        return [
            event
            for event in self.events
            if (event.source in sources or event.sourcetype in sources)
            and (file is None or event.data.get("file") == file)
        ]

    def files(self, *sources: str) -> set[str]:
        """Return the names of the files that these events are about."""
        return {event.data["file"] for event in self.of(*(sources or ("fs.open",)))}

    def messages(self, source: str) -> str:
        """Return all that was written to a log file, stdout or stderr."""
        return "".join(e.data["message"] for e in self.events if e.source == source)

    def expected(self) -> list[dict[str, Any]]:
        """Return the events that a tracee says it caused (see tracees/expect.h)."""
        lines = self.ending.stdout.splitlines()
        return [json.loads(line) for line in lines if line.startswith(b"{")]


@dataclass
class Stage:
    """One test's folder, its user, and the programs that run there."""

    folder: Path
    uid: int | None
    """The user to become; None: the one we are."""
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """Where programs start."""
        return self.folder / "work"

    @property
    def home(self) -> Path:
        """Where sessions are kept."""
        return self.folder / "home"

    def prepare(self) -> None:
        """Make an empty working folder, again if there was one."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.give(self.work)

    def become(self) -> dict[str, Any]:
        """Return the options of `subprocess` that start a program as the user of this stage.

        No number is another's: else a group reported as a user, say, would look right.
        """
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": GROUP, "extra_groups": [OTHER_GROUP]}

    def give(self, folder: Path) -> Path:
        """Make a folder that belongs to the stage's user."""
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        if self.uid is not None:
            os.chown(folder, self.uid, GROUP)
        return folder

    def environment(self) -> dict[str, str]:
        """Return the environment of programs: ours, without what would configure scopetrace.

        SCOPE_GATE stays: `SCOPE_GATE=auto make test` has all programs make calls in the gate.
        COLUMNS, which xdist sets, would wrap what is written to a pipe.
        """
        inherited = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("SCOPE", "PYTEST_", "COLUMNS")) or k == "SCOPE_GATE"
        }
        ours = {
            "HOME": str(self.folder),
            "SCOPETRACE_HOME": str(self.home),
            "STARTER": str(os.getpid()),
        }
        return inherited | ours | path_to_us() | self.environ

    def run(self, argv: Argv, **options: Any) -> Ending:
        """Run a program to its end. Options are those of `subprocess.run`."""
        if self.uid is not None:
            options |= self.become()
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        options = {"cwd": self.work, "env": self.environment(), "timeout": PATIENCE} | options
        done = subprocess.run([*map(str, argv)], capture_output=True, **options)
        return Ending(done.stdout, done.stderr, done.returncode)

    def new_home(self) -> Path:
        """Make an empty folder for sessions, again if there was one."""
        shutil.rmtree(self.home, ignore_errors=True)
        return self.give(self.home)

    def record(self, argv: Argv, *, config: str | None = None, **options: Any) -> Recording:
        """Run a program under `scopetrace run` and return its session when it is finished."""
        home = self.new_home()
        arguments: list[str] = []
        if config is not None:
            (home / "scope.yml").write_text(config)
            arguments = ["-u", str(home / "scope.yml")]
        ending = self.run(scopetrace_command("run", *arguments, "--", *argv), **options)
        return self.finished(home, ending)

    def finished(self, home: Path, ending: Ending) -> Recording:
        """Wait until the session of a home is finished, check it, and read it."""
        path = wait_for(lambda: only(session_files(home)), f"a session ({ending})")
        wait_for(lambda: read_info(path).status != "running", "the recorder to finish")
        recorder = read_info(path).recorder_pid
        wait_for(lambda: started_ticks(recorder) is None, "the recorder to end")
        recording = Recording(ending, read_info(path), read_events(path))
        check(path, recording)
        return recording

    def compare(self, argv: Argv, **options: Any) -> Recording:
        """Run a program natively and recorded; everything a shell sees must be the same."""
        config = options.pop("config", None)
        self.prepare()
        native = self.run(argv, **options)
        self.prepare()
        recording = self.record(argv, config=config, **options)
        assert comparable(recording.ending) == comparable(native)
        return recording


def scopetrace_command(*arguments: str | Path) -> list[str]:
    """Return the command line that starts scopetrace, for any user."""
    return [python(), "-P", "-m", "scopetrace", *map(str, arguments)]


def comparable(ending: Ending) -> Ending:
    """Take out what differs between any two runs: the process ids in lines that tell events."""
    stdout = re.sub(rb'("(?:child_)?pid": )\d+', rb"\1N", ending.stdout)
    return Ending(stdout, ending.stderr, ending.status)


def check(path: Path, recording: Recording) -> None:
    """Demand what must be true of every session."""
    ending, info = recording.ending, recording.info
    assert info.status == "finished", info
    assert info.lost == 0, info
    if ending.status < 0:
        assert info.signal == -ending.status
    else:
        assert info.exit_code == ending.status
    assert info.events == len(recording.events)
    check_described(recording.events)
    with sqlite3.connect(path) as file:
        assert file.execute("pragma integrity_check").fetchone() == ("ok",)
    file.close()


def read_info(path: Path) -> SessionInfo:
    """Return what is known about a session now."""
    with scopetrace.open_session(path) as session:
        return session.info


def read_events(path: Path) -> list[EventRecord]:
    """Return all events of a session in the order they were recorded."""
    with scopetrace.open_session(path) as session:
        return sorted(session.events(), key=lambda event: event.id)


def wait_for(condition: Callable[[], T], what: str) -> T:
    """Return a condition's value once it is true.

    It is not looked at more often: root, who reads the session of another user in its first
    milliseconds, may be the one who makes the -wal file, which the recorder then cannot write.
    """
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return value


def session_files(home: Path) -> list[Path]:
    """Return the session files of a home; one that is still being made begins with a dot."""
    return sorted(home.glob("sessions/[1-9]*.db"))


def only(paths: Iterable[Path]) -> Path | None:
    """Return the one path, or None as long as there is none."""
    found = list(paths)
    assert len(found) < 2, found
    return found[0] if found else None


def flat(event: EventRecord) -> dict[str, Any]:
    """Return an event as tracees tell it: its data beside its source, sourcetype and pid."""
    named = {"source": event.source, "sourcetype": event.sourcetype}
    named |= {"pid": event.pid, "proc": event.proc}
    return event.data | named


def assert_holds(
    recording: Recording,
    told: list[dict[str, Any]],
    *,
    folder: Path,
    ordered: bool,
    uncounted: tuple[str, ...] = (),
) -> None:
    """Demand that the session holds each event told, and no other about files of `folder`.

    That is demanded of fs.error, and of those fs sources of which at least one event was told; but
    not of the files `uncounted`.
    """
    recorded = [flat(event) for event in recording.events]
    used: set[int] = set()
    start = 0
    for event in told:
        at = find(event, recorded, used, start)
        assert at is not None, f"not recorded: {event}\n{nearest(event, recorded)}"
        used.add(at)
        start = at + 1 if ordered else 0
    sources = {event["source"] for event in told if event["source"].startswith("fs.")}
    sources.add("fs.error")
    passed_over = {f"{folder}/{name}" for name in uncounted}
    assert [
        event
        for at, event in enumerate(recorded)
        if at not in used
        and event["source"] in sources
        and within(event["file"], folder)
        and event["file"] not in passed_over
    ] == []


def find(
    wanted: dict[str, Any], events: list[dict[str, Any]], used: set[int], start: int
) -> int | None:
    """Return the place of the first event from `start` that has all that is wanted."""
    for at in range(start, len(events)):
        if at not in used and all(events[at].get(key) == wanted[key] for key in wanted):
            return at
    return None


def nearest(wanted: dict[str, Any], events: list[dict[str, Any]]) -> str:
    """Return the events of that source that could have been meant, for the reader of a failure."""
    alike = [e for e in events if e["source"] == wanted["source"]]
    same = [e for e in alike if e.get("file") == wanted.get("file")]
    return "\n".join(f"  recorded: {event}" for event in (same or alike)[:20])


def within(file: str, folder: Path) -> bool:
    """Tell whether a name, which may be no path at all, is one in that folder."""
    return file.startswith(f"{folder}/")
