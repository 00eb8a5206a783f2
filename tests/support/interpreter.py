"""The Python that every user of these tests can start, with the package and what tests need.

Usually that is the one that runs the tests. Root's own may lie where others cannot reach it, in a
home of mode 0700 for instance (as pyenv puts it): then a second virtual environment is made in the
shared folder of the test run, from a python3 of the system that others can start. It has the very
package that is tested, since an extension of the stable ABI fits every later Python.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import scopetrace

NOBODY = 65534
PYTHON = Path(sys.executable)
PACKAGE = Path(scopetrace.__file__).parent
PROJECT = Path(__file__).parents[2] / "pyproject.toml"
SYSTEM = ("/usr/local/bin", "/usr/bin", "/bin")
USABLE = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
NOT_RECORDED = ("capstone", "cython", "hypothesis", "mypy", "pandas", "setuptools")
"""What only tests import, and no program that they record: large, and of no use there."""
SHARED = "TESTS_OF_SCOPETRACE"
"""The variable that names the shared folder of a test run to all its worker processes."""


@cache
def python() -> str:
    """Return the interpreter that programs of tests are to use, whoever runs them.

    Skips the test if there is none that both root and others can start.
    """
    if os.geteuid() or starts(sys.executable, "import scopetrace.cli"):
        return sys.executable
    made = Path(os.environ[SHARED]) / "python"
    with (made.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            build(made)
    return str(made / "bin" / "python3")


def path_to_us() -> dict[str, str]:
    """Return what an interpreter needs to find the package if it is not installed."""
    return {} if PACKAGE.parent.name == "site-packages" else only_path_to_us()


def only_path_to_us() -> dict[str, str]:
    """Return an environment in which an interpreter finds our package, without `site` (-S) too."""
    return {"PYTHONPATH": str(PACKAGE.parent), "PYTHONSAFEPATH": "1"}


def starts(command: str | Path, script: str) -> bool:
    """Tell whether a user without privileges can run a script with this interpreter."""
    try:
        done = subprocess.run(
            [command, "-P", "-c", script],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            env=os.environ | path_to_us(),
            cwd="/",
            capture_output=True,
            check=False,
        )
    except OSError:  # it, or a folder on the way to it, is closed to others
        return False
    return done.returncode == 0


def candidates() -> Iterator[Path]:
    """Yield the interpreters of this machine that others can start and that can make a venv."""
    folders = dict.fromkeys((*SYSTEM, *os.environ["PATH"].split(os.pathsep)))
    for folder in folders:
        if starts(Path(folder, "python3"), USABLE):
            yield Path(folder, "python3")


def build(target: Path) -> None:
    """Make a virtual environment that others can use, with the package and its requirements."""
    base = next(candidates(), None)
    if base is None:
        pytest.skip(f"no python3 >= 3.11 with venv that other users can start ({PYTHON} is closed)")
    half = target.with_suffix(".half")
    subprocess.run([base, "-m", "venv", half], check=True)
    project = tomllib.loads(PROJECT.read_text())["project"]
    extra = [
        each
        for each in project["optional-dependencies"]["test"]
        if not each.startswith(NOT_RECORDED)
    ]
    wanted = [*project["dependencies"], *extra]
    pip = [half / "bin" / "python3", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", *wanted], check=True)
    (packages,) = half.glob("lib/python3*/site-packages")
    shutil.copytree(PACKAGE, packages / PACKAGE.name)
    subprocess.run(["chmod", "--recursive", "a+rX", half], check=True)
    half.rename(target)  # a venv can be moved, but for the scripts in bin/
