"""The verdicts of a unit natively and recorded, and what differs between them."""

from __future__ import annotations

import fnmatch
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from suites.unit import NATIVE, Unit
from suites.verdicts import ENDING, FAIL, PASS, SKIP, Verdicts

VARYING = Path(__file__).with_name("varying.txt")
"""Lines of suite, unit: test (both as patterns of fnmatch) and the reason, with tabs between."""
ABSENT = "absent"
"""The verdict of a test of which nothing was said."""


class Difference(NamedTuple):
    """A test whose verdict is not the native one."""

    test: str
    mode: str
    native: str
    recorded: str
    again: bool
    """Whether it differed in the second run, and the native verdict was the same."""


def run_suite(suite: str, units: Sequence[Unit], modes: Sequence[str]) -> list[Difference]:
    """Run all units, print a line for each of them and of their differences, and return these."""
    rows = [row.split("\t") for row in VARYING.read_text().splitlines()]
    ignored = [row[1] for row in rows if row[0] == suite]
    found: list[Difference] = []
    total: Counter[str] = Counter()
    for unit in units:
        began = time.monotonic()
        native = unit.verdicts(NATIVE)
        total.update(native.values())
        own = [each for each in differences(unit, native, modes) if not listed(unit, each, ignored)]
        taken_s = time.monotonic() - began
        print(f"{suite} {unit.name}: {len(native)} verdicts, {len(own)} differ, {taken_s:.0f} s")
        for each in own:
            print(f"    {line(each)}")
        found += own
        sys.stdout.flush()
    again = sum(each.again for each in found)
    counted = ", ".join(f"{total[word]} {word}" for word in (PASS, FAIL, SKIP))
    print(f"{suite}: {len(units)} units ({counted}); {again} differ, {len(found) - again} vary")
    return found


def listed(unit: Unit, each: Difference, ignored: Sequence[str]) -> bool:
    """Tell whether varying.txt has a test."""
    return any(fnmatch.fnmatchcase(f"{unit.name}: {each.test}", pattern) for pattern in ignored)


def differences(unit: Unit, native: Verdicts, modes: Sequence[str]) -> Iterator[Difference]:
    """Run a unit in the other modes; twice if a verdict differs."""
    for mode in modes:
        first = {} if mode == NATIVE else unlike(native, unit.verdicts(mode))
        if not first:
            continue
        native_again = unit.verdicts(NATIVE)
        second = unlike(native_again, unit.verdicts(mode))
        for test, recorded in first.items():
            before, after = native.get(test, ABSENT), native_again.get(test, ABSENT)
            yield Difference(test, mode, before, recorded, before == after and test in second)


def unlike(native: Mapping[str, str], recorded: Mapping[str, str]) -> dict[str, str]:
    """Return the tests whose verdicts differ, with the one that they had when recorded.

    Of a unit that said nothing, for it was late or crashed, that is its ending alone.
    """
    compared = recorded if set(recorded) == {ENDING} else {**native, **recorded}
    return {
        test: recorded.get(test, ABSENT)
        for test in compared
        if native.get(test, ABSENT) != recorded.get(test, ABSENT)
    }


def line(each: Difference) -> str:
    """Return a difference as a line; of texts their first lines that differ."""
    word = "differs" if each.again else "varies"
    pairs = zip_longest(each.native.splitlines(), each.recorded.splitlines(), fillvalue=ABSENT)
    native, recorded = next(pair for pair in pairs if pair[0] != pair[1])
    return f"{word} {each.mode}: {each.test}: {native!r} -> {recorded!r}"
