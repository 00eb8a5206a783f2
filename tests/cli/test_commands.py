from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from scopetrace import __version__
from scopetrace.cli.commands import ALIASES, COMMANDS, NAMES_TO_COME, cli


def test_version_and_help_need_no_command(scopetrace):
    assert scopetrace("--version") == (0, f"scopetrace {__version__}\n", "")

    status, out, err = scopetrace()
    assert (status, err) == (0, "")
    assert scopetrace("--help") == (0, out, "") == scopetrace("-h")
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "Exit status:" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_help_it_is_listed_with_and_an_example(name, scopetrace):
    status, out, err = scopetrace(name, "--help")

    assert (status, err) == (0, "")
    assert out.splitlines()[2].strip() == COMMANDS[name][1]
    assert f"\n  scopetrace {name}" in out or f"$(scopetrace {name}" in out
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_an_alias_is_the_command(alias, name, scopetrace):
    assert (
        scopetrace(alias, "--help")[1].splitlines()[2:]
        == (scopetrace(name, "--help")[1].splitlines()[2:])
    )


def resolved(*args):
    context = cli.make_context("scopetrace", list(args))
    _, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
    return command.name, rest


@pytest.mark.parametrize(
    ("args", "name", "rest"),
    [
        (["events", "-a"], "events", ["-a"]),
        (["hist"], "history", []),
        (["python3", "log.py", "-v"], "run", ["python3", "log.py", "-v"]),
        (["./events"], "run", ["./events"]),
        (["run", "-u", "f", "ls", "-l"], "run", ["-u", "f", "ls", "-l"]),
    ],
)
def test_a_first_word_that_is_no_command_is_run(args, name, rest):
    assert resolved(*args) == (name, rest)


@pytest.mark.parametrize("name", NAMES_TO_COME)
def test_a_name_to_come_starts_no_program_and_says_what_to_use_now(name, scopetrace, home, path_of):
    path_of(name)

    status, out, err = scopetrace(name, "1", "--help")
    assert (status, out) == (2, "")
    assert err.startswith(f"scopetrace: there is no command `scopetrace {name}`: `scopetrace ")
    assert err.endswith(f"; `scopetrace run -- {name}` runs a program so called\n")
    assert err.count("\n") == 1
    for command in re.findall(r"`scopetrace ([a-z]\w+)", err.partition(": `")[2]):
        assert command in COMMANDS
    assert not [*home.glob("sessions/*.db")]


@pytest.fixture
def path_of(tmp_path, monkeypatch):
    """Put a program of any name on the PATH."""

    def make(name):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\necho the program {name} $*\n")
        (tmp_path / "bin" / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")

    return make


@pytest.mark.parametrize("before", [("run",), ("run", "--"), ("--",)])
def test_a_program_of_a_name_to_come_is_run_where_that_is_asked_for(before, path_of):
    path_of("watch")
    ours = (sys.executable, "-m", "scopetrace")
    done = subprocess.run((*ours, *before, "watch", "x"), capture_output=True, timeout=30)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"the program watch x\n", b"")


def test_no_name_to_come_is_a_command():
    assert not NAMES_TO_COME.keys() & (COMMANDS.keys() | ALIASES.keys())


def imported(*args):
    """Return the modules that a call imports."""
    done = subprocess.run(
        (sys.executable, "-X", "importtime", "-m", "scopetrace", *args),
        capture_output=True,
        text=True,
        timeout=30,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert done.returncode == 0, done.stderr
    return {line.rpartition("|")[2].strip() for line in lines}


def test_version_imports_nothing_heavy():
    heavy = {
        "dataclasses",
        "importlib.metadata",
        "logging",
        "asyncio",
        "sqlite3",
        "yaml",
        "msgspec",
    }

    assert not imported("--version") & heavy


def test_help_imports_no_command():
    modules = {module for module, _ in COMMANDS.values()}

    assert not imported("--help") & modules


def test_events_import_only_what_they_show(recorder):
    recorder.record(recorder.event("fs.open", file="/x"))

    assert not imported("events") & {"yaml", "dataclasses", "logging", "asyncio"}
    assert not imported("events", "-j", "--since", "1h") & {"yaml", "dataclasses"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_only_shows_has_a_pager(name, scopetrace):
    writes = {"run", "stop", "prune", "export", "save", "completion", "dash", "lesson"}

    assert ("--no-pager" in scopetrace(name, "--help")[1]) == (name not in writes)
