"""Help has colours on a terminal, and the same text everywhere."""

from __future__ import annotations

import os
import re
import shlex
import sys

import pexpect
import pytest

from scopetrace.cli.commands import COMMANDS
from scopetrace.cli.help import folded_examples

COMMAND = shlex.join([sys.executable, "-P", "-m", "scopetrace"])
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(arguments: str, **variables: str) -> str:
    out = pexpect.run(
        f"{COMMAND} {arguments}",
        env={**os.environ, "TERM": "xterm", **variables},
        dimensions=(50, 100),
        encoding="utf-8",
    )
    return str(out).replace("\r\n", "\n")


@pytest.mark.parametrize("arguments", ["--help", "events --help", "-h"])
def test_help_has_colours_on_a_terminal_and_the_same_text(arguments, scopetrace):
    shown = on_terminal(arguments)

    assert shown.startswith("\x1b[32mUsage:\x1b[0m ")
    assert "\x1b[32mOptions:\x1b[0m\n" in shown
    assert re.search(r"\n  \x1b\[96m.*--help\x1b\[0m +Show this message and exit\.\n", shown)
    status, plain, _ = scopetrace(*arguments.split())
    assert (status, ESCAPES.sub("", shown).split()) == (0, plain.split())


def test_colours_can_be_declined():
    assert not ESCAPES.search(on_terminal("--help", NO_COLOR="1"))
    assert not ESCAPES.search(on_terminal("--help", TERM="dumb"))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_no_line_is_wider_than_80_columns(command, scopetrace):
    out = scopetrace(*command.split(), "--help")[1]

    assert [line for line in out.splitlines() if len(line) > 80] == []


def test_the_meaning_of_an_example_comes_below_it_if_it_must():
    paragraph = "\b\ntool -a      short\ntool --long-option  does this and that\ntool -b -c  ok"

    assert folded_examples(paragraph, 40) == paragraph
    assert folded_examples(paragraph, 25) == (
        "\b\ntool -a      short\ntool --long-option\n        does this and\n        that\n"
        "tool -b -c  ok"
    )
    assert folded_examples("tool -a      short", 5) == "tool -a      short"
