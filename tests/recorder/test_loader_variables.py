"""Libraries that are meant for the program alone are not loaded into the recorder."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scopetrace.recorder.loader_variables import held_back
from support.harness import Stage, scopetrace_command
from support.users import one_user

WHEREVER = "which libraries are loaded does not depend on rights"
NO_FORK = "#include <errno.h>\nint fork(void) { errno = EAGAIN; return -1; }"
EMPTY = "int nothing;"
Build = Callable[[str, str], Path]


@pytest.fixture
def build(stage: Stage) -> Build:
    """A function that compiles a library from its text."""
    folder = stage.give(stage.folder / "libraries")

    def build(name: str, text: str) -> Path:
        target = folder / name
        command = ["gcc", "-shared", "-fPIC", "-x", "c", "-o", str(target), "-"]
        subprocess.run(command, input=text.encode(), check=True)
        target.chmod(0o755)
        return target

    return build


@one_user(WHEREVER)
def test_a_preloaded_library_is_for_the_program_alone(stage: Stage, build: Build) -> None:
    library = build("no_fork.so", NO_FORK)
    stage.environ["LD_PRELOAD"] = str(library)

    recording = stage.compare(["/bin/sh", "-c", "echo $LD_PRELOAD; (exit 3)"])

    assert recording.ending.status == 2, recording.ending
    assert str(library) in recording.files()


@one_user(WHEREVER)
def test_a_folder_of_libraries_is_for_the_program_alone(stage: Stage, build: Build) -> None:
    library = build("libsqlite3.so.0", EMPTY)
    stage.environ["LD_LIBRARY_PATH"] = str(library.parent)

    recording = stage.compare(["/bin/sh", "-c", "echo $LD_LIBRARY_PATH; exit 3"])

    assert recording.ending.stdout == f"{library.parent}\n".encode()
    assert recording.info.exit_code == 3


@one_user(WHEREVER)
def test_sessions_are_read_without_the_programs_libraries(stage: Stage, build: Build) -> None:
    stage.record(["true"])
    stage.environ["LD_LIBRARY_PATH"] = str(build("libsqlite3.so.0", EMPTY).parent)

    answer = stage.run(scopetrace_command("history"))

    assert (answer.status, answer.stderr) == (0, b"")
    assert b"true" in answer.stdout


@one_user(WHEREVER)
def test_the_program_has_the_very_environment(stage: Stage) -> None:
    stage.environ |= {"LD_LIBRARY_PATH": "/none", "LD_AUDIT": "", "ODD": "LD_PRELOAD=1"}

    recording = stage.compare(["/bin/cat", "/proc/self/environ"])

    assert b"\0LD_LIBRARY_PATH=/none\0LD_AUDIT=\0ODD=LD_PRELOAD=1\0" in recording.ending.stdout


def test_variables_keep_their_places() -> None:
    environment = [b"A=1", b"LD_PRELOAD=x=y", b"no value", b"LD_PRELOAD_X=1", b"LD_PRELOAD=2"]

    assert held_back(environment, [b"LD_PRELOAD"]) == [
        b"A=1",
        b"SCOPETRACE_HELD_BACK_LD_PRELOAD=x=y",
        b"no value",
        b"LD_PRELOAD_X=1",
        b"SCOPETRACE_HELD_BACK_LD_PRELOAD=2",
    ]
