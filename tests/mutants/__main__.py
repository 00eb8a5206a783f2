"""Which slips would the tests notice? Alter the code in one place, run them, and report.

    make mutants COUNT=20 SEED=1

A sample of alterations is drawn, half of them in the C of ext/, half in Python. One that no test
notices is a survivor: either a test is missing, or the altered code does the same (an equivalent),
which `equivalents.txt` lists with the reason; these are not drawn again.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import package
from stage import Mutant, Stage

import engine

EQUIVALENTS = Path(__file__).parent / "equivalents.txt"
ENGINE_TESTS = ("tests/engine", "tests/recorder")
ALL_TESTS = "tests"


def main() -> int:
    """Report who notices what; return 1 if less than nine of ten alterations were noticed."""
    options = arguments()
    known = equivalents()
    with TemporaryDirectory(prefix="scopetrace-mutants-") as folder:
        Path(folder).chmod(0o755)
        stage = Stage(Path(folder), options.jobs)
        noticed = {
            "C": list(in_c(stage, known, options.count - options.count // 2, options.seed)),
            "Python": list(in_python(stage, known, options.count // 2, options.seed)),
        }
    enough = [report(language, each) for language, each in noticed.items()]
    return 0 if all(enough) else 1


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="how many alterations")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--jobs", type=int, default=2, help="processes that run tests")
    return parser.parse_args()


def equivalents() -> set[tuple[str, str]]:
    """Return the (file, alteration) that change nothing that could be noticed."""
    lines = EQUIVALENTS.read_text().splitlines()
    fields = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {(path, what) for path, what, _reason in fields}


def in_c(stage: Stage, known: set[tuple[str, str]], count: int, seed: int) -> Iterator[str]:
    """Yield for each alteration of C the test that noticed it, or nothing."""
    drawn = [mutant for mutant in engine.mutants() if (mutant.path, mutant.what) not in known]
    random.Random(seed).shuffle(drawn)
    for mutant in drawn:
        if not count:
            return
        stage.alter(mutant)
        if stage.build():
            count -= 1
            yield judge(stage, mutant, ENGINE_TESTS)
        stage.restore(mutant)
    stage.build()


def in_python(stage: Stage, known: set[tuple[str, str]], count: int, seed: int) -> Iterator[str]:
    """Yield for each alteration of Python the test that noticed it, or nothing."""
    stage.build()
    drawn = package.sample(2 * count, random.Random(seed))
    for mutant in [each for each in drawn if (each.path, each.what) not in known][:count]:
        stage.alter(mutant)
        yield judge(stage, mutant, (package.tests_of(mutant), ALL_TESTS))
        stage.restore(mutant)


def judge(stage: Stage, mutant: Mutant, tests: tuple[str, ...]) -> str:
    """Run one group of tests after the other until one notices; print what came of it."""
    notice = next(filter(None, map(stage.run, tests)), "")
    print(f"{mutant.path}:{mutant.line}: {mutant.what}\n    {notice or 'SURVIVED'}", flush=True)
    return notice


def report(language: str, notices: list[str]) -> bool:
    """Print how many were noticed, and return whether these are enough."""
    hits = sum(map(bool, notices))
    print(f"{language}: {hits} of {len(notices)} alterations were noticed")
    return 10 * hits >= 9 * len(notices)


if __name__ == "__main__":
    sys.exit(main())
