"""A copy of the checkout, built in place, where code is altered and tests are run."""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

PLUGINS = Path(__file__).parent
ROOT = PLUGINS.parent.parent
LIMIT_S = 1800
"""After which a run of tests is ended. A test that hangs ends long before, by its own limit."""
NO_TEST = "*"
"""The name of a failure of pytest itself, as when an import fails, or our plugin."""
PASSED = (0, 5)
"""Statuses of pytest if no test failed: all passed, or none was chosen."""
RAN = (*PASSED, 1)
"""Its statuses if it did what it was asked for."""
PR_SET_CHILD_SUBREAPER = 36
WRITE_STOCK = "from scopetrace.config.stock import BUILT, write_built; write_built(BUILT)"
COMPILES = re.compile(r" (?:-c (\S+\.c)|-shared) ")


class Mutant(NamedTuple):
    """One alteration of one file."""

    path: str
    """Relative to the checkout."""
    line: int
    """Counted from 1."""
    what: str
    """What was altered, for a reader: `a < b -> a <= b`."""
    text: str
    """The whole file as altered."""


class Stage:
    """A folder with the files that git knows, and the extension built among them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = ["git", "ls-files", "-z"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            self._copy(name)
        parsed = shlex.join([sys.executable, "-c", WRITE_STOCK])
        if not self._compilers or not self._succeeds(parsed):
            raise SystemExit("the checkout does not build")

    def alter(self, mutant: Mutant) -> bool:
        """Put the altered file in place; return whether it can be built."""
        (self._folder / mutant.path).write_text(mutant.text)
        return self._build(mutant.path)

    def restore(self, mutant: Mutant) -> None:
        """Put the file back as it is in the checkout."""
        self._copy(mutant.path)
        self._build(mutant.path)

    def first_failure(self, jobs: int, arguments: Sequence[str], without: Sequence[str]) -> str:
        """Run tests until one fails and return its name; nothing if all others pass."""
        names = self._folder / "failures"
        names.write_text("")
        left_out = [f"--deselect={test}" for test in without]
        status = self._pytest("-x", "-n", str(jobs), *arguments, *left_out, failures=names)
        failed = [*names.read_text().splitlines(), *([] if status in PASSED else [NO_TEST])]
        return next((test for test in failed if test not in without), "")

    def fails(self, test: str, group: Sequence[str]) -> bool:
        """Run one test of a group alone; return whether it failed."""
        return (
            self._pytest(*group) not in RAN if test == NO_TEST else self._pytest(test) not in PASSED
        )

    def _pytest(self, *arguments: str, failures: Path | None = None) -> int:
        """Run pytest and return its status; end what its tests have left behind."""
        command = [sys.executable, "-P", "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider"]
        environ = os.environ | {"PYTHONPATH": f"{self._folder}:{PLUGINS}"}
        if failures:
            command += ["-p", "failures"]
            environ["FAILURES"] = str(failures)
        with subprocess.Popen(
            [*command, *arguments], cwd=self._folder, env=environ, stdout=subprocess.DEVNULL
        ) as tests:
            try:
                return tests.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                return -signal.SIGKILL
            finally:
                end_children()

    def _copy(self, name: str) -> None:
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)

    def _build(self, name: str) -> bool:
        """Compile a C file and link it with the others; return whether that was possible."""
        if not name.endswith(".c"):
            return True
        commands = (self._compilers[name], self._compilers[None], "cp -r build/lib/. .")
        return all(self._succeeds(command) for command in commands)

    def _succeeds(self, command: str) -> bool:
        done = subprocess.run(shlex.split(command), cwd=self._folder, capture_output=True)
        return done.returncode == 0

    @cached_property
    def _compilers(self) -> dict[str | None, str]:
        """Build all; return the command that compiled each C file, and at None the one that linked.

        setup.py would compile all files for a change in one.
        """
        command = [sys.executable, "setup.py", "build_ext", "--inplace", "--build-lib=build/lib"]
        environ = os.environ | {"UNCOMPILED": "1"}  # Python runs as it is altered
        done = subprocess.run(
            command, cwd=self._folder, env=environ, capture_output=True, text=True
        )
        lines = done.stdout.splitlines() if done.returncode == 0 else []
        return {found[1]: line for line in lines if (found := COMPILES.search(line))}


def files_below(folders: Sequence[str], suffix: str) -> list[str]:
    """Return the files of the checkout in these folders whose names end so."""
    found = (path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}"))
    return sorted({str(path.relative_to(ROOT)) for path in found})


def adopt_orphans() -> None:
    """Become the parent of processes that children leave behind (recorders, stuck programs)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_children() -> None:
    """End all children, and those whom they leave to us, until there is none."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while pids := children.read_text().split():
        for pid in map(int, pids):
            os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_ALL, 0, os.WEXITED)
