"""The lines of `syscalls` of recorded programs against those of strace."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.strace_lines import ENVIRONMENT, different, normal, strace_lines

SAME = 0.99
SCOPETRACE = (sys.executable, "-P", "-m", "scopetrace")
PROGRAMS = [
    ["/bin/busybox", "cat", "/etc/passwd"],
    ["/bin/busybox", "sh", "-c", "busybox true; exit 3"],
    ["/usr/bin/python3", "-I", "-S", "-c", "print(1)"],
    ["/usr/bin/curl", "-s", "file:///etc/passwd"],
]


OWN_ID = re.compile(r"^set_tid_address\(\S+ = (\d+)", re.MULTILINE)
FOLDER = re.compile(r"/\* \d+\+? entr\w+ \*/")
"""A recording keeps the beginning of a buffer, and so may not have all entries of a folder."""


def recorded_lines(argv: list[str], environment: dict[str, str]) -> dict[str, list[str]]:
    """Record a program and return its lines by thread."""
    nothing = subprocess.DEVNULL
    record = (*SCOPETRACE, "run", "-q", "--syscalls", "--", *argv)
    subprocess.run(record, env=environment, stdin=nothing, stdout=nothing, stderr=nothing)
    show = (*SCOPETRACE, "syscalls", "-a", "-A", "--no-fd-names")
    text = subprocess.run(show, env=environment, capture_output=True, text=True, check=True).stdout
    own = OWN_ID.search(text)
    lines = [split(line, own[1] if own else "") for line in text.splitlines()]
    return normal([line for line in lines if not line[1].startswith(("---", "+++"))])


def split(line: str, own: str) -> tuple[str, str]:
    """Return the id of the thread, which stands in front if there are several, and the call."""
    first, _, rest = line.partition(" ")
    return (first, rest.lstrip()) if first.isdigit() else (own, line)


def counted(lines: list[str]) -> list[str]:
    """Return lines without the number of entries of a folder."""
    return [FOLDER.sub("", line) for line in lines]


@pytest.mark.parametrize("argv", PROGRAMS, ids=" ".join)
def test_a_recording_has_the_lines_of_strace(argv: list[str], tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "SCOPETRACE_HOME": str(tmp_path / "home")}
    theirs = list(strace_lines(argv, tmp_path, environment=environment).values())
    ours = list(recorded_lines(argv, environment).values())
    assert len(theirs) == len(ours)
    found = [
        line
        for one, other in zip(theirs, ours, strict=True)
        for line in different(counted(one), counted(other))
    ]
    assert len(found) / 2 <= sum(map(len, theirs)) * (1 - SAME), "\n".join(found)
