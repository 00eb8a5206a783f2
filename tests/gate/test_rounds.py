"""What threads published is taken in the order in which it happened, and lies are given up."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from support.gate_code import compiled
from support.gate_files import TORTURE

SOURCES = ("tests/gate/rounds.c", "ext/gate/rounds.c")
SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
CALLS = 1_250_000 if TORTURE else 20_000
RUNS = 1_000_000 if TORTURE else 20_000


def numbers(program: Path, *arguments: str | int) -> list[int]:
    """Run the program and return the numbers that it prints, if it prints nothing else."""
    environ = os.environ | {"ASAN_OPTIONS": "detect_leaks=1"}
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, "broken" in done.stdout) == (0, "", False)
    return [int(number) for number in re.findall(r"\d+", done.stdout)]


@pytest.mark.timeout(0 if TORTURE else 60)
@pytest.mark.parametrize("threads", [2, 8])
def test_a_number_that_goes_from_thread_to_thread_is_never_confused(
    threads: int, commons: Path
) -> None:
    program = compiled(commons / "rounds", "-O2", "-pthread", sources=SOURCES)

    records, rounds, exchanged = numbers(program, "order", threads, CALLS)

    assert (records, exchanged) == (2 * threads * CALLS, 0)
    assert rounds > 1


@pytest.mark.timeout(0 if TORTURE else 60)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_ring_that_lies_is_given_up_and_read_within_its_bounds(seed: int, commons: Path) -> None:
    program = compiled(commons / "rounds-checked", *SANITIZERS, "-pthread", sources=SOURCES)

    records, given_up = numbers(program, "lies", seed, RUNS)

    assert records > RUNS
    assert given_up > RUNS / 100
