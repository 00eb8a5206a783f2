"""Lines of system calls: what stands before and behind them, and what is folded."""

from __future__ import annotations

import pytest

from scopetrace.model.whole_call import END
from scopetrace.output.event_times import EventTimes
from scopetrace.output.syscall_lines import CallLines, LineOptions, folded_lines
from scopetrace.query import open_session
from scopetrace.syscalls.recorded import read_row
from support.packed_builder import call, end, record_calls, signal, text
from support.session_builder import STARTED_NS


@pytest.fixture
def rows(tmp_path):
    """A program that starts, reads a file and ends."""
    path = record_calls(
        tmp_path,
        [
            call("execve", 0x1000, 0, 0, at=0.1, memory=[text(0, "/bin/cat")]),
            call("brk", 0, result=4096, at=0.2),
            call(
                "openat", -100, 0x2000, 0, 0, result=3, at=0.3, memory=[text(1, "/lib/libc.so.6")]
            ),
            call(
                "newfstatat",
                -100,
                0x2000,
                0,
                0,
                result=-2,
                at=0.35,
                memory=[text(1, "/lib/glibc-hwcaps/x86-64-v4")],
            ),
            call("read", 3, 0x1000, 10, result=5, at=0.4),
            call("close", 3, at=0.5),
            call("openat", -100, 0x2000, 0, 0, result=3, at=0.6, memory=[text(1, "a")], took=0.5),
            call("close", 3, at=0.7),
            signal(b"\x0f" + bytes(47), at=0.8),
            end(15, at=0.9),
        ],
    )
    with open_session(path) as session:
        yield [(made, files.copy()) for made, files in session.syscall_query().follow()]


def lines(rows, fold=None, **options):
    return [*folded_lines(rows, CallLines(LineOptions(**options)), fold)]


def test_the_start_of_a_program_is_one_line(rows):
    found = lines(rows, fold=frozenset())

    assert [line.split("(")[0] for line in found] == [
        "execve", "… 5 calls of the loader, 5 µs ", "openat", "close",
        "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=0, si_uid=0} ---",
        "+++ killed by SIGTERM +++",
    ]  # fmt: skip
    assert "-A" in found[1]


def test_what_scripts_before_a_program_did_is_one_line(rows):
    (exec_row, files), *others = rows
    script, other = (
        exec_row._replace(process=7),
        exec_row._replace(process=8, pid=72, duration_ns=9000),
    )
    before = [(row, files) for row in (script, other, script._replace(abi=END))]

    found = lines([*before, *rows, *before], fold=frozenset((7, 8)), pids=True)

    assert found[0].partition("… ")[2] == (
        "2 calls of 2 processes that looked for the program and started it, 9 µs (-A shows them)"
    )
    assert found[0].startswith(f"{script.pid} ")
    assert found[1:-1] == lines(rows, fold=frozenset(), pids=True)
    assert found[-1] == found[0]
    assert len(lines([*before, *others], pids=True)) == len(before) + len(others)


def test_without_folding_each_call_is_a_line(rows):
    assert len(lines(rows)) == len(rows)


def test_threads_times_and_durations_stand_around_a_line(rows):
    (made, files) = rows[6]

    (line,) = lines([(made, files)], pids=True, duration=True, times=EventTimes("rel", STARTED_NS))

    assert line.startswith("70    +0.600 openat(")
    assert line.endswith(" <0.500000>")


def test_the_same_call_is_the_same_line_and_another_descriptor_is_not(rows):
    maker = CallLines(LineOptions())
    close = [(made, files) for made, files in rows if made.name == "close"]

    assert maker.text(*close[0]) == maker.text(*close[0])
    assert close[0][1].names[3] != close[1][1].names[3]


def test_a_damaged_row_is_a_line(rows):
    made = read_row(tuple(rows[1][0]._replace(data=b"\x03")))

    assert CallLines(LineOptions()).text(made) == f"... row {made.id} is damaged ..."


def test_a_long_duration_is_exact(rows):
    (made, files) = rows[6]
    (line,) = lines([(made._replace(duration_ns=4_000_000_001_000), files)], duration=True)
    assert line.endswith(" <4000.000001>")
