from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scopetrace.cli import plain_run

COMMAND = (sys.executable, "-m", "scopetrace")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--colour"], "no such option '--colour'; try 'scopetrace --help'"),
        (["events", "-n", "x"], "try 'scopetrace events --help'"),
        (["events", "--since", "soon"], "'soon' is not a time such as 10m (ago)"),
        (["events", "--lst"], "no such option '--lst' (Did you mean"),
        (["events", "fs.open"], "'fs.open' is not the number of an event; -s chooses sources"),
        (["events", "a.db"], "'a.db' is not the number of an event; --id chooses the session"),
        (["events", "1", "2"], "try 'scopetrace events --help'"),
        (["completion", "tcsh"], "try 'scopetrace completion --help'"),
        (["run"], "run needs a command: scopetrace run [-u FILE] [-p] [--] CMD..."),
        (
            [
                "run",
                "--",
            ],
            "run needs a command: scopetrace run [-u FILE] [-p] [--] CMD...",
        ),
        (["--"], "run needs a command: scopetrace run [-u FILE] [-p] [--] CMD..."),
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


@pytest.mark.parametrize(
    ("args", "command"),
    [
        (["run", "ls", "-l"], ["ls", "-l"]),
        (["run", "--", "-odd", "--help"], ["-odd", "--help"]),
        (["run", "--help"], []),
        (["run", "-u", "scope.yml", "ls"], []),
        (["run"], []),
        (["events"], []),
        (["ls"], []),
        (["--", "ls"], []),
    ],
)
def test_only_a_plain_run_is_understood_without_the_parser(args, command):
    assert plain_run(args) == command
