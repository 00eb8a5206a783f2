"""System calls with their explanations, at the three levels."""

from __future__ import annotations

from itertools import chain

import pytest

from scopetrace.explain.subject import Subject
from scopetrace.output import syscall_explained
from scopetrace.output.syscall_explained import Explaining, explained_entries, introduction
from scopetrace.output.syscall_lines import CallLines, LineOptions
from scopetrace.query import open_session
from support.packed_builder import call, end, record_calls, signal, text

CWD = -100 & 0xFFFFFFFF


@pytest.fixture
def lines(tmp_path):
    """A program that starts, looks for a file in vain, and is ended by a signal."""
    path = record_calls(
        tmp_path,
        [
            call("execve", 0x1000, 0, 0, at=0.1, memory=[text(0, "/bin/cat")]),
            call("brk", 0, result=4096, at=0.2),
            call("openat", CWD, 0x2000, 0, 0, result=-2, at=0.3, memory=[text(1, "/a/b")]),
            call("getpid", result=70, at=0.4),
            signal(b"\x0f" + bytes(47), at=0.8),
            end(15, at=0.9),
        ],
    )

    def explain(level: str, columns: int = 80) -> list[str]:
        data = {"op": "openat", "error": "ENOENT", "file": "/a/b", "missing_folder": "/a"}
        how = Explaining(level, columns, lambda made: data if made.error else {}, lambda path: True)
        with open_session(path) as session:
            rows = session.syscall_query().follow()
            entries = explained_entries(rows, CallLines(LineOptions()), frozenset(), how)
            return [*introduction(how), *chain.from_iterable(entries)]

    return explain


def test_a_sentence_stands_under_each_call_with_its_reason(lines):
    found = lines("normal")

    at = found.index(
        '    3 openat(AT_FDCWD, "/a/b", O_RDONLY) = -1 ENOENT (No such file or directory)'
    )
    assert found[at + 1] == (
        "        Could not open /a/b for reading: there is no folder /a (ENOENT)."
    )
    assert "… 1 call of the loader" in "".join(found)
    assert "        Process 70 was ended by SIGTERM." in found


def test_registers_are_for_experts(lines):
    assert "x86-64 call 257: rdi=0x" in "".join(lines("expert"))
    assert "x86-64 call 39: = " in "".join(lines("expert"))
    assert "rdi" not in "".join(lines("normal"))


def test_acts_are_for_beginners(lines):
    found = lines("beginner")

    assert found[0].startswith("What the program asked of the kernel")
    assert "    1 Became the program /bin/cat [execve]" in found
    text = " ".join(" ".join(found).split())
    assert "3 Could not open /a/b for reading: there is no folder /a (ENOENT) [open]" in text
    assert "Asked for the process's own number: 70 [getpid]" in text
    assert "The signal SIGTERM came" in text and "was ended by SIGTERM" in text


@pytest.mark.parametrize("level", ["beginner", "normal", "expert"])
@pytest.mark.parametrize("columns", [40, 60, 80])
def test_lines_fit(lines, level, columns):
    assert max(map(len, lines(level, columns))) <= columns


def test_calls_that_repeat_the_one_before_are_one_line(tmp_path):
    memory = [text(1, "/a"), text(1, "/b")]
    asked = [call("rt_sigaction", number, 0, 0, 8, at=0.1) for number in range(1, 6)]
    looked = [call("openat", CWD, 0x2000, 0, 0, result=-2, at=0.2, memory=[m]) for m in memory]
    path = record_calls(tmp_path, [*asked, *looked, call("getpid", result=70, at=0.4)])
    how = Explaining("normal", 80, lambda made: {}, lambda path: True)

    with open_session(path) as session:
        rows = session.syscall_query().follow()
        entries = explained_entries(rows, CallLines(LineOptions()), frozenset(), how)
        found = [*chain.from_iterable(entries)]

    assert "      … 4 more calls of rt_sigaction like it, 4 µs (-A shows them)" in found
    assert sum("openat" in line for line in found) == 2
    assert any("getpid" in line for line in found)


def test_calls_that_are_equal_are_counted_and_not_spelled_out(tmp_path, monkeypatch):
    spelled = []
    monkeypatch.setattr(
        syscall_explained,
        "Subject",
        lambda made, *more: spelled.append(made.id) or Subject(made, *more),
    )
    rows = [call("getppid", result=1, at=at) for at in range(50)]
    rows += [call("getppid", result=2, at=50), call("getpid", result=70, at=51)]
    how = Explaining("normal", 80, lambda made: {}, lambda path: True)

    with open_session(record_calls(tmp_path, rows)) as session:
        rows = session.syscall_query().follow()
        found = [*explained_entries(rows, CallLines(LineOptions()), frozenset(), how)]

    assert ["      … 50 more calls of getppid like it, 50 µs (-A shows them)"] in found
    assert len(spelled) == 6
