"""What each folder may use: the tables that keep the data flowing one way, in Python and in C."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "scopetrace"
EXTENSION = ROOT / "ext"

MAY_USE = {
    "errors": "",
    "model": "",
    "_engine": "",
    "_fs_sums": "",
    "_inserts": "",
    "_scan": "",
    "wire": "model",
    "config": "errors syscalls",
    "capture": "_engine",
    "decode": "model syscalls",
    "watch": "config model",
    "source": "model watch",
    "protocols": "",
    "streams": "config model protocols source",
    "sources": "config model protocols source streams watch",
    "metrics": "model",
    "db": "errors model",
    "store": "_inserts db errors model",
    "forward": "config db errors model store wire",
    "pipeline": "config decode metrics model source sources streams watch",
    "query": "_fs_sums _scan db errors model output protocols syscalls",
    "recorder": (
        "_engine capture config db errors forward model output pipeline query sources store"
        " syscalls watch"
    ),
    "syscalls": "model",
    "explain": "model syscalls",
    "output": "explain model syscalls",
    "lessons": "db errors model query syscalls",
    "scoped": "db errors model output query recorder",
    "pytest_plugin": "scoped",
    "dash": "errors model output query wire",
    "cli": (
        "_engine config dash db errors explain lessons model output query recorder syscalls wire"
    ),
}
"""A folder or module of scopetrace/, and what it may import of the others.

Recording and asking meet in the session file, which db knows: query, output and wire may use no
folder that records. A folder of sources/ may import no other folder of sources/.
"""

MAY_INCLUDE = {
    "arch": "",
    "table": "arch",
    "record": "",
    "call": "arch record table",
    "gate": "call record",
    "ptrace": "arch call gate record table",
}
"""A folder of ext/, and whose headers it may include: a record does not know how it was caught."""

WAY_OUT = {
    "MAY_USE": "what both need belongs in model/, or the caller passes it in",
    "MAY_INCLUDE": "what both need belongs in record/, or the caller passes it in",
}
DOORS = {PACKAGE / "__init__.py", PACKAGE / "__main__.py"}
"""The modules that import the command line or the interface when they are asked for it."""
SYSTEM = ("<", "linux/", "sys/")
"""How system headers begin in a Cython declaration, which has no other way to name them."""
INCLUDE = re.compile(r'^\s*(?:#\s*include|cdef extern from)\s+"([^"]+)"', re.MULTILINE)
CIMPORT = re.compile(r"^from (scopetrace\.[\w.]+) cimport ", re.MULTILINE)


class Use(NamedTuple):
    """One file that uses one folder."""

    path: str
    folder: str
    used: str


def python_files() -> list[Path]:
    """Return the modules, and the types that those have which are compiled."""
    paths = (*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pxd"))
    return sorted(path for path in paths if path not in DOORS)


def c_files() -> list[Path]:
    """Return the C sources and the Cython declarations beside them."""
    return sorted(path for path in EXTENSION.rglob("*.*") if path.parent != EXTENSION)


def folder_of(path: Path, root: Path) -> str:
    """Return the folder under `root` that a file is in, or the module that it is."""
    return path.relative_to(root).parts[0].partition(".")[0]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Yield the full names of the modules of ours that a module imports, wherever in it."""
    if path.suffix == ".pxd":
        yield from CIMPORT.findall(path.read_text())
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("scopetrace."))


def python_uses(path: Path) -> Iterator[Use]:
    """Yield what a module imports from other folders than its own."""
    here = folder_of(path, PACKAGE)
    for name in imported(path):
        used = name.split(".")[1]
        if used not in (here, "__version__"):
            yield Use(name_of(path), here, used)


def c_uses(path: Path) -> Iterator[Use]:
    """Yield what a file of C includes from other folders than its own."""
    here = folder_of(path, EXTENSION)
    for header in INCLUDE.findall(path.read_text()):
        used, slash, _ = header.partition("/")
        if path.suffix == ".pxd" and header.startswith(SYSTEM):
            continue
        assert slash, f'{name_of(path)}: #include "{header}" does not name the folder'
        if used != here:
            yield Use(name_of(path), here, used)


def refusal(use: Use, table: str) -> str:
    """Return the sentence by which a use is refused: the rule, and what to do instead."""
    allowed = globals()[table][use.folder] or "no other folder"
    return (
        f"{use.path}: {use.folder} may not use {use.used}, only: {allowed}. "
        f"The way out: {WAY_OUT[table]}; else change {table} in tests/test_layers.py, "
        f"which may have no cycle."
    )


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_a_module_imports_only_what_its_folder_may_use(path: Path) -> None:
    for use in python_uses(path):
        assert use.used in MAY_USE[use.folder].split(), refusal(use, "MAY_USE")


@pytest.mark.parametrize("path", c_files(), ids=name_of)
def test_a_c_file_includes_only_what_its_folder_may_use(path: Path) -> None:
    for use in c_uses(path):
        assert use.used in MAY_INCLUDE[use.folder].split(), refusal(use, "MAY_INCLUDE")


@pytest.mark.parametrize("path", c_files(), ids=name_of)
def test_the_engine_is_independent_of_python(path: Path) -> None:
    assert "Python.h" not in path.read_text(), "only ext/*.pyx may use Python"


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("sources/*/*.py")), ids=name_of)
def test_a_source_imports_no_other_source(path: Path) -> None:
    own = path.parent.name
    for name in imported(path):
        if name.startswith("scopetrace.sources."):
            other = name.split(".")[2]
            assert other == own, (
                f"{name_of(path)}: {own} may not use {other}. "
                "The way out: what both sources need belongs in source.py, streams/ or protocols/."
            )


def test_the_tables_name_all_folders_that_exist_and_no_others() -> None:
    assert MAY_USE.keys() == {
        "_engine",
        "_fs_sums",
        "_inserts",
        "_scan",
        *(folder_of(path, PACKAGE) for path in python_files()),
    }
    assert MAY_INCLUDE.keys() == {folder_of(path, EXTENSION) for path in c_files()}
    for table in MAY_USE, MAY_INCLUDE:
        assert {used for allowed in table.values() for used in allowed.split()} <= table.keys()


def test_the_tables_have_no_cycle() -> None:
    for table in MAY_USE, MAY_INCLUDE:
        TopologicalSorter({folder: used.split() for folder, used in table.items()}).prepare()


def test_the_tables_allow_no_more_than_is_used() -> None:
    uses = [use for path in python_files() for use in python_uses(path)]
    includes = [use for path in c_files() for use in c_uses(path)]
    for table, found in (MAY_USE, uses), (MAY_INCLUDE, includes):
        allowed = {(folder, used) for folder in table for used in table[folder].split()}
        unused = allowed - {(use.folder, use.used) for use in found}
        assert unused == set(), "remove these from the table"


def test_the_rule_finds_an_import_wherever_it_stands(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("if 1:\n    from scopetrace.store import writer\n    import scopetrace.cli\n")
    assert list(imported(module)) == ["scopetrace.store.writer", "scopetrace.cli"]


def test_a_refusal_names_the_rule_and_the_way_out() -> None:
    sentence = refusal(Use("scopetrace/decode/fds.py", "decode", "store"), "MAY_USE")
    assert sentence.startswith(
        "scopetrace/decode/fds.py: decode may not use store, only: model syscalls."
    )
    assert "belongs in model/" in sentence
