"""Rows that no recorder wrote: whatever they hold, no command ends with an exception.

Calls of all kinds, with random memory, are damaged: columns of other types, missing and huge
numbers, bytes that are cut, changed or none of a call. The table has no types here, as no page of a
damaged file has.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopetrace.cli import main
from scopetrace.model.whole_call import FOUND, WholeCall
from scopetrace.syscalls.rows import rows
from support.packed_builder import call, end, pack_call, signal, text
from support.random_calls import random_call
from support.session_builder import SECOND, STARTED_NS, begin, event
from support.thorough import THOROUGH

FORMS = (
    ("--path", "/home/ann/a"), ("--fd", "3"), ("-j",), ("-a", "-v"), ("-e", "%file"),
    ("--format", "csv"), ("-t", "delta", "-T", "-A", "-s", "100000"), ("-p", "70"), ("--failed",),
    ("--errno", "EINVAL"), ("--where", "duration_ms >= 0 OR error = 'EPERM' OR name = 'read'"),
    ("--where", "failed OR abi = 'i386' OR pid + tid + number + result + time_ns"),
    ("--summary",), ("--summary", "-j"), ("--explain",), ("--explain", "-A", "--failed"),
    *(("--level", level) for level in ("beginner", "normal", "expert")),
)  # fmt: skip
"""Options of `scopetrace syscalls`."""
WHOLE = (("-j",), ("-a", "-v"), ("--summary",), ("--explain",))
"""Those that show something of any session."""
COLUMNS = ("time_ns", "duration_ns", "process", "tid", "abi", "number", "result", "data")
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-1, 20),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.binary(max_size=64),
)
RANDOM = 40
"""Calls of random rows in a session."""
FAILED_AT = 0.5
ROWS = RANDOM + 8
DAMAGE = st.lists(st.tuples(st.integers(1, ROWS), st.sampled_from(COLUMNS), VALUES), max_size=12)


def damaged_bytes(data: bytes, choose: random.Random) -> bytes:
    """Return the bytes of a call, cut, or with some of them changed."""
    changed = bytearray(data[: choose.randrange(len(data) + 1)] if choose.random() < 0.5 else data)
    for _ in range(choose.randrange(4) if changed else 0):
        changed[choose.randrange(len(changed))] = choose.choice(
            [0, 0x7F, 0xFF, choose.getrandbits(8)]
        )
    return bytes(changed)


def calls(choose: random.Random) -> Iterator[WholeCall]:
    """Yield a program of ordinary calls, then random ones, each second one with bytes that lie."""
    yield call("execve", 0x1000, 0, 0, at=0.1, memory=[text(0, "/bin/cat")])
    yield WholeCall(STARTED_NS, 0, 1, 70, FOUND, 0, None, b"/dev/null")
    yield call("openat", -100, 0x2000, 0, 0, result=3, at=0.2, memory=[text(1, "a")])
    yield call("read", 3, 0x1000, 10, result=5, at=0.3)
    yield call("clone", 0, result=71, at=0.4)
    yield call("openat", -100, 0x2000, 0, 0, result=-2, at=FAILED_AT, tid=71, memory=[text(1, "b")])
    for number, row in enumerate(choose.choices([*rows()], k=RANDOM)):
        made = random_call(row, choose)
        data = pack_call(made.args, made.memory)
        data = damaged_bytes(data, choose) if number % 2 else data
        time_ns = STARTED_NS + (1 + number) * SECOND
        yield WholeCall(time_ns, 1000, 1, 70, made.abi, made.number, made.result, data)
    yield signal(bytes([17, *choose.randbytes(47)]), at=90)
    yield end(15, at=91)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session whose table of calls takes values of any type."""
    writer = begin(tmp_path_factory.mktemp("damaged"))
    writer.add_events([event("fs.error", FAILED_AT, op="openat", file="/b", error="ENOENT")])
    writer.finish()
    path = writer.path
    with closing(sqlite3.connect(path)) as db:
        (schema,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'syscall'").fetchone()
        db.execute("DROP TABLE syscall")
        db.execute(schema.replace("STRICT", "").replace("NOT NULL", ""))
        db.execute("CREATE INDEX syscall_time ON syscall (time_ns)")
    return path


def write(path: Path, choose: random.Random, damage: list[tuple[int, str, object]]) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM syscall")
        for made in calls(choose):
            db.execute(f"INSERT INTO syscall VALUES (NULL{', ?' * len(made)})", made)
        for row, column, value in damage:
            db.execute(f"UPDATE syscall SET {column} = ? WHERE id = ?", (value, row))


def run(*args: str) -> tuple[int, str, str]:
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        status = main(args)
    return status, out.getvalue(), err.getvalue()


@given(st.integers(0, 1 << 32), DAMAGE)
@settings(max_examples=60 if THOROUGH else 12)
def test_no_form_of_an_answer_ends_with_an_exception(file, seed, damage):
    write(file, random.Random(seed), damage)

    for form in FORMS:
        status, out, err = run("syscalls", str(file), *form)
        assert status == 0, (form, err)
        assert out or form not in WHOLE
    assert run("events", "1", "--id", str(file))[0] == 0
    for number in range(1, ROWS + 1):
        status, _, err = run("explain", str(number), "--id", str(file))
        assert status == 0 or "damaged" in err or "no system call" in err, err
