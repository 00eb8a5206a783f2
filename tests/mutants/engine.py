"""Alterations of C: a short list of operators, each a slip that a hand could make.

They work on lines, since the layout of the code (`make format`) has one statement on each: no
parser of C is needed, and what does not compile is drawn again.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from stage import ROOT, Mutant, files_below

SWAPS = [
    (" < ", " <= "),
    (" <= ", " < "),
    (" > ", " >= "),
    (" >= ", " > "),
    (" == ", " != "),
    (" != ", " == "),
    (" && ", " || "),
    (" || ", " && "),
    (" + ", " - "),
    (" - ", " + "),
    (" & ", " | "),
    (" += ", " -= "),
    (" | ", " & "),
    ("true", "false"),
    ("false", "true"),
    ("continue;", "break;"),
    ("break;", "continue;"),
    ("++", "--"),
    ("--", "++"),
    ("return 0;", "return -1;"),
    ("return true;", "return false;"),
]
STATEMENT = re.compile(r"^\s+(?!return\b|break\b|continue\b|goto\b|case\b)[a-z_]\w*[^{}]*;$")
DECLARATION = re.compile(r"^\s+(?:const |struct |static |enum |\w+_t |int |bool |size_t |char )")
NOT = re.compile(r"!(?=[a-z_(])")
NUMBER = re.compile(r"(?<![\w.])([1-9]\d?)(?![\w.])")
CODE = re.compile(r"^(?P<code>.*?)(?P<rest>\s*/\*.*\*/)?$")
TRACEES = "tests/engine/test_tracees.py"
CONCERNS = {
    "arguments": "opens paths odd_names page_edge",
    "async": "aio uring",
    "call": "opens refused restarts",
    "calls": "restarts int80 filtered",
    "effects": "dups close_range passed_fd unshared sockets",
    "engine": "face",
    "exit": "exit zombie killed core",
    "fatal_signals": "fatal filtered_end",
    "fd_names": "renamed names",
    "fork": "fork children processes untraced hidden",
    "interrupted_calls": "restarts longjmp alternate",
    "launch": "transparency recorder_ends",
    "loop": "group_stop threads face",
    "memory": "page_edge undumpable no_buffers",
    "messages": "vectors passed_fd sockets",
    "parts": "face",
    "payload": "vectors big_write no_buffers sockets",
    "proc": "users names children",
    "program_filters": "own_filter filtered supervised",
    "records": "opens face",
    "resolve": "paths relative names renamed",
    "ring": "face",
    "seccomp": "face table int80 dups refused own_filter",
    "signal_storms": "storm",
    "signals": "signal group_stop",
    "sockets": "sockets unix_names",
    "socket_final_state": "sockets",
    "syscalls": "table",
    "tally": "positions sendfile dups duration",
    "timer": "storm longer blocked",
    "tracee": "threads children",
    "transfer": "sendfile vectors positions",
    "wait": "exit_storm threads fatal",
    "write_order": "threads write duration",
}
"""Words in the names of the tests that an alteration of a file is likely to fail, where the name
of the file itself is no such word."""


def mutants(chance: random.Random, folders: Sequence[str]) -> Iterator[Mutant]:
    """Yield alterations of the C files in these folders, in an order drawn by chance."""
    places = [
        (path, at, altered, what)
        for path in files_below(folders, ".c")
        for at, line in enumerate((ROOT / path).read_text().splitlines())
        for altered, what in alterations(line)
    ]
    chance.shuffle(places)
    for path, at, altered, what in places:
        lines = (ROOT / path).read_text().splitlines()
        lines[at] = altered
        yield Mutant(path, at + 1, what, "\n".join([*lines, ""]))


def tests_of(mutant: Mutant) -> Iterator[list[str]]:
    """Yield the tests that an alteration may fail as arguments of pytest, the likeliest first."""
    folder, file = Path(mutant.path).parts[1:]
    if folder == "gate":
        yield ["tests/gate"]
        return
    words = CONCERNS.get(file.removesuffix(".c"), file.removesuffix(".c"))
    likeliest = " or ".join(words.split())
    yield ["tests/engine", "-k", f"({likeliest}) and not as-nobody"]
    others = f"not ({likeliest}) and not as-nobody"
    yield [TRACEES, "-k", others]
    yield ["tests/engine", "-k", others, f"--deselect={TRACEES}"]
    yield ["tests/engine", "-k", "as-nobody"]
    yield ["tests/recorder", "tests/programs"]


def alterations(line: str) -> Iterator[tuple[str, str]]:
    """Yield a line altered in each possible way, and what was altered."""
    if not line[:1].isspace() or line.lstrip().startswith(("/*", "*", "//", "#")):
        return
    found = CODE.match(line)
    assert found is not None
    code, rest = found["code"], found["rest"] or ""
    for altered in (*_swapped(code), *_pattern(NOT, code, ""), *_number(code)):
        yield altered + rest, f"{code.strip()} -> {altered.strip()}"
    if STATEMENT.match(code) and not DECLARATION.match(code):
        yield re.sub(r"\S.*", ";" + rest, code), f"{code.strip()} -> nothing"


def _swapped(code: str) -> Iterator[str]:
    for old, new in SWAPS:
        for found in re.finditer(re.escape(old), code):
            yield code[: found.start()] + new + code[found.end() :]


def _pattern(pattern: re.Pattern[str], code: str, new: str) -> Iterator[str]:
    for found in pattern.finditer(code):
        yield code[: found.start()] + new + code[found.end() :]


def _number(code: str) -> Iterator[str]:
    if DECLARATION.match(code) and "=" not in code:
        return  # a larger array does the same
    for found in NUMBER.finditer(code):
        yield code[: found.start()] + str(int(found[1]) + 1) + code[found.end() :]
