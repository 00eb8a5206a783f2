from __future__ import annotations

import json

import pytest

from scopetrace.cli.syscalls import ROWS_BEFORE
from scopetrace.query import syscalls
from support.packed_builder import call, end, record_calls, text

SCHED_YIELD = 24


@pytest.fixture
def session(home):
    """A session of a program that opens, reads and closes a file 30 times."""
    rows = []
    for turn in range(30):
        rows += [
            call("openat", -100, 0x2000, 0, 0, result=3, at=turn, memory=[text(1, "a")]),
            call("read", 3, 0x1000, 10, result=-9, at=turn + 0.1),
            call("close", 3, at=turn + 0.2),
        ]
    return record_calls(home, [*rows, end(0, at=31)])


def names(out):
    return [line.partition("(")[0] for line in out.splitlines()]


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("args", "count"),
    [
        ([], 20),
        (["-a"], 91),
        (["-n", "5"], 5),
        (["-n0"], 0),
        (["1", "-a"], 91),
        (["-e", "read", "-a"], 31),
        (["--failed", "-a"], 30),
        (["--errno", "EBADF", "-n", "7"], 7),
        (["--where", "name = 'close'", "-a"], 30),
        (["--fd", "3"], 90),
        (["--path", "/home/ann/a", "-n3"], 3),
        (["-p", "70", "-a"], 91),
        (["-p", "71"], 0),
        (["--format", "csv", "-n", "3"], 4),
    ],
)
def test_lines_are_chosen(scopetrace, args, count):
    status, out, _ = scopetrace("syscalls", *args)

    assert status == 0
    assert len(out.splitlines()) == count


@pytest.mark.usefixtures("session")
def test_lines_are_in_the_form_of_strace(scopetrace):
    _, out, err = scopetrace("syscalls", "-n4")

    assert err == ""
    assert names(out) == ["openat", "read", "close", "+++ exited with 0 +++"]


@pytest.mark.usefixtures("session")
def test_json_has_one_object_to_a_line(scopetrace):
    _, out, _ = scopetrace("syscalls", "-j", "-n", "2")

    close, ended = map(json.loads, out.splitlines())
    assert (close["name"], close["args"][0], close["pid"]) == ("close", 3, 70)
    assert (ended["name"], ended["call"]) == ("", "+++ exited with 0 +++")


def program(start, then):
    """Return the calls of a program that begins at a time: the loader's 30, and some of its own."""
    library = [text(1, "/lib/x86_64-linux-gnu/libc.so.6")]
    rows = [call("execve", 0x2000, 0, 0, result=0, memory=[text(0, "/bin/true")])]
    for _ in range(15):
        rows += [
            call("openat", -100, 0x2000, 0, 0, result=3, memory=library),
            call("close", 3),
        ]
    rows += [call("getppid", result=turn) for turn in range(then)]
    return [row._replace(time_ns=row.time_ns + start + at) for at, row in enumerate(rows)]


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param([1] * 200, id="start-ups are most of the last rows"),
        pytest.param([5000, 7], id="few start-ups are among the last rows"),
        pytest.param([3010], id="the last rows begin in a start-up"),
    ],
)
def test_the_last_lines_are_the_last_of_all_lines(scopetrace, home, calls):
    record_calls(home, [row for at, then in enumerate(calls) for row in program(at * 10_000, then)])
    everything = scopetrace("syscalls", "-a")[1].splitlines()

    for last in (1, 5, 20, 3000):
        assert scopetrace("syscalls", "-n", str(last))[1].splitlines() == everything[-last:]


def busy(turns):
    """Return the calls of a program that opens files, looks for others in vain, and repeats."""
    rows = []
    for at in range(turns):
        name = text(1, f"/home/ann/{at}")
        rows += [
            call("openat", -100, 0x2000, 0, 0, result=4, at=at, memory=[name]),
            call("read", 4, 0, 10, result=10, at=at + 0.1),
            call("read", 3, 0, 10, result=10, at=at + 0.2),
            call("openat", -100, 0x2000, 0, 0, result=-2, at=at + 0.3, memory=[name]),
            *(call("sched_yield", at=at + 0.4 + more / 100) for more in range(at % 7)),
            call("close", 4, at=at + 0.5),
        ]
    first = call("openat", -100, 0x2000, 0, 0, result=3, at=-1, memory=[text(1, "/home/ann/log")])
    return [first, *rows, end(0, at=turns)]


@pytest.mark.parametrize("level", ["beginner", "normal", "expert"])
def test_the_last_explained_lines_are_made_of_the_last_rows(scopetrace, home, monkeypatch, level):
    record_calls(home, busy(1500))
    everything = scopetrace("syscalls", "--level", level)[1].splitlines()
    read, read_row = [], syscalls.read_row
    monkeypatch.setattr(syscalls, "read_row", lambda row: read.append(row) or read_row(row))

    for last in (1, 20, 200):
        read.clear()
        found = scopetrace("syscalls", "--level", level, "-n", str(last))[1].splitlines()
        assert found == everything[-last:]
        assert sum(row[8] == SCHED_YIELD for row in read) < ROWS_BEFORE


def test_a_descriptor_is_named_as_it_was_at_each_call(scopetrace, home):
    rows = []
    for at, name in enumerate("ab"):
        opened = call("openat", -100, 0x2000, 0, 0, result=3, at=at, memory=[text(1, name)])
        rows += [opened, call("fsync", 3, at=at + 0.1), call("close", 3, at=at + 0.2)]
    record_calls(home, rows)

    _, out, _ = scopetrace("syscalls", "--fd", "3", "-j", "-n", "5")

    assert [json.loads(line)["call"] for line in out.splitlines()][::3] == [
        "fsync(3</home/ann/a>) = 0", "fsync(3</home/ann/b>) = 0",
    ]  # fmt: skip


@pytest.mark.usefixtures("session")
def test_the_summary_counts(scopetrace):
    _, out, _ = scopetrace("syscalls", "--summary", "-j")

    found = {body["name"]: body for body in map(json.loads, out.splitlines())}
    assert {name: (body["calls"], body["errors"]) for name, body in found.items()} == {
        "openat": (30, 0),
        "read": (30, 30),
        "close": (30, 0),
    }


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["-a", "-n", "3"], "--all and --last do not go together"),
        (["--summary", "-a"], "--summary and --all do not go together"),
        (["--summary", "-f"], "--summary and --follow do not go together"),
        (["--summary", "--explain"], "--summary and --explain do not go together"),
        (["-f", "--fd", "3"], "--follow and --fd do not go together"),
        (["--explain", "-j"], "--explain and --json do not go together"),
        (["-e", "raed"], "there is no system call raed; did you mean"),
        (["--errno", "EFOO"], "there is no error named EFOO"),
        (["--where", "foo"], "no call has a field named foo"),
    ],
)
def test_what_makes_no_sense_is_refused(scopetrace, args, sentence):
    status, out, err = scopetrace("syscalls", *args)

    assert (status, out) == (2, "")
    assert err.startswith(f"scopetrace: {sentence}")
    assert len(err.splitlines()) == 1


def test_a_session_without_calls_says_how_to_record_them(scopetrace, home):
    record_calls(home, [])

    status, _, err = scopetrace("syscalls")

    assert status == 1
    assert "run --syscalls" in err


def test_a_session_that_is_recorded_is_followed_to_its_end(scopetrace, home):
    record_calls(home, [call("read", 3)])

    _, out, _ = scopetrace("syscalls", "-f")

    assert names(out) == ["70    read"]


@pytest.mark.parametrize("level", ["beginner", "normal", "expert"])
def test_calls_are_explained(scopetrace, home, level):
    record_calls(home, [call("close", 3), call("read", 3, result=-9)])

    status, out, err = scopetrace("syscalls", "--level", level)

    assert (status, err) == (0, "")
    assert "    1 " in out and "Closed descriptor 3" in out
    assert ("rdi=0x3" in out) == (level == "expert")
    assert scopetrace("syscalls", "--explain")[1] == scopetrace("syscalls", "--level", "normal")[1]
