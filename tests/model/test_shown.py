"""What `print_to_stderr` writes; what `escape` escapes is in tests/output/test_escape.py."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from scopetrace.model.shown import print_to_stderr, shell_line, stderr_line, without_styles


def test_a_sentence_is_one_line_that_no_terminal_obeys():
    assert stderr_line("no file named \x1b[31m\n") == "scopetrace: no file named \\x1b[31m\\n\n"


def test_it_is_written_to_standard_error(capsys):
    print_to_stderr("something is wrong")
    assert capsys.readouterr() == ("", "scopetrace: something is wrong\n")


@pytest.mark.parametrize(
    "args",
    [
        ["ls", "-l"],
        ["sh", "-c", "ls / | wc"],
        ["", "it's", "''", "'\"'", "\\'", '"', "$x `y` *"],
        ["two\nlines", "\t"],
    ],
)
def test_a_shell_makes_the_same_arguments_of_a_shown_command(args):
    printed = subprocess.check_output(["sh", "-c", f"printf '%s\\0' {shell_line(args)}"])
    assert printed == b"".join(f"{arg}\0".encode() for arg in args)


def test_a_quote_is_shown_as_shells_are_used_to():
    assert shell_line(["echo", "it's"]) == r"echo 'it'\''s'"


class FullDisk:
    def write(self, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("stderr", [FullDisk(), None], ids=["full", "closed"])
def test_that_it_cannot_be_written_is_no_error(stderr, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stderr)
    print_to_stderr("something is wrong")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;38:5:9ma\x1b[m", "a"),
        ("\x1b[Ka\x1b[0K", "a"),
        ("\x1b[?25la\x1b[?2004h", "a"),
        ("a\x1b(B\x1b[m", "a"),
        ("\x1b]8;id=1;http://localhost/\x07a\x1b]8;;\x07", "a"),
        ("\x1b]8;;file:///b\x1b\\a\x1b]8;;\x1b\\", "a"),
        ("\x1b[2J\x1b[2A\x1b]0;b\x07\x1bc[K", "\x1b[2J\x1b[2A\x1b]0;b\x07\x1bc[K"),
    ],
)
def test_what_only_changes_the_look_of_a_text_is_left_out(text, shown):
    assert without_styles(text) == shown
