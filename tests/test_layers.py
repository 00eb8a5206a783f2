"""The order of rooms: nobody knows a room after its own, and sources do not know each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "scopetrace"
EXTENSION = ROOT / "ext"

ROOMS = [
    "errors",
    "model",
    "wire",
    "config",
    "db",
    "_engine",
    "capture",
    "decode",
    "watch",
    "source",
    "protocols",
    "streams",
    "sources",
    "metrics",
    "store",
    "forward",
    "pipeline",
    "query",
    "recorder",
    "output",
    "cli",
]
C_ROOMS = ["arch", "table", "record", "call", "ptrace", "_engine"]
"""`call` says what a call means, `ptrace` is one way of catching calls."""
SYSTEM = ("<", "linux/", "sys/")
"""How system headers begin in a Cython declaration, which has no other way to name them."""
INCLUDE = re.compile(r'^\s*(?:#\s*include|cdef extern from)\s+"([^"]+)"', re.MULTILINE)


def python_files() -> list[Path]:
    """Return the modules that live in a room; the package's own doors know nobody by name."""
    doors = {PACKAGE / "__init__.py", PACKAGE / "__main__.py"}
    return sorted(path for path in PACKAGE.rglob("*.py") if path not in doors)


def c_files() -> list[Path]:
    """Return the C sources and the Cython declarations beside them."""
    return sorted(path for path in EXTENSION.rglob("*.*") if path.parent != EXTENSION)


def room_of(path: Path, root: Path) -> str:
    return path.relative_to(root).parts[0].partition(".")[0]


def imported(path: Path) -> Iterator[str]:
    """Yield the full names of the modules of ours that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_known(path: Path) -> Iterator[str]:
    for name in imported(path):
        package, _, rest = name.partition(".")
        if package == "scopetrace" and rest:
            yield rest.partition(".")[0]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_a_module_knows_only_rooms_before_its_own(path: Path) -> None:
    here = room_of(path, PACKAGE)
    assert here in ROOMS, f"{here} has no place in the order of rooms"
    for room in rooms_known(path):
        if room in ROOMS:
            assert ROOMS.index(room) <= ROOMS.index(here), f"{here} may not know {room}"


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_a_source_knows_no_other_source(path: Path) -> None:
    if room_of(path, PACKAGE) != "sources":
        return
    own = path.relative_to(PACKAGE / "sources").parts[0].removesuffix(".py")
    for name in imported(path):
        if name.startswith("scopetrace.sources."):
            other = name.split(".")[2]
            assert other == own, f"{own} may not know {other}"


def test_the_rooms_that_exist_are_all_in_the_order() -> None:
    there = {room_of(path, PACKAGE) for path in python_files()}
    assert there <= set(ROOMS)


@pytest.mark.parametrize("path", c_files(), ids=name_of)
def test_c_knows_only_rooms_before_its_own_and_no_python(path: Path) -> None:
    text = path.read_text()
    here = C_ROOMS.index(room_of(path, EXTENSION))
    assert "Python.h" not in text
    for header in INCLUDE.findall(text):
        room = header.partition("/")[0]
        if path.suffix == ".pxd" and header.startswith(SYSTEM):
            continue
        assert room in C_ROOMS, f"{header}: includes name their room"
        assert C_ROOMS.index(room) <= here, f"{header} belongs to a later room"


def test_the_rule_would_catch_a_module_that_knows_a_later_room(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("if 1:\n    from scopetrace.store import writer\n    import scopetrace.cli\n")
    assert list(rooms_known(module)) == ["store", "cli"]
