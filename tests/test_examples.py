"""Types examples/README.md, command by command, and compares what is printed with what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from support.harness import Ending, Stage, scopetrace_command
from support.users import one_user

EXAMPLES = Path(__file__).parent.parent / "examples"
PORTS = ("8443", "8081", "10001", "8080")
"""Ports that the document names; each run of the test takes free ones instead."""


def steps(text: str) -> list[tuple[str, str]]:
    """Return each command of a document's console blocks with the output shown under it."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, output = command.partition("\n")
            found.append((line, output))
    return found


def pattern(shown: str) -> re.Pattern[str]:
    """Return what output must look like: … is anything in a line, alone it is any lines."""
    lines = []
    for line in shown.splitlines():
        anything = line == "…"
        lines.append(r"(?:.*\n)*" if anything else re.escape(line).replace("…", ".*") + r"\n")
    return re.compile("".join(lines))


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def tutorial(stage: Stage, needs: Callable[[str], str]) -> Stage:
    """A stage with the examples in its working folder and scopetrace on its PATH."""
    programs = [
        Path(needs(name)).parent
        for name in (
            "nginx",
            "jq",
            "curl",
            "openssl",
            "python3",
            "nc",
        )
    ]
    bin_folder = stage.give(stage.folder / "bin")
    shim = bin_folder / "scopetrace"
    shim.write_text(f'#!/bin/sh\nexec {shlex.join(scopetrace_command())} "$@"\n')
    shim.chmod(0o755)
    for name in ("log.py", "nginx.conf", "tidy.sh"):
        shutil.copy(EXAMPLES / name, stage.work)
    stage.environ["PATH"] = ":".join(["/usr/bin", "/bin", str(bin_folder), *map(str, programs)])
    return stage


def type_in(stage: Stage, command: str) -> str:
    ending: Ending = stage.run(["/bin/bash", "-c", command])
    assert ending.status == 0, f"{command}: {ending}"
    return (ending.stdout + ending.stderr).decode()


@one_user("a tutorial is text, and its programs need no rights")
def test_the_tutorial_does_what_it_says(tutorial: Stage) -> None:
    text = (EXAMPLES / "README.md").read_text()
    configuration = tutorial.work / "nginx.conf"
    for port in PORTS:
        free = free_port()
        text = text.replace(port, free)
        configuration.write_text(configuration.read_text().replace(port, free))
    try:
        for command, shown in steps(text):
            printed = type_in(tutorial, command)
            assert pattern(shown).fullmatch(printed), f"$ {command}\n{printed}\nwanted:\n{shown}"
    finally:
        tutorial.run(
            ["nginx", "-p", tutorial.work, "-e", "error.log", "-c", "nginx.conf", "-s", "quit"]
        )


def test_the_tutorial_has_steps() -> None:
    commands = [command for command, _ in steps((EXAMPLES / "README.md").read_text())]
    assert "scopetrace run python3 log.py" in commands
    assert len(commands) > 10
