"""Write scopetrace/syscalls/names.txt: the names of flags and of values, with what they stand for.

`make tables` runs it. The names and their order stand in sets.txt, the values come from the headers
of the kernel (linux-libc-dev) and of the C library that are installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
NAMES = HERE.parent / "scopetrace" / "syscalls" / "names.txt"
HEAD = """\
# Names of flags and values: SET, LABEL of what is not in it, NAME=VALUE... in order of printing.
# This file is made from tables/sets.txt and the headers of the system by `make tables`.

"""
MACRO = re.compile(r"^#define (\w+) \S", re.MULTILINE)
PREFIX = "value_of_"
CONSTANT = re.compile(rf"const long long {PREFIX}(\w+)")
QUAD = re.compile(rf"^{PREFIX}(\w+):\n\s+\.(?:quad\s+(-?\d+)|zero\s+8)", re.MULTILINE)
REFUSED = re.compile(r"<stdin>:(\d+):\d+: (?:error|note: in expansion)")
ENUM = re.compile(r"\benum\b[^;{}]*\{([^}]*)\}", re.DOTALL)
ENUMERATOR = re.compile(r"(?:^|,)\s*([A-Za-z_]\w*)")


class NameSet(NamedTuple):
    """One line of sets.txt."""

    name: str
    label: str
    headers: tuple[str, ...]
    patterns: tuple[str, ...]


def name_sets() -> Iterator[NameSet]:
    """Yield the sets of sets.txt."""
    for line in (HERE / "sets.txt").read_text().replace("\n ", " ").splitlines():
        if line and not line.startswith("#"):
            name, label, headers, *patterns = line.split()
            yield NameSet(name, label, tuple(headers.split(",")), tuple(patterns))


def included(headers: Iterable[str]) -> str:
    """Return the source that includes what exists of these headers."""
    lines = (f"#if __has_include(<{header}>)\n#include <{header}>\n#endif" for header in headers)
    return (
        "#include <stddef.h>\n#include <linux/types.h>\n#include <linux/ioctl.h>\n"
        + "\n".join(lines)
        + "\n"
    )


def compiled(source: str, *options: str) -> str:
    """Return what gcc prints for a source."""
    command = ("gcc", "-x", "c", "-D_GNU_SOURCE", "-w", *options, "-")
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
    return done.stdout


@cache
def defined(headers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of macros and enumerators of headers, in their order."""
    text = compiled(included(headers), "-E", "-dD")
    text = re.sub(r"^# .*$", "", text, flags=re.MULTILINE)
    found = [(match.start(), match[1]) for match in MACRO.finditer(text)]
    for enum in ENUM.finditer(text):
        found += [(enum.start(1) + m.start(), m[1]) for m in ENUMERATOR.finditer(enum[1])]
    return tuple(dict.fromkeys(name for _, name in sorted(found)))


def chosen(wanted: NameSet) -> Iterator[str]:
    """Yield the names of a set that its headers are to define, in order."""
    refused = [pattern[1:].strip("/") for pattern in wanted.patterns if pattern.startswith("-")]
    for pattern in wanted.patterns:
        if pattern.startswith("/"):
            names = (n for n in defined(wanted.headers) if re.fullmatch(pattern.strip("/"), n))
            yield from (n for n in names if not any(re.fullmatch(r, n) for r in refused))
        elif not pattern.startswith("-"):
            yield pattern


@cache
def values(headers: tuple[str, ...]) -> Mapping[str, int]:
    """Return what the names of all sets of these headers stand for, as the compiler says.

    Those that the headers lack, and those that are no numbers, are left out.
    """
    sets = [wanted for wanted in name_sets() if wanted.headers == headers]
    known = {name for wanted in sets for name in chosen(wanted)} & set(defined(headers))
    refused = not_numbers(headers, known)
    text = compiled(program(headers, known - refused), "-S", "-o", "-")
    return {name: int(value or 0) for name, value in QUAD.findall(text)}


def program(headers: tuple[str, ...], names: Iterable[str]) -> str:
    """Return a source whose constants are the values of names, one on each line."""
    lines = (f"const long long {PREFIX}{name} = (long long)({name});" for name in sorted(names))
    return included(headers) + "\n".join(lines) + "\n"


def not_numbers(headers: tuple[str, ...], names: Iterable[str]) -> set[str]:
    """Return the names that the compiler refuses where a number must stand."""
    command = ("gcc", "-x", "c", "-D_GNU_SOURCE", "-w", "-fsyntax-only", "-fmax-errors=0", "-")
    source = program(headers, names)
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    lines = source.splitlines()
    found = (lines[int(number) - 1] for number in REFUSED.findall(done.stderr))
    return {match[1] for line in found if (match := CONSTANT.match(line))}


def entries(wanted: NameSet) -> Iterator[tuple[str, int | None]]:
    """Yield the names of a set with their values, None for what the headers lack."""
    names = list(dict.fromkeys(chosen(wanted)))
    known = values(wanted.headers)
    for name in names:
        bare, _, value = name.partition("=")
        yield bare, int(value, 0) if value else known.get(name)


def unsigned(value: int) -> int:
    """Return a flag of the highest bit of an int as what it is in a register of 32 bits."""
    return value & 0xFFFFFFFF if -(1 << 31) <= value < -(1 << 16) else value


def line(wanted: NameSet) -> str:
    """Return the line of a set in names.txt."""
    known = ((name, value) for name, value in entries(wanted) if value is not None)
    words = [f"{name}={unsigned(value):#x}" for name, value in known]
    return " ".join((wanted.name, wanted.label, *words)) + "\n"


def lacking() -> Iterator[str]:
    """Yield the names that the installed headers do not have."""
    for wanted in name_sets():
        for name, value in entries(wanted):
            if value is None:
                yield f"{wanted.name}: {name}"


def main() -> None:
    """Write names.txt and say what the headers lack."""
    NAMES.write_text(HEAD + "".join(map(line, name_sets())))
    for name in lacking():
        print(f"the installed headers lack {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
