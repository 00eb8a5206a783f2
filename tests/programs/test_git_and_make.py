"""git and make: many processes, most of them short, that work on many files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.harness import Ending, Stage
from support.users import one_user

pytestmark = one_user("git and make need no rights")

Needs = Callable[[str], str]


def repository(stage: Stage, git: str) -> Path:
    """Make a repository of a few commits."""
    place = stage.folder / "origin"
    stage.give(place)
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]

    def run(*arguments: str) -> None:
        ending = stage.run([git, *author, *arguments], cwd=place)
        assert ending.status == 0, ending

    run("init", "-q", "-b", "main")
    for number in range(3):
        (place / f"file-{number}.txt").write_text(f"{number}\n" * 100)
        run("add", ".")
        run("commit", "-qm", f"commit {number}")
    return place


@pytest.mark.parametrize("transport", ["file://", ""])
def test_a_clone_of_a_local_repository(transport: str, stage: Stage, needs: Needs) -> None:
    git = needs("git")
    origin = repository(stage, git)
    recording = stage.compare([git, "clone", "-q", f"{transport}{origin}", "copy"])

    assert recording.ending == Ending(b"", b"", 0)
    work = str(stage.work)
    made = recording.files()
    assert {f"{work}/copy/file-{n}.txt" for n in range(3)} <= made
    assert f"{work}/copy/.git/config.lock" in {e.data["file"] for e in recording.of("fs.rename")}
    assert f"{work}/copy/.git/HEAD" in {e.data["file_new"] for e in recording.of("fs.rename")}
    (written,) = recording.of("fs.close", file=f"{work}/copy/file-0.txt")
    assert written.data["file_write_bytes"] == 200


def test_git_status_and_log_after_a_clone(stage: Stage, needs: Needs) -> None:
    git = needs("git")
    origin = repository(stage, git)
    recording = stage.compare([git, "-C", origin, "log", "--oneline", "--stat"])

    assert recording.ending.stdout.count(b"commit ") == 3
    assert any("/objects/" in file for file in recording.files())


MAKEFILE = """
OBJECTS := $(patsubst %.c,%.o,$(wildcard unit-*.c)) main.o
program: $(OBJECTS)
\t@$(CC) -o $@ $^
%.o: %.c
\t@$(CC) -c -o $@ $<
"""


def c_project(folder: Path, units: int) -> None:
    for n in range(units):
        (folder / f"unit-{n}.c").write_text(f"int unit_{n}(void) {{ return {n}; }}\n")
    declared = "".join(f"int unit_{n}(void);\n" for n in range(units))
    summed = "+".join(f"unit_{n}()" for n in range(units))
    (folder / "main.c").write_text(f"{declared}int main(void) {{ return {summed}; }}\n")
    (folder / "Makefile").write_text(MAKEFILE)


def test_a_parallel_build_of_a_c_project(stage: Stage, needs: Needs) -> None:
    make = needs("make")
    needs("gcc")
    c_project(stage.work, 8)
    recording = stage.record([make, "-s", "-j4", "CC=gcc"])

    assert recording.ending == Ending(b"", b"", 0)
    assert stage.run([stage.work / "program"]).status == sum(range(8))
    work = str(stage.work)
    assert {f"{work}/unit-{n}.c" for n in range(8)} <= recording.files()
    assert {f"{work}/unit-{n}.o" for n in range(8)} <= recording.files("fs.close")
    started = [Path(event.data["exe"]).name for event in recording.of("proc.start")]
    assert sum(name.startswith("cc1") for name in started) == 9
    assert len(recording.of("proc.exit")) == len(recording.of("proc.fork")) + 1


def test_a_build_that_fails_fails_as_ever(stage: Stage, needs: Needs) -> None:
    make = needs("make")
    (stage.folder / "Makefile").write_text("all:\n\t@echo trying; exit 3\n")
    recording = stage.compare([make, "-f", "../Makefile"])

    assert recording.ending.status == 2
