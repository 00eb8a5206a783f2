"""A copy of the checkout, built in place, where code is altered and the tests are run on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 1200
"""After which a run of the tests is stuck, as an endless loop leaves it: that is noticing, too."""


class Mutant(NamedTuple):
    """One alteration of one file."""

    path: str
    """Relative to the checkout."""
    line: int
    """Counted from 1."""
    what: str
    """What was altered, for a reader: `a < b` becomes `a <= b`."""
    text: str
    """The whole file as altered."""


class Stage:
    """A folder with the files that git knows, and the extension built among them."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self.folder = folder
        self._jobs = str(jobs)
        names = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
        for name in filter(None, names.split("\0")):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        if not self.build():
            raise SystemExit("the checkout does not build")

    def build(self) -> bool:
        """Build the extension; return whether that was possible."""
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", "--force"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
        return done.returncode == 0

    def run(self, *tests: str) -> str:
        """Return the first test that fails, or the word `timeout`; nothing if all pass."""
        command = [sys.executable, "-P", "-m", "pytest", "-n", self._jobs, "-x", "-q", *tests]
        command += ["-p", "no:cacheprovider", "--tb=no", "-rfE"]
        environ = os.environ | {"PYTHONPATH": str(self.folder)}
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
                timeout=LIMIT_S,
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        if done.returncode == 0:
            return ""
        failures = [at for at in done.stdout.splitlines() if at.startswith(("FAILED", "ERROR"))]
        return failures[0].partition(" - ")[0] if failures else f"pytest exit {done.returncode}"

    def alter(self, mutant: Mutant) -> None:
        """Put the altered file in place."""
        (self.folder / mutant.path).write_text(mutant.text)

    def restore(self, mutant: Mutant) -> None:
        """Put the file back as it is in the checkout."""
        shutil.copy2(ROOT / mutant.path, self.folder / mutant.path)
