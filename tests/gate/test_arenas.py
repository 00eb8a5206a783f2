"""Arenas, tables and slots are shared, given back and freed with their last use."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support.gate_code import compiled

SOURCES = ("tests/gate/arenas.c", "ext/gate/arena.c", "ext/gate/segment.c", "ext/record/parts.c")
SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def test_what_was_taken_is_given_back_and_freed(commons: Path) -> None:
    program = compiled(commons / "arenas", *SANITIZERS, sources=SOURCES)

    environ = os.environ | {"ASAN_OPTIONS": "detect_leaks=1"}
    done = subprocess.run([program], env=environ, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
