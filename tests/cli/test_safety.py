"""What we say to a person never does anything to the terminal, wherever its words came from.

The mechanism is `model.shown.print_to_stderr`: all else leaves standard error alone. So each way by
which words of others get into a sentence is tried here, and a last test looks for a way around it.
"""

from __future__ import annotations

import ast
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import scopetrace as package

HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\n\x9b31m\u202etxt\x7f"
"""Sets a title, clears the screen, forges a line, colours, and turns the direction of writing."""
SHOWN = r"\x1b]0;owned\x07\x1b[2J\r\n\u009b31m\u202etxt\x7f"
COMMAND = (sys.executable, "-m", "scopetrace")
PACKAGE = Path(package.__file__).parent


@pytest.mark.parametrize(
    "args",
    [
        [f"--{HOSTILE}"],
        ["events", HOSTILE],
        ["events", f"--{HOSTILE}"],
        ["events", "-i", HOSTILE],
        ["events", "--since", HOSTILE],
        ["events", "--where", HOSTILE],
        ["events", "--where", f'"{HOSTILE}"'],
        ["events", "--where", f"'{HOSTILE}' regexp '('"],
        ["events", "--where", f"fil{HOSTILE} = 1"],
        ["events", "--sort", HOSTILE],
        ["events", "--color", HOSTILE],
        ["events", "-n", HOSTILE],
        ["events", "-p", HOSTILE],
        ["flows", HOSTILE],
        ["flows", "--peer", HOSTILE],
        ["flows", "-s", HOSTILE],
        ["metrics", "--format", HOSTILE],
        ["export", HOSTILE],
        ["export", "-i", HOSTILE, "x"],
        ["export", f"/dev/null/{HOSTILE}"],
        ["export", "--pcap", f"/nonexistent/{HOSTILE}"],
        ["config", "--check", HOSTILE],
        ["config", "-u", HOSTILE],
        ["stop", HOSTILE],
        ["prune", "--older", HOSTILE],
        ["prune", "--larger", HOSTILE],
        ["prune", "--keep", HOSTILE],
        ["completion", HOSTILE],
        ["history", HOSTILE],
        ["run", "-u", HOSTILE, "true"],
        ["run", "-e", f"tcp://{HOSTILE}", "true"],
        ["run", "-e", f"unix://{HOSTILE}{'x' * 108}", "true"],
        ["run", HOSTILE],
        ["run", f"./{HOSTILE}"],
        ["run", f"--{HOSTILE}", "true"],
        [HOSTILE],
        [HOSTILE, "arguments"],
    ],
)
def test_an_argument(args, recorder):
    recorder.record(recorder.event("fs.open", file="/x"))
    assert_safe(said_by(*args))


@pytest.mark.parametrize(
    "text",
    [
        f"'{HOSTILE}': 1",
        "events",
        '"\\e]0;owned\\a\\e[2J\\r\\n\\x9b31m\\u202etxt\\x7f": 1',
        'event: {enable: "\\e]0;owned\\a"}',
        'event: {watch: [{type: fs, name: "(\\e[2J"}]}',
        'event: {watch: [{type: "\\e[2J"}]}',
        'event: {format: {type: "\\e[2J\\u202e"}}',
        'event: {transport: {type: "\\e[2J\\u202e"}}',
        'event: {transport: {type: file, path: "/\\e[2J/\\u202e"}}',
        'event: {enable: true, "en\\u0061ble": true, "\\e[2J": 1}',
        'tags: {"\\e[2J": []}',
        'custom: {"\\e[2J": 5}',
        'custom: {"\\e[2J": {config: {scopetrace: {snaplen: 5}}}}',
        "a: *\x9bx",
        "a: 1\n\x1b[2J",
    ],
)
def test_a_value_of_a_configuration(text, tmp_path):
    """An error as well as a warning, of `config` and of `run`, which come different ways."""
    file = tmp_path / f"{HOSTILE}.yml"
    file.write_text(text)
    for args in (["config", "--check", file], ["config", "-u", file], ["run", "-u", file, "true"]):
        assert_safe(said_by(*args), anything="valid")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCOPE_EVENT_FS", HOSTILE),
        ("SCOPE_EVENT_DEST", f"udp://{HOSTILE}"),
        ("SCOPE_EVENT_FS_NAME", f"({HOSTILE}"),
        ("SCOPE_SNAPLEN", HOSTILE),
        (f"SCOPE_EVENT_{HOSTILE}", "x"),
        ("SCOPE_CONF_PATH", HOSTILE),
    ],
)
def test_the_environment(name, value):
    for args in (["config"], ["run", "true"]):
        assert_safe(said_by(*args, **{name: value}))


def test_where_sessions_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    said = said_by("run", "true", SCOPETRACE_HOME=str(tmp_path / "file" / HOSTILE))

    assert "runs without being recorded" in said
    assert_safe(said)


@pytest.mark.parametrize("damage", ["", "text"])
def test_the_name_of_a_session_file(damage, tmp_path):
    path = tmp_path / f"{HOSTILE}.db"
    path.write_text(damage)

    assert_safe(said_by("events", "-i", path))


def test_what_a_session_says(recorder):
    """Its command, its status: of a session that somebody made to be looked at."""
    path = recorder.record(command="x").path
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE session SET command = ?, status = ?, host = ?", (HOSTILE,) * 3)
        db.commit()

    for args in (["stop", "1"], ["events", "-i", "1"], ["metrics"], ["flows"], ["events", "9"]):
        assert_safe(said_by(*args), anything="no ")


def said_by(*args, **environ):
    done = subprocess.run(
        (*COMMAND, *map(str, args)), capture_output=True, timeout=30, env={**os.environ, **environ}
    )
    assert_printable(done.stdout.decode())
    return done.stderr.decode()


def assert_safe(said, anything=""):
    """Whole sentences of ours, each on one line, and nothing that a terminal would obey."""
    assert said or anything
    assert said == "" or said.endswith("\n")
    for line in said.split("\n")[:-1]:
        assert line.startswith("scopetrace: ")
    assert_printable(said)


def assert_printable(text):
    assert text.replace("\n", "").isprintable()


def test_words_of_others_are_shown_and_not_obeyed(scopetrace):
    assert scopetrace("run", HOSTILE)[2] == f"scopetrace: {SHOWN}: command not found\n"


def test_a_warning_that_cannot_be_heard_hinders_nothing(tmp_path):
    (tmp_path / "odd.yml").write_text("cribl: {}\n")
    command = (*COMMAND, "run", "-u", tmp_path / "odd.yml", "echo", "ran")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, timeout=30)

    assert (done.returncode, done.stdout) == (0, b"ran\n")


STDERR_USERS = {
    "model/shown.py": "print_to_stderr itself",
    "cli/dispatch.py": "has warnings printed by print_to_stderr",
    "cli/pager.py": "has it go through the pager, where it is the same terminal",
    "output/progress.py": "draws progress, in words of its caller",
    "query/session_base.py": "warns a program of Python, which decides what becomes of warnings",
    "scoped.py": "hands on to pytest what a recorded program printed",
}
"""Modules that use standard error, and for what."""


def test_nothing_else_writes_to_standard_error():
    """`print_to_stderr` is the only way; a sentence that goes another could hold anything."""
    others = re.compile(
        r"sys\.(__)?stderr|\berr=|\bwrite\(2\b|\bfdopen\(2\b|\bwarnings\.(warn|show)|print_exc"
    )
    found = {
        path.relative_to(PACKAGE): line
        for path in PACKAGE.rglob("*.py")
        if not path.is_relative_to(PACKAGE / "course")  # programs that are recorded
        for line in code_of(path).splitlines()
        if others.search(line) and str(path.relative_to(PACKAGE)) not in STDERR_USERS
    }
    assert found == {}


def code_of(path):
    """Return a module without its comments and docstrings."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(value=None)
    return ast.unparse(tree)
