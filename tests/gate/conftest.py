"""What tests of ext/gate/ share: programs of this folder, for each C library and way of linking."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.gate_code import Compile
from support.gate_files import TORTURE

HERE = Path(__file__).parent
Needs = Callable[[str], str]

COMPILERS = ["gcc", "musl-gcc -static"]
if TORTURE:
    COMPILERS += ["gcc -static", "gcc -static-pie", "musl-gcc"]


@pytest.fixture(scope="session", params=COMPILERS)
def build(request: pytest.FixtureRequest, commons: Path, needs: Needs) -> Compile:
    """Compile a program of this folder, once for each C library and way of linking."""
    compiler, *flags = request.param.split()

    def run(name: str) -> Path:
        target = commons / f"{name}-{request.param.replace(' ', '')}"
        if not target.exists():
            common = [needs(compiler), *flags, "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-pthread"]
            subprocess.run([*common, "-o", target, HERE / f"{name}.c"], check=True)
        return target

    return run
