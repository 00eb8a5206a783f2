from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scopetrace import __version__
from scopetrace.cli.commands import ALIASES, COMMANDS, LazyGroup, cli

COMMAND = (sys.executable, "-m", "scopetrace")


def run(*args, shell_suffix="", **options):
    """Run the real thing in its own process."""
    return subprocess.run((*COMMAND, *args), capture_output=True, text=True, timeout=30, **options)


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


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--colour"], "no such option '--colour'; try 'scopetrace --help'"),
        (["events", "-n", "x"], "try 'scopetrace events --help'"),
        (["events", "--since", "soon"], "'soon' is no time such as 10m (ago)"),
        (["events", "1", "2"], "try 'scopetrace events --help'"),
        (["completion", "tcsh"], "try 'scopetrace completion --help'"),
        (["run"], "run needs a command: scopetrace run [-u FILE] [--] CMD..."),
        (
            [
                "run",
                "--",
            ],
            "run needs a command: scopetrace run [-u FILE] [--] CMD...",
        ),
        (["--"], "run needs a command: scopetrace run [-u FILE] [--] CMD..."),
        (["config", "--default", "--check", "x"], "--default, --check and --userconfig do not"),
        (["prune"], "prune needs --all or some of"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_2(args, sentence, scopetrace):
    status, out, err = scopetrace(*args)

    assert (status, out) == (2, "")
    assert err.startswith("scopetrace: ")
    assert sentence in err
    assert err.count("\n") == 1


def resolved(*args):
    context = cli.make_context("scopetrace", list(args))
    name, _, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
    return name, rest


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


def test_run_takes_its_own_options_before_the_program_only():
    group = LazyGroup("scopetrace")
    command = group.get_command(None, "run")

    context = command.make_context("run", ["-u", "my.yml", "--", "ls", "-u", "--", "--help"])

    assert str(context.params["userconfig"]) == "my.yml"
    assert context.params["args"] == ("ls", "-u", "--", "--help")


def test_a_closed_pipe_is_silent():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            (*COMMAND, "version"), stdout=writer, stderr=subprocess.PIPE, timeout=30
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_is_one_sentence():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            (*COMMAND, "version"), stdout=full, stderr=subprocess.PIPE, timeout=30
        )

    assert done.returncode == 1
    assert done.stderr == b"scopetrace: standard output: No space left on device\n"


def test_without_a_standard_output_nothing_fails():
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "version"], stderr=subprocess.PIPE, timeout=30
    )

    assert (done.returncode, done.stderr) == (0, b"")


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
        "dataclasses", "importlib.metadata", "logging", "asyncio", "tabulate", "sqlite3", "yaml",
        "msgspec",
    }  # fmt: skip

    assert not imported("--version") & heavy


def test_help_imports_no_command():
    modules = {module for module, _ in COMMANDS.values()}

    assert not imported("--help") & modules


def test_events_import_only_what_they_show(recorder):
    recorder.record(recorder.event("fs.open", file="/x"))

    assert not imported("events") & {"tabulate", "yaml", "dataclasses", "logging", "asyncio"}
    assert not imported("events", "-j", "--since", "1h") & {"tabulate", "yaml", "dataclasses"}


def test_completion_proposes_commands_and_names():
    def proposed(*words):
        environ = {
            **os.environ,
            "_SCOPETRACE_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        }
        lines = run(env=environ).stdout.splitlines()
        return {line.partition(",")[2] for line in lines}

    assert proposed("scopetrace", "h") == {"history"}
    assert proposed("scopetrace", "events", "-s", "fs.open,fs.cl") == {"fs.open,fs.close"}
    assert proposed("scopetrace", "events", "-t", "con") == {"console"}
    assert proposed("scopetrace", "events", "--id", "") == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_program(shell, scopetrace):
    status, out, _ = scopetrace("completion", shell)

    assert status == 0
    assert "_SCOPETRACE_COMPLETE" in out
