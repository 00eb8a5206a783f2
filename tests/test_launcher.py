"""The command `scopetrace`: what is meant for the program does not reach its own interpreter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import click
import pytest

from scopetrace.cli.commands import ALIASES, COMMANDS, NAMES_TO_COME
from scopetrace.cli.run import run

COMMAND = Path(sys.executable).with_name("scopetrace")
ENVIRONMENT = ("/usr/bin/env", "-0")


def outcome(home: Path, *args: str | Path, **variables: str) -> tuple[int, bytes, bytes]:
    """Return the status and the output of a command."""
    environ = {"PATH": os.environ["PATH"], "SCOPETRACE_HOME": str(home), **variables}
    done = subprocess.run(args, env=environ, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "variable",
    [
        "PYTHONHOME=/nowhere",
        "PYTHONUTF8=7",
        "PYTHONHASHSEED=none",
        "PYTHONIOENCODING=none",
        "PYTHONVERBOSE=1",
        "PYTHONINSPECT=1",
        "PYTHONUSERBASE=/nowhere",
        "LD_PRELOAD=/nowhere.so",
        "LD_DEBUG=statistics",
    ],
)
def test_a_variable_is_for_the_program_alone(tmp_path: Path, variable: str) -> None:
    name, _, value = variable.partition("=")
    variables = {"FIRST": "1", name: value, "LAST": ""}

    status, stdout, stderr = outcome(tmp_path, COMMAND, "run", *ENVIRONMENT, **variables)

    native = outcome(tmp_path, *ENVIRONMENT, **variables)
    assert (status, stdout) == native[:2]
    assert len(stderr.splitlines()) == len(native[2].splitlines())


SMALL_STACK = b"scopetrace: it cannot run with a stack of less than 128 KiB (ulimit -s)"
UNRECORDED = SMALL_STACK + b"; the program runs without being recorded\n"
PROGRAM = ("sh", "-c", 'ulimit -s; echo "$@"; exit 7', "-q", "-u", "run", "--", "")


def limited(kib: int, home: Path, *args: str | Path) -> tuple[int, bytes, bytes]:
    """Return what comes of the command with a stack of that size."""
    return outcome(home, "/bin/sh", "-c", f'ulimit -s {kib}; exec "$0" "$@"', COMMAND, *args)


def test_a_stack_of_128_kib_is_enough(tmp_path: Path) -> None:
    assert limited(128, tmp_path, "run", "-q", "true") == (0, b"", b"")


def with_a_value(name: str, takes_value: Collection[str]) -> list[list[str]]:
    """Return the ways to write an option of `run`."""
    if name not in takes_value:
        return [[name]]
    return [[name, "sh"], [f"{name}=sh" if name.startswith("--") else f"{name}sh"]]


RUN_OPTIONS = [
    written
    for param in run.params
    if isinstance(param, click.Option)
    for name in (*param.opts, *param.secondary_opts)
    for written in with_a_value(name, run.with_value())
]


@pytest.mark.parametrize(
    "before",
    [
        *(["run", *option] for option in RUN_OPTIONS),
        ["run", "--syscalls=%file"],
        ["run", "-pqu", "sh", "--"],
        ["--no-pager"],
        ["--no-pager", "run", "-q"],
        ["run", "-p", "--"],
        ["run"],
        ["--"],
        [],
    ],
    ids=" ".join,
)
def test_with_less_stack_the_program_runs_unrecorded(tmp_path: Path, before: list[str]) -> None:
    assert limited(64, tmp_path, *before, *PROGRAM) == (7, b"64\n-u run -- \n", UNRECORDED)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["run"],
        ["run", "-q", "--"],
        ["run", "-h", "true"],
        ["run", "--help", "true"],
        ["run", "--no-such-option", "true"],
        ["run", "-u"],
        ["-h"],
        ["--version"],
        *([name] for name in (*COMMANDS, *ALIASES, *NAMES_TO_COME)),
    ],
    ids=" ".join,
)
def test_with_less_stack_nothing_else_runs(tmp_path: Path, words: list[str]) -> None:
    assert limited(64, tmp_path, *words) == (126, b"", SMALL_STACK + b"\n")


@pytest.mark.parametrize(
    ("program", "status", "error"),
    [("none", 127, "No such file or directory"), ("/", 126, "Permission denied")],
)
def test_with_less_stack_a_program_may_be_missing(
    tmp_path: Path, program: str, status: int, error: str
) -> None:
    said = f"scopetrace: the program cannot be executed: {error}\n".encode()

    assert limited(64, tmp_path, "run", program) == (status, b"", UNRECORDED + said)


def test_with_less_stack_a_closed_standard_error_does_not_matter(tmp_path: Path) -> None:
    script = 'cd "$1"; mkfifo p; exec 4<>p 3>p 4<&-; ulimit -s 64; "$0" run echo ran 2>&3'

    assert outcome(tmp_path, "/bin/sh", "-c", script, COMMAND, tmp_path) == (0, b"ran\n", b"")


def test_sessions_are_read_with_the_programs_variables(tmp_path: Path) -> None:
    outcome(tmp_path, COMMAND, "run", "true")

    status, stdout, stderr = outcome(tmp_path, COMMAND, "history", PYTHONHOME="/nowhere")

    assert (status, stderr) == (0, b"")
    assert b"true" in stdout


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH with a module that each interpreter would import first."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("print('imported')")
    return folder


def test_nothing_of_pythonpath_is_imported(tmp_path: Path, modules: Path) -> None:
    answer = outcome(tmp_path, COMMAND, "run", "printenv", "PYTHONPATH", PYTHONPATH=f"/:{modules}")

    assert answer == (0, f"/:{modules}\n".encode(), b"")


def test_a_package_that_only_pythonpath_finds_is_found(tmp_path: Path, modules: Path) -> None:
    """As `pip install --target` leaves it."""
    (modules / "bin").mkdir()
    shutil.copy(COMMAND, modules / "bin")
    script = modules / "bin" / "scopetrace-python"
    script.write_text(f"#!{sys.executable}\nimport scopetrace; print(scopetrace.__file__)")
    script.chmod(0o755)
    (modules / "scopetrace").mkdir()
    (modules / "scopetrace" / "__init__.py").touch()
    found = f"imported\n{modules}/scopetrace/__init__.py\n".encode()

    answer = outcome(tmp_path, modules / "bin" / "scopetrace", PYTHONPATH=f"/:{modules}:/none")

    assert answer == (0, found, b"")


def test_a_launcher_without_its_script_says_so(tmp_path: Path) -> None:
    shutil.copy(COMMAND, tmp_path)

    status, _, stderr = outcome(tmp_path, tmp_path / "scopetrace", "ps")

    sentence = b"scopetrace: scopetrace-python cannot be executed: No such file or directory\n"
    assert (status, stderr) == (126, sentence)
