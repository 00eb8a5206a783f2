"""Alterations of C: a short list of operators, each a slip that a hand could make.

They work on lines, since the layout of the code (`make format`) has one statement on each: no
parser of C is needed, and what does not compile is drawn again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stage import ROOT, Mutant

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


def mutants() -> Iterator[Mutant]:
    """Yield every alteration of the engine, of the ring and of what depends on the CPU."""
    for path in sorted(ROOT.glob("ext/**/*.c")):
        name, lines = str(path.relative_to(ROOT)), path.read_text().splitlines(keepends=True)
        for at, line in enumerate(lines):
            for altered, what in alterations(line.rstrip("\n")):
                text = "".join([*lines[:at], altered + "\n", *lines[at + 1 :]])
                yield Mutant(name, at + 1, what, text)


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
