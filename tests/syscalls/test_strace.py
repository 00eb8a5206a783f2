"""The lines of real programs against those of strace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from support.harness import Compile
from support.strace_lines import different, rendered_lines, stale, strace_lines, unexpected

SAME = 0.99
COMPILED = ((), ("-m32",))
VALUES = ("-1", "0")
"""Of all arguments."""
Pairs = list[tuple[list[str], list[str]]]
"""The lines of strace and ours, of each thread."""
EveryCall = Callable[[Sequence[str], str], Pairs]
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
    program = Path(argv[0]).name
    found = [line for tid in theirs for line in unexpected(theirs[tid], ours.get(tid, []), program)]
    count = sum(map(len, theirs.values()))
    assert len(found) / 2 <= count * (1 - SAME), "\n".join(found)


@pytest.fixture
def every_call(compile_tracee: Compile, tmp_path: Path) -> EveryCall:
    """Return what makes every call: a function of what is compiled how, and with which value."""

    def run(flags: Sequence[str], value: str) -> Pairs:
        argv = [str(compile_tracee("every_call", "-static", *flags)), value]
        theirs = strace_lines(argv, tmp_path, "-v")
        ours = rendered_lines(argv, verbose=True)
        return [(theirs[tid], ours[tid]) for tid in theirs]

    return run


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("flags", COMPILED, ids=["x86-64", "i386"])
def test_every_call_has_the_line_of_strace(
    flags: Sequence[str], value: str, every_call: EveryCall
) -> None:
    """All flags set or none, addresses that cannot be read: no line may differ."""
    assert [unexpected(*pair, "every_call") for pair in every_call(flags, value)] == [[]]


def test_each_difference_that_is_listed_of_every_call_is_there(every_call: EveryCall) -> None:
    pairs = [pair for flags in COMPILED for value in VALUES for pair in every_call(flags, value)]
    lines = [line for theirs, ours in pairs for line in theirs + ours]
    found = [line[1:] for pair in pairs for line in different(*pair)]

    assert stale("every_call", lines, found) == []


@pytest.mark.parametrize("flags", COMPILED, ids=["x86-64", "i386"])
def test_results_and_what_depends_on_a_command_are_as_in_strace(
    flags: Sequence[str], compile_tracee: Compile, tmp_path: Path
) -> None:
    argv = [str(compile_tracee("answered", "-static", *flags))]
    theirs = strace_lines(argv, tmp_path, "-v")["PID0"]
    ours = rendered_lines(argv, verbose=True)["PID0"]
    assert unexpected(theirs, ours, "answered") == []
    found = [line[1:] for line in different(theirs, ours)]
    assert stale("answered", theirs, found) == []
