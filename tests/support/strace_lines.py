"""The lines that strace prints of a program, and those that render makes of the same program.

Both are normalised: addresses are ADDRESS, process ids PID0, PID1... in order of appearance.
"""

from __future__ import annotations

import difflib
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from scopetrace.syscalls.render import render
from support.traced_calls import traced

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
DIFFERENCES = Path(__file__).parents[1] / "syscalls" / "differences.txt"
ANY = "*"
"""In place of a program: all of them."""
UNFINISHED = re.compile(r"(.*) <unfinished \.\.\.>")
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
INTERRUPTED = re.compile(r"(.*) = \? ERESTART\w+ \(.*\)")
EINTR = " = -1 EINTR (Interrupted system call)"
RETURNS = "rt_sigreturn("
OF_THE_RUN = re.compile(
    r"""
    (\b(?:\w*time(?:_nsec)?|\w*tv_[nu]?sec|stx?_ino|d_ino|d_off|st_nlink|stx_mnt_id|si_[us]time))
        =-?\d+(?:\ /\*\ [^*]*\ \*/)?
    | (?<=sin_port=)htons\(\d+\)
    | (?<=socket:\[)\d+
    | (?<=,\ )data=\{u32=\d+,\ u64=\d+\}
    | (?<=^getrandom\()"[^"]*"
    """,
    re.VERBOSE,
)
"""What differs between two runs: times, inodes, ports, pointers given to epoll."""
ADDRESS = re.compile(r"0x[0-9a-f]{5,}")
NUMBER = re.compile(r"(?<![\w.])\d{3,}(?!\w)")

Line = tuple[str, str]
"""The id of a thread and its line."""


def joined(lines: Iterable[str]) -> list[Line]:
    """Return whole lines of strace -f -o: a call that another thread interrupted is one line."""
    found, begun = [], dict[str, str]()
    for line in lines:
        tid, _, text = line.partition(" ")
        text = text.lstrip()
        if part := UNFINISHED.fullmatch(text):
            begun[tid] = part[1]
        elif part := RESUMED.fullmatch(text):
            found.append((tid, begun.pop(tid) + part[1]))
        else:
            found.append((tid, text))
    return found


def whole(lines: Iterable[Line]) -> list[Line]:
    """Return calls that a signal interrupted as one line, with what they returned in the end.

    strace has a line for each time that a call is left; a recording has one for the call.
    """
    found: list[Line] = []
    waiting = defaultdict[str, list[int]](list)
    """The places of the interrupted calls of each thread, the innermost last."""
    before = defaultdict[str, str](str)
    """The last line of each thread that is no signal."""
    for tid, text in lines:
        places, last = waiting[tid], before[tid]
        if not text.startswith("---"):
            before[tid] = text
        if places and _goes_on(found[places[-1]][1], last, text):
            place = places.pop()
            begin = found[place][1].rpartition(EINTR)[0]
            if INTERRUPTED.fullmatch(text):
                places.append(place)
            elif text.startswith("restart_syscall("):
                found[place] = (tid, begin + text[text.rindex(" = ") :])
            else:
                found[place] = (tid, text)
            continue
        if part := INTERRUPTED.fullmatch(text):
            places.append(len(found))
            text = part[1] + EINTR
        elif places and text.startswith(RETURNS) and text.endswith(EINTR):
            places.pop()
        found.append((tid, text))
    return found


def _goes_on(interrupted: str, last: str, text: str) -> bool:
    """Return whether a line is an interrupted call that goes on after the line `last`."""
    name = interrupted.partition("(")[0]
    resumes = text.startswith((f"{name}(", "restart_syscall("))
    return resumes and last.startswith((f"{name}(", "restart_syscall(", RETURNS))


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
    lines = joined(output.read_text(errors="surrogateescape").splitlines())
    return normal([line for line in lines if not line[1].startswith(("+++", "---"))])


def rendered_lines(
    argv: Sequence[str], *, verbose: bool, environment: Mapping[str, str] = ENVIRONMENT
) -> dict[str, list[str]]:
    """Return the lines of render for each thread of a program."""
    calls = traced(argv, environment)
    return normal([(str(tid), render(call, verbose=verbose)) for tid, call in calls])


class Difference(NamedTuple):
    """A row of differences.txt."""

    programs: tuple[str, ...]
    expression: re.Pattern[str]
    is_in_each_run: bool

    def is_about(self, program: str) -> bool:
        return program in self.programs or ANY in self.programs


def listed() -> list[Difference]:
    """Return the rows of differences.txt."""
    lines = (line.split() for line in DIFFERENCES.read_text().splitlines() if line)
    return [
        Difference(
            tuple(words[0].split(",")), re.compile(words[1].removeprefix("!")), words[1][0] == "!"
        )
        for words in lines
        if words[0] != "#"
    ]


def stale(program: str, lines: Collection[str], different: Collection[str]) -> list[str]:
    """Return the rows that name a program without need.

    Args:
        lines: all that the program made.
        different: those that only strace or only the recording has.
    """
    return [
        row.expression.pattern
        for row in listed()
        if program in row.programs
        and not any(map(row.expression.search, different if row.is_in_each_run else lines))
    ]


def counted(lines: Iterable[Line], tids: Collection[str]) -> Counter[str]:
    """Return how often each line is there, of any process, without what differs between runs.

    `tids` are those of all runs that are compared: a size that is by chance the id of a thread of
    one of them is PID in each.
    """
    found = Counter[str]()
    for _, line in lines:
        text = NUMBER.sub(lambda match: "PID" if match[0] in tids else match[0], line)
        found[OF_THE_RUN.sub(lambda match: f"{match[1]}=RUN", ADDRESS.sub("ADDRESS", text))] += 1
    return found


def expected(program: str) -> re.Pattern[str]:
    """Return what matches the lines of a program that differ for a reason."""
    return re.compile("|".join(row.expression.pattern for row in listed() if row.is_about(program)))


def unlisted(lines: Counter[str], program: str) -> Counter[str]:
    """Return the lines that are not expected to differ in a recording of a program."""
    known = expected(program)
    return Counter({line: count for line, count in lines.items() if not known.search(line)})


def different(theirs: list[str], ours: list[str]) -> list[str]:
    """Return the lines that only one has, + or - in front."""
    found = difflib.unified_diff(theirs, ours, "strace", "render", n=0, lineterm="")
    return [line for line in found if re.match(r"[-+](?![-+])", line)]


def unexpected(theirs: list[str], ours: list[str], program: str) -> list[str]:
    """Return the lines that only one has, without those that differ for a reason."""
    known = expected(program)
    one, other = ([line for line in lines if not known.search(line)] for lines in (theirs, ours))
    return different(one, other)
