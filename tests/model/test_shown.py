"""What `print_to_stderr` writes; what `escape` escapes is in tests/output/test_escape.py."""

from __future__ import annotations

import errno
import sys

import pytest

from scopetrace.model.shown import print_to_stderr, stderr_line


def test_a_sentence_is_one_line_that_no_terminal_obeys():
    assert stderr_line("no file named \x1b[31m\n") == "scopetrace: no file named \\x1b[31m\\n\n"


def test_it_is_written_to_standard_error(capsys):
    print_to_stderr("something is wrong")
    assert capsys.readouterr() == ("", "scopetrace: something is wrong\n")


class FullDisk:
    def write(self, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("stderr", [FullDisk(), None], ids=["full", "closed"])
def test_that_it_cannot_be_written_is_no_error(stderr, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stderr)
    print_to_stderr("something is wrong")
