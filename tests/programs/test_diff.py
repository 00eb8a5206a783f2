"""Runs of real programs: alike they have no difference, and what was changed is told first."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scopetrace.query import open_session
from support.harness import Ending, Stage, read_info, scopetrace_command, session_files, wait_for
from support.interpreter import python
from support.net_peers import is_listening
from support.nginx import Nginx

pytestmark = pytest.mark.parametrize("stage", [None], indirect=True, ids=["as-we-are"])
"""What is read of sessions does not depend on the user; recording by each is tested elsewhere."""

Needs = Callable[[str], str]

FIELDS = ("change", "kind", "subject", "a", "b")
MAKEFILE = """
OBJECTS := $(patsubst %.c,%.o,$(sort $(wildcard *.c)))
program: $(OBJECTS)
\t$(CC) -o $@ $^
%.o: %.c
\t$(CC) -c -o $@ $<
clean:
\trm -f *.o program
"""


def record(stage: Stage, *argv: str | Path, **options: Any) -> int:
    """Record a program to the end of its recorder; return the number of the session."""
    before = len(session_files(stage.home))
    stage.run(scopetrace_command("run", "--", *argv), **options)
    wait_for(lambda: len(session_files(stage.home)) > before, "a session")
    return finished(stage)


def finished(stage: Stage) -> int:
    """Wait until the last session is finished; return its number."""
    path = max(session_files(stage.home), key=lambda path: read_info(path).id)
    wait_for(lambda: read_info(path).status != "running", "the recorder to finish")
    return read_info(path).id


def differences(stage: Stage, a: int, b: int, *options: str) -> list[tuple[Any, ...]]:
    """Return what `scopetrace diff` says, start-up apart: change, kind, subject, a, b."""
    ending = stage.run(scopetrace_command("diff", str(a), str(b), "-j", *options))
    bodies = [json.loads(line) for line in ending.stdout.splitlines()]
    assert (ending.status, ending.stderr) == (bool(bodies), b"")
    return [tuple(body[name] for name in FIELDS) for body in bodies if body["class"] == "own"]


def are_alike(stage: Stage, a: int, b: int) -> bool:
    """Return whether `scopetrace diff` says nothing at all; show what it says."""
    ending = stage.run(scopetrace_command("diff", str(a), str(b), "-A"))
    print(ending.stdout.decode())
    return ending == Ending(b"", b"", 0)


def project(stage: Stage) -> None:
    """Write a program of three sources."""
    for name in "ab":
        (stage.work / f"{name}.c").write_text(f"int {name}(void) {{ return 0; }}\n")
    (stage.work / "main.c").write_text("int a(void); int main(void) { return a(); }\n")
    (stage.work / "Makefile").write_text(MAKEFILE)


def build(stage: Stage, *options: str, cwd: Path | None = None) -> int:
    folder = cwd or stage.work
    stage.run(["make", "-s", "clean"], cwd=folder)
    return record(stage, "make", "CC=gcc", *options, cwd=folder)


def test_builds_that_are_alike(stage: Stage, needs: Needs) -> None:
    needs("make"), needs("gcc")
    project(stage)
    one, two = build(stage), build(stage)
    three, four = build(stage, "-j2"), build(stage, "-j2")
    shutil.copytree(stage.work, stage.folder / "here")
    if stage.uid is not None:
        for path in (stage.folder / "here", *(stage.folder / "here").iterdir()):
            os.chown(path, stage.uid, -1)
    elsewhere = build(stage, cwd=stage.folder / "here")

    assert are_alike(stage, one, two)
    assert are_alike(stage, three, four)
    assert are_alike(stage, one, elsewhere)


def test_one_more_source(stage: Stage, needs: Needs) -> None:
    needs("make"), needs("gcc")
    project(stage)
    before = build(stage)
    (stage.work / "c.c").write_text("int c(void) { return 0; }\n")
    after = build(stage)

    work = str(stage.work)
    found = differences(stage, before, after)
    assert found[:2] == [
        ("only B", "process", "gcc -c -o c.o c.c", None, "exit 0"),
        ("content", "process", "gcc -o program a.o b.o c.o main.o", "", "c.o"),
    ]
    assert {(change, what) for change, _, what, *_ in found[2:]} == {
        ("only B", f"{work}/c.c"),
        ("only B", f"{work}/c.o"),
        ("content", f"{work}/program"),
    }


def test_a_source_that_no_longer_compiles(stage: Stage, needs: Needs) -> None:
    needs("make"), needs("gcc")
    project(stage)
    before = build(stage)
    (stage.work / "main.c").write_text("int main(void) { return a() }\n")
    after = build(stage)

    first, cause, *rest = differences(stage, before, after)
    assert first == ("result", "process", "make CC=gcc", "exit 0", "exit 2")
    assert cause[:2] == ("result", "process")
    assert "cc1" in cause[2]
    assert cause[3:] == ("exit 0", "exit 1")
    assert any(
        kind == "stderr" and "error: expected" in line for _, kind, _, _, line in rest if line
    )


def test_a_configuration_that_is_gone(stage: Stage) -> None:
    (stage.work / "app.conf").write_text("port = 1\n")
    script = "cat app.conf 2>/dev/null || echo defaults >&2; cat /dev/null"
    before = record(stage, "sh", "-c", script)
    (stage.work / "app.conf").unlink()
    after = record(stage, "sh", "-c", script)

    found = differences(stage, before, after)
    assert found == [
        ("result", "process", "cat app.conf", "exit 0", "exit 1"),
        ("result", "file", f"{stage.work}/app.conf", "read", "not found"),
        ("only B", "stderr", "stderr", None, "defaults"),
        ("only A", "stdout", "stdout", "port = 1", None),
    ]


def test_another_path_finds_another_program(stage: Stage) -> None:
    for name in ("one", "two"):
        tool = stage.work / name / "tool"
        tool.parent.mkdir()
        tool.write_text(f"#!/bin/sh\necho {name}\n")
        tool.chmod(0o755)
    folders = [f"{stage.work}/{name}:{os.environ['PATH']}" for name in ("one", "two")]
    before, after = (
        record(stage, "sh", "-c", "tool; exit 3", env=stage.environment() | {"PATH": path})
        for path in folders
    )

    work = str(stage.work)
    found = differences(stage, before, after)
    assert found[0] == (
        "content", "process", f"/bin/sh {work}/two/tool", f"{work}/one/tool", f"{work}/two/tool",
    )  # fmt: skip
    assert found[1:3] == [
        ("only A", "file", f"{work}/one/tool", "read", None),
        ("only B", "file", f"{work}/two/tool", None, "read"),
    ]
    assert found[3:5] == [
        ("only A", "stdout", "stdout", "one", None),
        ("only B", "stdout", "stdout", None, "two"),
    ]


TESTS = """
import tempfile, helper

def test_it(tmp_path):
    (tmp_path / "x").write_text("x")
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"y")
    assert helper.double(2) == 4
"""


def test_test_suites_that_are_alike_and_one_that_fails(stage: Stage) -> None:
    (stage.work / "helper.py").write_text("def double(x): return 2 * x\n")
    (stage.work / "test_it.py").write_text(TESTS)
    command = [
        python(),
        "-m",
        "pytest",
        "-p",
        "no:xdist",
        "-p",
        "no:hypothesispytest",
        "--color=yes",
    ]
    first, second, third = (record(stage, *command) for _ in range(3))
    (stage.work / "helper.py").write_text("def double(x): return 2 * x + 1\n")
    failing = record(stage, *command)

    assert are_alike(stage, first, second)  # the first one compiled the modules
    assert are_alike(stage, second, third)
    found = differences(stage, second, failing)
    assert [(change, kind) for change, kind, *_ in found[:1]] == [("result", "process")]
    assert found[0][3:] == ("exit 0", "exit 1")
    assert any("assert 5 == 4" in str(line) for _, kind, _, _, line in found if kind == "stdout")


def serve(stage: Stage, program: str, nginx: Nginx, *load: str) -> int:
    """Record nginx while a client loads it; return the number of the session."""
    before = len(session_files(stage.home))
    server = subprocess.Popen(
        scopetrace_command("run", "--", *map(str, nginx.argv)),
        cwd=stage.work, env=stage.environment(), **stage.become(),
    )  # fmt: skip
    try:
        wait_for(lambda: is_listening(nginx.port), "nginx to listen")
        done = stage.run(load)
        assert done.status == 0, done
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(30)
    wait_for(lambda: len(session_files(stage.home)) > before, "a session")
    return finished(stage)


def test_a_server_under_load(stage: Stage, needs: Needs) -> None:
    nginx = Nginx(stage, needs("nginx"))
    url = f"http://127.0.0.1:{nginx.port}/small"
    load = [needs("wrk"), "-t1", "-c4", "-d1s", url]
    first, second = (serve(stage, load[0], nginx, *load) for _ in range(2))

    assert are_alike(stage, first, second)
    (stage.work / "pages" / "small").unlink()
    third = serve(stage, load[0], nginx, *load)
    found = differences(stage, second, third)
    assert found[:2] == [
        ("result", "file", f"{stage.work}/pages/small", "read", "not found"),
        ("result", "answer", "GET /small", "200", "404"),
    ]


def test_a_program_asks_its_question_in_python(stage: Stage) -> None:
    first = record(stage, "sh", "-c", "echo one; exit 1")
    second = record(stage, "sh", "-c", "echo one; exit 1")
    paths = {read_info(path).id: path for path in session_files(stage.home)}

    with open_session(paths[first]) as a, open_session(paths[second]) as b:
        assert not a.diff(b)
