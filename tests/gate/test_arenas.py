"""Arenas, tables and slots are given back and freed with their last use; tallies are taken once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.gate_code import compiled

PARTS = ("gate/arena", "gate/rounds", "gate/segment", "gate/tallies", "record/parts")
SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.mark.parametrize("driver", ["arenas", "tallies"])
def test_the_driver_finds_nothing_wrong(driver: str, commons: Path) -> None:
    sources = (f"tests/gate/{driver}.c", *(f"ext/{part}.c" for part in PARTS))
    program = compiled(commons / driver, *SANITIZERS, sources=sources)

    environ = os.environ | {"ASAN_OPTIONS": "detect_leaks=1"}
    done = subprocess.run([program], env=environ, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
