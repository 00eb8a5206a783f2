"""The lines of real programs against those of strace."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.harness import Compile
from support.strace_lines import different, rendered_lines, strace_lines

SAME = 0.99
PROGRAMS = [
    ["/bin/busybox", "true"],
    ["/bin/busybox", "ls", "-l", "/etc"],
    ["/bin/busybox", "cat", "/etc/passwd"],
    ["/bin/busybox", "id"],
    ["/bin/busybox", "uname", "-a"],
    ["/bin/busybox", "find", "/etc/apt"],
    ["/bin/busybox", "sh", "-c", "busybox true; exit 3"],
    ["/usr/bin/python3", "-I", "-S", "-c", "print(1)"],
    ["/usr/bin/git", "--version"],
    ["/usr/bin/curl", "-s", "file:///etc/passwd"],
]


@pytest.mark.parametrize("verbose", [False, True], ids=["short", "verbose"])
@pytest.mark.parametrize("argv", PROGRAMS, ids=" ".join)
def test_a_program_has_the_lines_of_strace(argv: list[str], verbose: bool, tmp_path: Path) -> None:
    theirs = strace_lines(argv, tmp_path, *(["-v"] if verbose else []))
    ours = rendered_lines(argv, verbose=verbose)
    found = [line for tid in theirs for line in different(theirs[tid], ours.get(tid, []))]
    count = sum(map(len, theirs.values()))
    assert len(found) / 2 <= count * (1 - SAME), "\n".join(found)


@pytest.mark.parametrize("value", ["-1", "0"])
@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["x86-64", "i386"])
def test_every_call_has_the_line_of_strace(
    flags: tuple[str, ...], value: str, compile_tracee: Compile, tmp_path: Path
) -> None:
    """All flags set or none, addresses that cannot be read: no line may differ."""
    argv = [str(compile_tracee("every_call", "-static", *flags)), value]
    theirs = strace_lines(argv, tmp_path, "-v")
    ours = rendered_lines(argv, verbose=True)
    assert [line for tid in theirs for line in different(theirs[tid], ours[tid])] == []
