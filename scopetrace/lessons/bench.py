"""The folder in which a lesson happens: its programs, made ready to run, and its sessions."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from scopetrace.db.running import started_ticks
from scopetrace.errors import UsageError
from scopetrace.lessons.course import TEXT
from scopetrace.query import open_session
from scopetrace.query.session import Session

SCOPETRACE = "scopetrace"
HOME, COLUMNS = "SCOPETRACE_HOME", "COLUMNS"
"""The variables that say where sessions are kept, and how wide text is that is wrapped."""
COMPILERS = ("cc", "gcc", "clang")
PATIENCE_S = 60
"""A program of a lesson that takes longer is ended."""
RECORDER_PATIENCE_S, POLL_S = 30, 0.01
EXECUTABLE = 0o755


Answer = Callable[[list[str]], "str | None"]
"""Runs a command of scopetrace in this process and returns what it wrote; None: it cannot."""


class Bench:
    """Where a lesson happens.

    Args:
        folder: of the lesson.
        work: an empty folder, the working folder of this process.
        answer: runs commands that show something.
    """

    def __init__(self, folder: Path, work: Path, answer: Answer) -> None:
        self.work = work
        self.has_session = False
        self.twins: dict[str, str] = {}
        """Source in C → that in Python of which its program was made, for lack of a compiler."""
        self._answer = answer
        for file in folder.iterdir():
            if file.is_file() and file.name != TEXT:
                shutil.copy(file, work)
        for source in [*work.glob("*.c"), *work.glob("*.py")]:
            made_of = _make(source)
            if made_of != source:
                self.twins[source.name] = made_of.name

    def run(self, command: str) -> str:
        """Record a command with its system calls; return what it wrote."""
        command_line = [*_ourselves(), "run", "--syscalls", "-q", "--", *shlex.split(command)]
        written = self._start(command_line)
        self.has_session = True
        self._await_recorder()
        return written

    def _await_recorder(self) -> None:
        """Wait until the session is whole and its recorder writes no more, or does not end."""
        with self.session() as session:
            recorder = session.info.recorder_pid
        deadline = time.monotonic() + RECORDER_PATIENCE_S
        while started_ticks(recorder) is not None and time.monotonic() < deadline:
            time.sleep(POLL_S)

    def look(self, command: str) -> str:
        """Run a command of scopetrace that shows something; return what it wrote.

        Raises:
            UsageError: it is another command.
        """
        words = shlex.split(command)
        if words[:1] != [SCOPETRACE]:
            raise UsageError(f"this is no command of {SCOPETRACE}: {command}")
        shown = self._answer(words[1:])
        return self._start([*_ourselves(), *words[1:]]) if shown is None else shown

    def session(self) -> Session:
        """Return the session of the last program, to be closed by the caller."""
        return open_session()

    def _start(self, argv: list[str]) -> str:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            return (
                f"{(late.stdout or b'').decode(errors='replace')}\n(ended after {PATIENCE_S} s)\n"
            )
        return done.stdout.decode(errors="replace")


@contextmanager
def work_folder(columns: int) -> Iterator[Path]:
    """Make a temporary folder, with a place for sessions, the working folder for a while.

    Args:
        columns: of what commands show.
    """
    before = {name: os.environ.get(name) for name in (HOME, COLUMNS)}
    with tempfile.TemporaryDirectory(
        prefix="scopetrace-lesson-", ignore_cleanup_errors=True
    ) as made:
        work = Path(made).resolve()
        os.environ.update({HOME: str(work / ".sessions"), COLUMNS: str(columns)})
        try:
            with chdir(work):
                yield work
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


def _ourselves() -> list[str]:
    return [sys.executable, "-P", "-m", SCOPETRACE]


def compilers() -> Iterator[list[str]]:
    """Yield the C compilers of this machine as commands: the one in CC, or else the usual ones.

    CC may have arguments (`ccache gcc`), as make(1) takes it; an empty one means none at all.
    """
    chosen = os.environ.get("CC")
    for command in [[name] for name in COMPILERS] if chosen is None else [shlex.split(chosen)]:
        if command and shutil.which(command[0]):
            yield command


def _make(source: Path) -> Path:
    """Make a program of its source, and return that: C where it can be compiled, else Python."""
    program, twin = source.with_suffix(""), source.with_suffix(".py")
    if program.exists() or (source.suffix == ".c" and _compile(source, program)):
        return source
    if not twin.exists():
        return source
    program.write_text(f"#!{sys.executable} -IS\n{twin.read_text()}")
    program.chmod(EXECUTABLE)
    return twin


def _compile(source: Path, program: Path) -> bool:
    for compiler in compilers():
        command = [*compiler, "-pthread", "-o", str(program), str(source)]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return True
    return False
