from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import scopetrace
from support.interpreter import only_path_to_us
from support.session_builder import closed, event, record

TESTS = Path(__file__).parent


def test_a_session_is_read_from_python(tmp_path):
    path = record(tmp_path, [closed("/a"), event("fs.open", file="/b")])

    with scopetrace.open_session(path) as session:
        (found,) = session.events(source="fs.open")
    assert (found.source, found.data["file"], found.pid) == ("fs.open", "/b", 70)


def test_nothing_else_is_there():
    assert dir(scopetrace) == ["Session", "__version__", "open_session", "run"]
    with pytest.raises(AttributeError, match="has no attribute 'colour'"):
        scopetrace.colour  # noqa: B018


def test_the_version_alone_imports_no_folder():
    script = "import sys, scopetrace; scopetrace.__version__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=only_path_to_us(),
    )

    assert [name for name in done.stdout.split() if name.startswith("scopetrace.")] == []


def test_a_child_started_in_the_checkout_takes_the_package_that_is_installed():
    """As we do: the checkout has no engine, and may not be what was built."""
    script = "import scopetrace; print(scopetrace.__file__)"
    for flags in ([], ["-S"]):
        done = subprocess.run(
            [sys.executable, *flags, "-c", script],
            cwd=TESTS.parent,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **only_path_to_us()},
        )
        assert done.stdout.strip() == scopetrace.__file__


def test_no_test_hands_the_checkout_to_a_child_as_the_place_of_the_package():
    handing = re.compile(r"PYTHONPATH.{0,40}(ROOT|(?<!PACKAGE\.)parents?\b)")
    for path in TESTS.rglob("*.py"):
        assert path == Path(__file__) or not handing.search(path.read_text()), path


def test_programs_on_a_stage_have_an_interpreter_that_every_user_can_start():
    """See support/interpreter.py: root may be the only one who can start `sys.executable`."""
    for path in TESTS.rglob("test_*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        if any(isinstance(node, ast.alias) and node.name == "Stage" for node in nodes):
            names = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
            assert "sys.executable" not in names, path
