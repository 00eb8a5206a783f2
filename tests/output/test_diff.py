"""Differences as lines."""

from __future__ import annotations

import re

import pytest

from scopetrace.model.difference import Difference
from scopetrace.output.diff import ARROW, FEW, MOST_ROWS, describe, diff_lines
from scopetrace.output.width import display_width

ENDED = Difference("result", "process", "status", "make -j2", "exit 0", "exit 2")
MISSED = Difference("result", "file", "use", "./app.conf", "read", "not found")
RAN = Difference("only B", "process", "presence", "cc -c x.c", None, "exit 0", stands_for=3)
SIZED = Difference("content", "file", "bytes read", "/x", 5, 2048)
LOGGED = Difference("content", "log", "line", "/app.log", "2 done", "3 done")
PRINTED = Difference("only A", "stdout", "line", "stdout", "bye")
SLOW = Difference("slower", "process", "duration", "cc", 1000, 2_000_000)
ARGUED = Difference("content", "process", "arguments", "cc -O2 x", "", "-O2")


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (ENDED, f"make -j2: exit 0 {ARROW} exit 2"),
        (MISSED, f"./app.conf: read {ARROW} not found"),
        (RAN, "cc -c x.c (exit 0, 3 processes)"),
        (SIZED, f"/x: bytes read 5 B {ARROW} 2.0 KiB"),
        (SIZED._replace(a=100_000, b=100_001), f"/x: bytes read 100000 B {ARROW} 100001 B"),
        (LOGGED, f"/app.log: 2 done {ARROW} 3 done"),
        (PRINTED, "bye"),
        (SLOW, f"cc: 1.0 ms {ARROW} 2.0 s"),
        (ARGUED, f"cc -O2 x: arguments none {ARROW} -O2"),
    ],
)
def test_a_difference_in_words(difference: Difference, text: str) -> None:
    assert describe(difference) == text


def test_no_difference_is_no_line() -> None:
    assert list(diff_lines([], 80)) == []


def test_a_few_are_a_table() -> None:
    assert list(diff_lines([ENDED, MISSED], None)) == [
        "CHANGE  KIND     WHAT",
        f"result  process  make -j2: exit 0 {ARROW} exit 2",
        f"result  file     ./app.conf: read {ARROW} not found",
    ]


def test_classes_are_painted_if_wanted() -> None:
    plain = list(diff_lines([ENDED, RAN, SIZED, SLOW], 80))
    painted = list(diff_lines([ENDED, RAN, SIZED, SLOW], 80, color=True))

    assert painted[0] == plain[0]
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in painted] == plain
    assert all(line.startswith("\x1b[9") for line in painted[1:])


def test_of_many_the_answers_stand_first() -> None:
    files = [
        SIZED._replace(change="only A", subject=f"/f{at}", a="read", b=None) for at in range(FEW)
    ]
    lines = list(diff_lines([ENDED, RAN, *files, PRINTED], None))

    assert lines[:5] == [
        f"ended      make -j2: exit 0 {ARROW} exit 2",
        "ran        only B: cc -c x.c (exit 0, 3 processes)",
        "used       only A: /f0 (read); only A: /f1 (read); only A: /f2 (read); and 7 more",
        "output     only A: bye",
        "",
    ]
    assert len(lines) == 5 + 1 + FEW + 3


def test_of_stderr_the_answer_is_the_last_line() -> None:
    lines = [PRINTED._replace(kind="stderr", a=f"line {at}") for at in range(FEW + 1)]

    assert next(iter(diff_lines(lines, 80))) == f"output     only A: line {FEW}; and {FEW} more"


def test_many_lines_of_one_stream_are_cut_if_wanted() -> None:
    lines = [PRINTED._replace(a=f"line {at}") for at in range(MOST_ROWS + 5)]
    shown = list(diff_lines(lines, 80, cut=True, color=True))

    assert shown[-1].endswith("5 more lines of stdout (-A shows them)")
    assert len(shown) == len(list(diff_lines(lines, 80))) - 4


def test_many_files_of_one_folder_are_cut_if_wanted() -> None:
    used = SIZED._replace(change="only A", aspect="presence", a="read", b=None)
    files = [used._replace(subject=f"/lib/f{at}") for at in range(MOST_ROWS + 5)]
    shown = list(diff_lines([*files, ENDED, MISSED], 80, cut=True))

    assert shown[-1].split() == [
        "only",
        "A",
        "file",
        "5",
        "more",
        "files",
        "in",
        "/lib",
        "(-A",
        "shows",
        "them)",
    ]
    assert len(shown) == len(list(diff_lines([*files, ENDED, MISSED], 80))) - 4


@pytest.mark.parametrize("width", [80, 120, 200])
def test_lines_fit_the_terminal_and_show_how_it_ended(width: int) -> None:
    long = ENDED._replace(subject="make " * 100)
    lines = list(diff_lines([long] * (FEW + 2), width))

    assert all(display_width(line) <= width for line in lines)
    assert lines[-1].endswith(f"exit 0 {ARROW} exit 2")


def test_hostile_text_stays_text() -> None:
    hostile = [PRINTED._replace(a="\x1b[2J\u202e")] * (FEW + 1)

    assert "\x1b" not in "".join(diff_lines(hostile, 80))
    assert "\x1b" not in "".join(diff_lines(hostile[:1], None))


USED = Difference(
    "content", "file", "use", "/home/ann/work/app.conf", "read, deleted, not found", "read, written"
)


@pytest.mark.parametrize(
    ("difference", "line"),
    [
        (
            USED,
            f"content  file  /home/ann/work/app.conf: read, deleted, not found {ARROW} re…",
        ),
        (
            ENDED._replace(subject="/usr/lib/gcc/cc1 -quiet -imultiarch x86_64 main.c"),
            f"result  process  cc1 -quiet -imultiarch x86_64 main.c: exit 0 {ARROW} exit 2",
        ),
    ],
)
def test_a_cut_row_keeps_what_it_is_about(difference: Difference, line: str) -> None:
    assert list(diff_lines([difference], 70))[1:] == [line]
