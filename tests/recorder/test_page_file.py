"""The file of `run --report`: pages are replaced, other files never."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from scopetrace.errors import ScopeError
from scopetrace.output.report import MARK
from scopetrace.recorder.page_file import check_page_file, write_page_file
from support.harness import Stage, scopetrace_command

PAGE = b"<!doctype html>" + MARK


def test_a_page_is_written_for_its_owner_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    for text in (PAGE + b"first, and longer", PAGE + b"second"):
        check_page_file(path)
        write_page_file(path, text)
        assert path.read_bytes() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("act", [check_page_file, lambda path: write_page_file(path, PAGE)])
def test_another_file_stays_as_it_is(tmp_path: Path, act) -> None:
    path = tmp_path / "notes.html"
    path.write_bytes(b"x" * 500 + MARK)

    with pytest.raises(ScopeError, match="exists already and is no report of scopetrace"):
        act(path)
    assert path.read_bytes() == b"x" * 500 + MARK


def test_what_cannot_be_written_is_said_before_the_program_runs(tmp_path: Path) -> None:
    with pytest.raises(ScopeError, match="there is no such folder"):
        check_page_file(tmp_path / "none" / "r.html")
    with pytest.raises(ScopeError, match="Is a directory"):
        check_page_file(tmp_path)


def test_a_page_is_there_when_the_program_has_ended(stage: Stage) -> None:
    stage.new_home()
    run = scopetrace_command("run", "--report", "r.html", "sh", "-c")
    ending = stage.run([*run, "cd /; echo hello; exit 4"])

    assert (ending.status, ending.stdout, ending.stderr) == (4, b"hello\n", b"")
    text = (stage.work / "r.html").read_text()
    assert MARK.decode() in text
    assert '"exit 4 after' in text
    assert '"stdout","hello"' in text
    assert (stage.work / "r.html").stat().st_uid == (
        os.geteuid() if stage.uid is None else stage.uid
    )


def test_the_program_does_not_run_if_another_file_would_be_lost(stage: Stage) -> None:
    stage.new_home()
    (stage.work / "mine").write_text("mine")
    ending = stage.run(scopetrace_command("run", "--report", "mine", "touch", "done"))

    assert ending.status == 1
    assert ending.stderr == (b"scopetrace: mine exists already and is no report of scopetrace\n")
    assert not (stage.work / "done").exists()


def test_a_folder_that_goes_away_is_one_sentence_at_the_end(stage: Stage) -> None:
    stage.new_home()
    stage.give(stage.work / "d")
    ending = stage.run(scopetrace_command("run", "--report", "d/r.html", "rmdir", "d"))

    assert ending.status == 0
    assert ending.stderr.startswith(b"scopetrace: cannot write ")
    assert ending.stderr.endswith(b"/d/r.html: No such file or directory\n")
