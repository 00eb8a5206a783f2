"""Long answers go to a pager, on a terminal and nowhere else."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from scopetrace.cli.pager import DEFAULT, pager_command, rows

COMMAND = shlex.join([sys.executable, "-P", "-m", "scopetrace"])
LINES, COLUMNS = 24, 80


@pytest.fixture
def many(recorder: Any) -> None:
    """A session with more events than the screen has lines."""
    recorder.record(*(recorder.event("fs.open", file=f"/file{n}") for n in range(100)))


@pytest.fixture
def keeping(tmp_path: Path) -> str:
    """A pager that writes what it gets to paged.txt."""
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ncat > {tmp_path}/paged.txt\n")
    pager.chmod(0o755)
    return str(pager)


def on_terminal(arguments: str, **variables: str) -> tuple[str, int]:
    """Return what stands on the terminal in the end, and the exit status."""
    environ = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", **variables}
    out, status = pexpect.run(
        f"{COMMAND} {arguments}",
        env=environ,
        dimensions=(LINES, COLUMNS),
        encoding="utf-8",
        withexitstatus=True,
    )
    return out.replace("\r\n", "\n"), status


def test_an_answer_longer_than_the_screen_goes_to_the_pager(many, keeping, tmp_path):
    out, status = on_terminal("events -a", PAGER=keeping)

    assert (out, status) == ("", 0)
    paged = (tmp_path / "paged.txt").read_text().splitlines()
    assert len(paged) == 100
    assert max(map(len, paged)) <= COLUMNS
    assert [f"/file{n}" in line for n, line in enumerate(paged)] == [True] * 100


def test_an_answer_that_fits_does_not(many, keeping, tmp_path):
    out, status = on_terminal(f"events -n {LINES - 1}", PAGER=keeping)

    assert (out.count("\n"), status) == (LINES - 1, 0)
    assert not (tmp_path / "paged.txt").exists()
    on_terminal(f"events -n {LINES}", PAGER=keeping)
    assert (tmp_path / "paged.txt").exists()


def test_a_line_that_is_wrapped_takes_two_rows():
    assert rows("", 80) == 0
    assert rows("a\n\nb\n", 80) == 3
    assert rows(f"\x1b[32m{'x' * 80}\x1b[0m\n{'x' * 81}\n", 80) == 3
    assert rows("abc\n", 0) == rows("abc\n", 1) == 3  # a terminal may not say its width


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        ("--no-pager events -a", {}),
        ("events -a --no-pager", {}),
        ("events -a", {"SCOPETRACE_PAGER": ""}),
        ("events -a", {"PAGER": ""}),
        ("events -a", {"PAGER": "cat"}),
        ("events -a", {"PAGER": "no-such-pager"}),
        ("events -a", {"PAGER": "'unbalanced"}),
        ("events -a", {"TERM": "dumb"}),
        ("events -a -f", {}),
    ],
)
def test_the_pager_is_declined(arguments, variables, many, keeping, tmp_path):
    out, status = on_terminal(arguments, **{"PAGER": keeping, **variables})

    assert (out.count("/file"), status) == (100, 0)
    assert not (tmp_path / "paged.txt").exists()


def test_a_pipe_has_no_pager(many, keeping, tmp_path):
    script = shlex.quote(f"{COMMAND} events -a | wc -l")
    out = pexpect.run(f"sh -c {script}", env={**os.environ, "TERM": "xterm", "PAGER": keeping})

    assert out.split() == [b"100"]
    assert not (tmp_path / "paged.txt").exists()


def test_a_pager_that_is_quit_early_ends_the_command_with_success(many):
    out, status = on_terminal("events -a", PAGER="head -n 2")

    assert (out.count("\n"), status) == (2, 0)
    assert on_terminal("events -a", PAGER="true") == ("", 0)


def test_sentences_stand_where_they_were_written(recorder, keeping, tmp_path):
    rules = "scopetrace: {pathclasses: {loader: ['^/lib']}}"
    names = [*(f"/home/{n}" for n in range(40)), "/lib/x"]
    recorder.record(
        *(recorder.event("fs.error", file=name, op="openat", error="ENOENT") for name in names),
        config=rules,
    )
    out, status = on_terminal("files", PAGER=keeping)

    assert (out, status) == ("", 0)
    last = (tmp_path / "paged.txt").read_text().splitlines()[-1]
    assert last == "scopetrace: 1 start-up file hidden: -A shows it"


def test_less_is_the_pager_and_keeps_colours(many: None, needs: Callable[[str], str]) -> None:
    needs("less")
    environ = {name: value for name, value in os.environ.items() if name not in ("PAGER", "LESS")}
    environ |= {"TERM": "xterm"}
    environ.pop("NO_COLOR", None)
    with pexpect.spawn(
        f"{COMMAND} events -a --color always",
        env=environ,
        dimensions=(LINES, COLUMNS),
        encoding="utf-8",
    ) as child:
        child.expect_exact("/file22")
        assert "ESC" not in child.before
        child.sendcontrol("c")
        child.send("G")
        for _ in range(30):  # less throws away what was typed before it has seen the signal
            if child.expect_exact(["/file99", pexpect.TIMEOUT], timeout=1) == 0:
                break
            child.send("G")
        child.send("q")
        child.expect(pexpect.EOF)
    assert child.exitstatus == 0


def test_the_variables_are_tried_in_order():
    assert pager_command({"SCOPETRACE_PAGER": "head -n 3", "PAGER": "tail"}) == ["head", "-n", "3"]
    assert pager_command({"PAGER": "tail"}) == ["tail"]
    assert pager_command({}) in (DEFAULT, [])
