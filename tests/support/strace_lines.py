"""The lines that strace prints of a program, and those that render makes of the same program.

Both are normalised: addresses are ADDRESS, process ids PID0, PID1... in order of appearance.
"""

from __future__ import annotations

import difflib
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scopetrace.syscalls.render import render
from support.traced_calls import traced

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
DIFFERENCES = Path(__file__).parents[1] / "syscalls" / "differences.txt"
UNFINISHED = re.compile(r"(.*) <unfinished \.\.\.>")
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
ADDRESS = re.compile(r"0x[0-9a-f]{5,}")
NUMBER = re.compile(r"(?<![\w.])\d{3,}(?!\w)")

Line = tuple[str, str]
"""The id of a thread and its line."""


def _joined(lines: Iterable[str]) -> list[Line]:
    """Return whole lines of strace -f -o: a call that another thread interrupted is one line."""
    found, begun = [], dict[str, str]()
    for line in lines:
        tid, _, text = line.partition(" ")
        text = text.lstrip()
        if text.startswith(("+++", "---")):
            continue
        if part := UNFINISHED.fullmatch(text):
            begun[tid] = part[1]
        elif part := RESUMED.fullmatch(text):
            found.append((tid, begun.pop(tid) + part[1]))
        else:
            found.append((tid, text))
    return found


def normal(lines: Sequence[Line]) -> dict[str, list[str]]:
    """Return the lines of each thread without addresses and process ids."""
    tids = list(dict.fromkeys(tid for tid, _ in lines))
    names = {tid: f"PID{position}" for position, tid in enumerate(tids)}
    found: dict[str, list[str]] = {name: [] for name in names.values()}
    for tid, line in lines:
        text = NUMBER.sub(lambda match: names.get(match[0], match[0]), line)
        found[names[tid]].append(ADDRESS.sub("ADDRESS", text))
    return found


def strace_lines(
    argv: Sequence[str], folder: Path, *options: str, environment: Mapping[str, str] = ENVIRONMENT
) -> dict[str, list[str]]:
    """Return the lines of `strace -f` for each thread of a program."""
    output = folder / "strace.out"
    subprocess.run(
        ("strace", "-f", "-a1", "-o", output, *options, *argv),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return normal(_joined(output.read_text(errors="surrogateescape").splitlines()))


def rendered_lines(
    argv: Sequence[str], *, verbose: bool, environment: Mapping[str, str] = ENVIRONMENT
) -> dict[str, list[str]]:
    """Return the lines of render for each thread of a program."""
    calls = traced(argv, environment)
    return normal([(str(tid), render(call, verbose=verbose)) for tid, call in calls])


def listed() -> re.Pattern[str]:
    """Return what matches the lines that differ for a reason."""
    lines = DIFFERENCES.read_text().splitlines()
    return re.compile("|".join(line.split()[0] for line in lines if line and line[0] != "#"))


def different(theirs: list[str], ours: list[str]) -> list[str]:
    """Return the lines that only one has, without those that differ for a reason."""
    expected = listed()
    one, other = ([line for line in lines if not expected.search(line)] for lines in (theirs, ours))
    found = difflib.unified_diff(one, other, "strace", "render", n=0, lineterm="")
    return [line for line in found if re.match(r"[-+](?![-+])", line)]
