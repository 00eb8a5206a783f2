"""Which slips would the tests notice? Alter the code in one place, run them, and report.

    make mutants COUNT=20 SEED=1 PATHS="ext/call scopetrace/decode"

A sample of alterations is drawn from the C and the Python in PATHS, half of it from each. Tests are
run on each alteration, the likeliest to notice first. A test may fail for other reasons, as on a
machine that is busy: it has noticed only if it fails twice more, alone, and passes alone on code
that is not altered. Otherwise the tests that are left decide.

An alteration that no test notices is a survivor: either a test is missing, or the altered code does
the same (an equivalent), which `equivalents.txt` lists with the reason; these are not drawn again.

Verdicts are kept in build/mutants.tsv, and what has one there is not judged again: a run that was
stopped goes on where it was, and COUNT may be raised. Remove a survivor's line to have it judged
by a new test.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import NamedTuple

import package
from stage import ROOT, Mutant, Stage, adopt_orphans

import engine

LANGUAGES = (engine, package)
EQUIVALENTS = Path(__file__).parent / "equivalents.txt"
VERDICTS = ROOT / "build" / "mutants.tsv"
SURVIVED = "SURVIVED"


class Verdict(NamedTuple):
    """What came of an alteration; a line of build/mutants.tsv."""

    path: str
    what: str
    test: str
    """The one that noticed, or SURVIVED."""

    @property
    def noticed(self) -> bool:
        """Whether a test noticed it."""
        return self.test != SURVIVED


class Judge:
    """Says which test notices an alteration."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self._altered, self._control = Stage(folder / "altered"), Stage(folder / "control")
        self._jobs = jobs

    def verdict(self, mutant: Mutant, groups: Iterator[list[str]]) -> Verdict | None:
        """Run one group of tests after the other; return None if the code cannot be built."""
        test = SURVIVED
        if built := self._altered.alter(mutant):
            test = next(filter(None, map(self._noticing, groups)), SURVIVED)
        self._altered.restore(mutant)
        return Verdict(mutant.path, mutant.what, test) if built else None

    def _noticing(self, group: list[str]) -> str:
        """Return the first of these tests that fails because of the alteration, or nothing."""
        by_chance: list[str] = []
        while test := self._altered.first_failure(self._jobs, group, without=by_chance):
            if self._fails_twice(test, group) and not self._control.fails(test, group):
                return test
            print(f"    failed by chance: {test}", flush=True)
            by_chance.append(test)
        return ""

    def _fails_twice(self, test: str, group: list[str]) -> bool:
        return self._altered.fails(test, group) and self._altered.fails(test, group)


def main() -> int:
    """Report who notices what; return 1 if less than nine of ten alterations were noticed."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # removes the folder
    adopt_orphans()
    with TemporaryDirectory(prefix="mutants-") as folder:
        Path(folder).chmod(0o755)  # for the tests that run as another user
        judge = Judge(Path(folder), options.jobs)
        each = options.count // len(LANGUAGES)
        samples = [list(islice(verdicts(judge, language, options), each)) for language in LANGUAGES]
    enough = [report(sample) for sample in samples]
    return 0 if all(enough) else 1


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="how many alterations")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--jobs", type=int, default=2, help="processes that run tests")
    parser.add_argument("paths", nargs="*", default=["ext", "scopetrace"], help="folders")
    return parser.parse_args()


def verdicts(judge: Judge, language: ModuleType, options: argparse.Namespace) -> Iterator[Verdict]:
    """Yield verdict after verdict, those that are known and new ones."""
    equivalent = {verdict[:2] for verdict in read(EQUIVALENTS)}
    known = {verdict[:2]: verdict for verdict in read(VERDICTS)}
    for mutant in language.mutants(random.Random(options.seed), options.paths):
        if (mutant.path, mutant.what) in equivalent:
            continue
        verdict = known.get((mutant.path, mutant.what)) or new_verdict(judge, mutant, language)
        if verdict:
            yield verdict


def new_verdict(judge: Judge, mutant: Mutant, language: ModuleType) -> Verdict | None:
    """Have an alteration judged; print and keep the verdict if there is one."""
    print(f"{mutant.path}:{mutant.line}: {mutant.what}", flush=True)
    verdict = judge.verdict(mutant, language.tests_of(mutant))
    print(f"    {verdict.test if verdict else 'does not compile'}", flush=True)
    if verdict:
        VERDICTS.parent.mkdir(exist_ok=True)
        with VERDICTS.open("a") as file:
            print(*verdict, sep="\t", file=file)
    return verdict


def read(file: Path) -> list[Verdict]:
    """Return the lines of a file of verdicts; none if there is no file."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [Verdict(*line.split("\t")) for line in lines if line and not line.startswith("#")]


def report(sample: Sequence[Verdict]) -> bool:
    """Print for each folder how many were noticed, and return whether in all these are enough."""
    in_order = sorted(sample)
    for folder, each in groupby(in_order, lambda verdict: str(Path(verdict.path).parent)):
        print(f"{folder}: {score(list(each))}")
    for verdict in in_order:
        if not verdict.noticed:
            print(f"    {verdict.path}: {verdict.what}")
    return 10 * sum(verdict.noticed for verdict in sample) >= 9 * len(sample)


def score(sample: Sequence[Verdict]) -> str:
    """Return how many were noticed, in words."""
    return f"{sum(verdict.noticed for verdict in sample)} of {len(sample)} noticed"


if __name__ == "__main__":
    sys.exit(main())
