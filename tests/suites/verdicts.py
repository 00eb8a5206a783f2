"""What the output of a foreign suite says of its tests: each reader returns verdicts by name.

A verdict is PASS, FAIL, SKIP or, where a suite has no such words, what can be compared: an exit
status, or all that a program wrote. Names are made unique by a number.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as Xml
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

Verdicts = dict[str, str]
PASS, FAIL, SKIP = "PASS", "FAIL", "SKIP"
ENDING = "(ending)"
"""The name of the verdict about how the whole unit ended."""
JUNIT = "junit.xml"
"""In the folder of a run: what `python3 -m test` is asked to write."""

_BUSYBOX = re.compile(r"^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$", re.M)
_GO = re.compile(r"^\s*--- (PASS|FAIL|SKIP): (\S+)", re.M)
_TAP = re.compile(r"^(not )?ok (\d+)\b([^\n]*)$", re.M)
_TAP_DIRECTIVE = re.compile(r"#\s*(skip|todo)", re.I)
_VARYING = re.compile(r"0x[0-9a-f]{6,}|\b\d+(?:\.\d+)? ?m?s\b")


class Result(NamedTuple):
    """How a unit ended."""

    output: str
    """Of stdout and stderr."""
    status: int
    """Exit status; -N if signal N ended it, LATE if it was not allowed to end."""
    folder: Path
    """Where it ran."""


LATE = 999


def busybox(result: Result) -> Verdicts:
    """Read `PASS: name`; what was not built or not possible there is skipped."""
    words = {"SKIPPED": SKIP, "UNTESTED": SKIP}
    found = _BUSYBOX.findall(result.output)
    return _unique((name, words.get(word, word)) for word, name in found) | _ending(result)


def go(result: Result) -> Verdicts:
    """Read what `go test -v` says."""
    return _unique((name, word) for word, name in _GO.findall(result.output)) | _ending(result)


def tap(result: Result) -> Verdicts:
    """Read the Test Anything Protocol, of perl and git. A test that is to fail is no failure."""
    found = []
    for negated, number, rest in _TAP.findall(result.output):
        directive = _TAP_DIRECTIVE.search(rest)
        kind = directive[1].lower() if directive else ""
        found.append((number, SKIP if kind == "skip" else FAIL if negated and not kind else PASS))
    return _unique(found) | _ending(result)


def junit(result: Result) -> Verdicts:
    """Read the file that CPython's `python3 -m test` writes at its end."""
    path = result.folder / JUNIT
    if not path.exists():
        return _ending(result)
    cases = Xml.parse(path).getroot().iter("testcase")
    return _unique((case.get("name", ""), _junit_verdict(case)) for case in cases) | _ending(result)


def _junit_verdict(case: Xml.Element) -> str:
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return FAIL
    return SKIP if "skipped" in kinds else PASS


def status(result: Result) -> Verdicts:
    """Take the exit status alone, of suites that are one program for each test."""
    return _ending(result)


def everything(result: Result) -> Verdicts:
    """Compare all that a program wrote, without addresses and durations."""
    return {"(output)": _VARYING.sub("…", result.output)} | _ending(result)


def _ending(result: Result) -> Verdicts:
    return {ENDING: "LATE" if result.status == LATE else str(result.status)}


def _unique(verdicts: Iterable[tuple[str, str]]) -> Verdicts:
    """Give the second of a name the number 2, and so on."""
    seen: Counter[str] = Counter()
    named = {}
    for name, verdict in verdicts:
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} ({seen[name]})"] = verdict
    return named
