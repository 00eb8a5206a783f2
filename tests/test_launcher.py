"""The command `scopetrace`: what is meant for the program does not reach its own interpreter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(("kib", "status"), [(128, 0), (64, 126)])
def test_a_stack_that_is_too_small_for_an_interpreter_is_one_sentence(
    tmp_path: Path, kib: int, status: int
) -> None:
    limited = f'ulimit -s {kib}; exec "$0" run -q true'

    answer = outcome(tmp_path, "/bin/sh", "-c", limited, COMMAND)

    said = b"scopetrace: it cannot run with a stack of less than 128 KiB (ulimit -s)\n"
    assert answer == (status, b"", said if status else b"")


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
