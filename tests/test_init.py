from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from session_builder import closed, event, record

import scopetrace

ROOT = Path(__file__).parents[1]


def test_a_session_is_read_from_python(tmp_path):
    path = record(tmp_path, [closed("/a"), event("fs.open", file="/b")])

    with scopetrace.open_session(path) as session:
        (found,) = session.events(source="fs.open")
    assert (found.source, found.data["file"], found.pid) == ("fs.open", "/b", 70)


def test_nothing_else_is_there():
    assert dir(scopetrace) == ["__version__", "open_session", "run"]
    with pytest.raises(AttributeError, match="has no attribute 'colour'"):
        scopetrace.colour  # noqa: B018


def test_the_version_alone_imports_no_room():
    script = "import sys, scopetrace; scopetrace.__version__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert [name for name in done.stdout.split() if name.startswith("scopetrace.")] == []
