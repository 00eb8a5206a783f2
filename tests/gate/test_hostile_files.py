"""Files that the traced program may have altered while or before they are read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.elf_file import ElfFile
from support.gate_code import PLANNING, compiled, sites_of
from support.gate_files import STANDARD, TORTURE

SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
SOURCES = ("tests/fuzz/modules.c", *PLANNING)
RUNS = 20_000 if TORTURE else 400


@pytest.fixture(scope="session")
def fuzzer(commons: Path) -> Path:
    return compiled(commons / "fuzz-modules", *SANITIZERS, sources=SOURCES)


@pytest.fixture(scope="session")
def static_program(commons: Path) -> Path:
    """A program whose functions are known by .eh_frame alone."""
    program = commons / "hostile-static"
    build = ["gcc", "-static", "-s", "-o", program, "-xc", "-"]
    subprocess.run(build, input=b"int main(void) { return 0; }\n", check=True)
    return program


@pytest.fixture(params=["ld.so", "musl", "static_program"])
def original(request: pytest.FixtureRequest) -> Iterator[Path]:
    name: str = request.param
    yield STANDARD[name]() if name in STANDARD else request.getfixturevalue(name)


@pytest.mark.timeout(0 if TORTURE else 60)
def test_an_altered_file_is_read_within_its_bounds(fuzzer: Path, original: Path) -> None:
    environ = os.environ | {"ASAN_OPTIONS": "detect_leaks=1"}
    asked = [fuzzer, original, "1", str(RUNS)]
    done = subprocess.run(asked, env=environ, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > RUNS


def test_a_file_is_read_as_far_as_it_goes() -> None:
    data = ElfFile(STANDARD["ld.so"]()).data
    for size in (0, 1, 63, 64, 120, 4096):
        with sites_of(data[:size]) as sites:
            assert sites is None


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, b"\x7fELG"), (4, b"\x01"), (5, b"\x02"), (18, b"\xb7"), (0x36, b"\x20"), (0x38, b"\0\0")],
    ids=["magic", "32-bit", "big-endian", "aarch64", "size of a program header", "no segments"],
)
def test_what_is_no_x86_64_file_with_code_is_refused(at: int, value: bytes) -> None:
    data = ElfFile(STANDARD["ld.so"]()).data
    with sites_of(data[:at] + value + data[at + len(value) :]) as sites:
        assert sites is None
