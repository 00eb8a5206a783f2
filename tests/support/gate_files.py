"""Files with code that tests of ext/gate/ read: those that most programs use, or all there are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/opt")
ELF_MAGIC = b"\x7fELF\x02\x01"
X86_64 = b"\x3e\x00"
TORTURE = "TORTURE" in os.environ
"""Whether to read every file of the machine, which takes minutes (`make torture`)."""


def _program(name: str) -> Path:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return Path(path).resolve()


@cache
def _library(name: str) -> Path:
    """Return a library that gcc would link with."""
    asked = ["gcc", f"-print-file-name={name}"]
    path = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    if not path.is_absolute():
        pytest.skip(f"{name} is not installed")
    return path.resolve()


def _musl() -> Path:
    path = Path("/lib/ld-musl-x86_64.so.1")
    if not path.exists():
        pytest.skip("musl is not installed")
    return path.resolve()


STANDARD: dict[str, Callable[[], Path]] = {
    "libc.so.6": lambda: _library("libc.so.6"),
    "ld.so": lambda: _library("ld-linux-x86-64.so.2"),
    "musl": _musl,
    "busybox": lambda: _program("busybox"),
    "bash": lambda: _program("bash"),
    "git": lambda: _program("git"),
    "python3": lambda: Path(sys.executable).resolve(),
    "libcrypto": lambda: _library("libcrypto.so.3"),
    "libstdc++": lambda: _library("libstdc++.so.6"),
}
"""Name → how its path is found; skips the test where it is not installed."""


def machine_files() -> Iterator[Path]:
    """Yield every ELF file of the machine with x86-64 code."""
    for folder in FOLDERS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and _is_x86_64(path):
                yield path


def _is_x86_64(path: Path) -> bool:
    with path.open("rb") as opened:
        head = opened.read(20)
    return head.startswith(ELF_MAGIC) and head[18:20] == X86_64
