"""A unit of a foreign suite (a script, a module of tests), run natively and recorded.

Each run has an empty folder as TMPDIR, and as working folder if the unit has no other; nothing
lasts but what it wrote. A run that takes too long is ended with all that it started.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from suites.verdicts import LATE, Result, Verdicts

NATIVE, TRACED, GATED, EAGER = "native", "traced", "gated", "eager"
SCOPETRACE = (sys.executable, "-P", "-m", "scopetrace", "run")
MODES: Mapping[str, tuple[str, ...]] = {
    NATIVE: (),
    TRACED: (*SCOPETRACE, "--no-gate", "--"),
    GATED: (*SCOPETRACE, "--"),
    EAGER: (*SCOPETRACE, "--"),
}
"""Mode → the command that a unit's own follows. `eager` has the gate from the first call on."""


def _nothing(_: Path) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Unit:
    """What is run at a time."""

    name: str
    argv: Sequence[str | Path]
    read: Callable[[Result], Verdicts]
    cwd: Path | None = None
    """None: the folder of the run."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """{folder} in a value is the folder of the run; so it is in `argv`."""
    prepare: Callable[[Path], None] = _nothing
    """Fills the folder of a run."""
    limit_s: int = 300

    def verdicts(self, mode: str) -> Verdicts:
        """Run it once."""
        folder = Path(mkdtemp(prefix=f"{self.name.replace('/', '-')}-{mode}-"))
        try:
            return self.read(self._run(folder, mode))
        finally:
            shutil.rmtree(folder, onerror=_make_removable)

    def _run(self, folder: Path, mode: str) -> Result:
        work = folder / "work"
        work.mkdir()
        self.prepare(work)
        argv = [*MODES[mode], *(str(each).replace("{folder}", str(work)) for each in self.argv)]
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(
                argv,
                cwd=self.cwd or work,
                env=self._environment(folder, work, mode),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            status = _wait(process, self.limit_s)
        text = (folder / "output").read_text(errors="replace").replace(str(folder), "FOLDER")
        return Result(text, status, work)

    def _environment(self, folder: Path, work: Path, mode: str) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("SCOPE")}
        ours = {"TMPDIR": str(work), "HOME": str(work), "SCOPETRACE_HOME": str(folder / "home")}
        if mode == EAGER:
            ours["SCOPE_GATE"] = "eager"
        own = {k: v.replace("{folder}", str(work)) for k, v in self.environ.items()}
        return inherited | ours | own


def _wait(process: subprocess.Popen[bytes], limit_s: int) -> int:
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return LATE
    finally:
        _end_session(process.pid)
        process.wait()


def _end_session(leader: int) -> None:
    """Kill what is left of a session, group after group."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[3]) == leader and int(entry.parent.name) != os.getpid():
                os.kill(int(entry.parent.name), signal.SIGKILL)
        except (OSError, IndexError):
            continue


def _make_removable(_: object, path: str, __: object) -> None:
    """Remove what stands in a folder that a test left without rights."""
    target = Path(path)
    target.parent.chmod(0o700)
    if target.is_dir() and not target.is_symlink():
        target.chmod(0o700)
        shutil.rmtree(target, ignore_errors=True)
    elif target.exists() or target.is_symlink():
        target.unlink()
