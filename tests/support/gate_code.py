"""Parts of ext/gate/ compiled as a library of their own."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

from support.interpreter import SHARED

ROOT = Path(__file__).parents[2]
PLANNING = ("ext/gate/array.c", "ext/gate/length.c", "ext/gate/module.c", "ext/gate/sites.c")
PARTS = ("", "_bytes", "_calls", "_fds", "_paths", "_records", "_sockets")
CODE = tuple(f"ext/gate/gate{part}.c" for part in PARTS)
ALL = (*PLANNING, *CODE, "ext/gate/patch.c", "ext/gate/relocate.c")
Compile = Callable[[str], Path]
"""Compiles a program of tests/gate by its name (fixture `build`)."""
WARNINGS = ("-Wall", "-Wextra", "-Werror")


class Flow(IntEnum):
    """enum flow of ext/gate/length.h."""

    NEXT, NOP, TRAP, CALL, SYSCALL, BRANCH, JUMP, INDIRECT, END = range(9)


class Form(IntEnum):
    """enum site_form of ext/gate/sites.h."""

    TRACED, PAD, MOVED = range(3)


class Instruction(NamedTuple):
    """struct instruction of ext/gate/length.h; `target` counts from its end, None: it has none."""

    length: int
    flow: Flow
    target: int | None


class Plan(NamedTuple):
    """struct site_plan of ext/gate/sites.h."""

    form: Form
    pad: int = 0
    moved_bytes: int = 0


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_uint8),
        ("flow", ctypes.c_uint8),
        ("names_target", ctypes.c_bool),
        ("target", ctypes.c_int32),
    )


class _Span(ctypes.Structure):
    _fields_ = (("start", ctypes.c_uint64), ("end", ctypes.c_uint64))


def compiled(target: Path, *flags: str, sources: tuple[str, ...]) -> Path:
    """Compile files of this checkout; processes of tests that do so at once do not meet."""
    half = target.with_name(f"{target.name}.{os.getpid()}")
    paths = [ROOT / each for each in sources]
    common = ["gcc", "-std=gnu11", *WARNINGS, "-D_GNU_SOURCE", f"-I{ROOT / 'ext'}"]
    subprocess.run([*common, *flags, "-o", half, *paths], check=True)
    half.rename(target)
    return target


@cache
def library() -> ctypes.CDLL:
    """Return the library, compiled once for each process of the tests."""
    target = Path(os.environ[SHARED]) / "gate.so"
    if not target.exists():
        compiled(target, "-O2", "-shared", "-fPIC", sources=("tests/gate/shim.c", *PLANNING))
    loaded = ctypes.CDLL(str(target))
    loaded.file_open.restype = ctypes.c_void_p
    loaded.file_functions.restype = ctypes.c_size_t
    return loaded


class Instructions:
    """The instruction at every offset of some code; None: it is unknown."""

    def __init__(self, code: bytes) -> None:
        self._found = (_Instruction * len(code))()
        library().read_everywhere(code, ctypes.c_size_t(len(code)), self._found)

    def __getitem__(self, at: int) -> Instruction | None:
        found = self._found[at]
        if not found.length:
            return None
        target = found.target if found.names_target else None
        return Instruction(found.length, Flow(found.flow), target)


def read_instruction(code: bytes) -> Instruction | None:
    """Read the instruction at the start of `code`."""
    return Instructions(code)[0]


class Sites:
    """The call sites of one file."""

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self._handle = handle

    def plan(self, site: int) -> Plan:
        """Plan the site at an offset in the file."""
        found = (ctypes.c_uint64 * 3)()
        library().file_plan(self._handle, ctypes.c_uint64(site), found)
        return Plan(Form(found[0]), found[1], found[2])

    def functions(self) -> list[tuple[int, int]]:
        """Return start and end of the functions that are known, as offsets in the file."""
        spans = (_Span * (1 << 17))()
        count = library().file_functions(self._handle, spans, ctypes.c_size_t(len(spans)))
        return [(span.start, span.end) for span in spans[:count]]

    def slack(self) -> tuple[int, int]:
        """Return start and end of the zero bytes behind the code."""
        span = _Span()
        library().file_slack(self._handle, ctypes.byref(span))
        return span.start, span.end


@contextmanager
def sites_of(data: bytes) -> Iterator[Sites | None]:
    """Read a file; None: it is none with code."""
    handle = library().file_open(data, ctypes.c_uint64(len(data)))
    if handle is None:
        yield None
        return
    pointer = ctypes.c_void_p(handle)
    try:
        yield Sites(pointer)
    finally:
        library().file_close(pointer)
