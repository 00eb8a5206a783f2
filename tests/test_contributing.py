"""Examples of CONTRIBUTING.md fit the code; those for a call and a source do what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import scopetrace

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^### (.*)$", re.MULTILINE)
NUMBER_AND_TIME = re.compile(r"^\[\d+\] \w+ +\d+ [\d:.]+ (\w+)\[\d+\]", re.MULTILINE)
COPIED = (
    "scopetrace",
    "ext",
    "docs",
    "setup.py",
    "pyproject.toml",
    "scope.yml",
    "README.md",
    "LICENSE",
)
COMMAND = 'scopetrace() { "$PYTHON" -P -m scopetrace "$@"; }\n'


class Example(NamedTuple):
    """One fenced block."""

    language: str
    path: str
    text: str


def sections() -> dict[str, list[Example]]:
    """Return the examples under each heading of CONTRIBUTING.md."""
    _, *parts = SECTION.split((ROOT / "CONTRIBUTING.md").read_text())
    found = zip(parts[::2], parts[1::2], strict=True)
    return {title: [Example(*block) for block in FENCE.findall(text)] for title, text in found}


EXAMPLES = {title: examples for title, examples in sections().items() if examples}


def patched(text: str, diff: str) -> str:
    """Return `text` with a diff of one hunk applied, whose context must be there once."""
    lines = diff.splitlines()
    old = "\n".join(line[1:] for line in lines if line[:1] != "+")
    new = "\n".join(line[1:] for line in lines if line[:1] != "-")
    assert f"\n{text}".count(f"\n{old}\n") == 1, f"this context is not there, or not once:\n{old}"
    return f"\n{text}".replace(f"\n{old}\n", f"\n{new}\n")[1:]


def apply(examples: list[Example], copy: Path) -> None:
    """Apply the diffs and write the new files of some examples."""
    for language, path, text in examples:
        if language == "diff":
            (copy / path).write_text(patched((copy / path).read_text(), text))
        elif path:
            assert not (copy / path).exists()
            (copy / path).write_text(text)


def copy_of_checkout(folder: Path) -> Path:
    """Copy what a build needs, without what builds have left."""
    folder.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.so")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def check_console(text: str, copy: Path, home: Path) -> None:
    """Run the commands of an example, and compare the lines that the last of each prints."""
    environ = os.environ | {
        "PYTHON": sys.executable,
        "PYTHONPATH": str(copy),
        "SCOPETRACE_HOME": str(home),
    }
    for step in text.removeprefix("$ ").split("\n$ "):
        command, _, expected = step.partition("\n")
        done = subprocess.run(
            ["sh", "-c", COMMAND + command],
            env=environ,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if expected:
            assert NUMBER_AND_TIME.sub(r"[…] \1[…]", done.stdout) == expected, done.stderr


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_fits_the_code(title: str, tmp_path: Path) -> None:
    copy = copy_of_checkout(tmp_path / "copy")
    apply(EXAMPLES[title], copy)
    for _language, path, _text in EXAMPLES[title]:
        if path.endswith(".py"):
            compile((copy / path).read_text(), path, "exec")


def test_a_diff_whose_context_is_gone_is_noticed() -> None:
    assert patched("a\nb\nc\n", " a\n-b\n+d\n") == "a\nd\nc\n"
    with pytest.raises(AssertionError, match="not there"):
        patched("a\nc\n", " b\n+d\n")


def test_a_source_is_added_as_described(tmp_path: Path) -> None:
    copy = copy_of_checkout(tmp_path / "copy")
    for compiled in Path(scopetrace.__file__).parent.glob("_*.so"):
        shutil.copy(compiled, copy / "scopetrace")
    apply(EXAMPLES["A source"], copy)

    check_console(EXAMPLES["A source"][-1].text, copy, tmp_path / "home")


@pytest.mark.timeout(300)
def test_a_watched_call_is_added_as_described(tmp_path: Path) -> None:
    copy = copy_of_checkout(tmp_path / "copy")
    apply(EXAMPLES["A watched call"], copy)
    setup = copy / "setup.py"
    setup.write_text(setup.read_text().replace('"-O2"', '"-O0"'))  # that compiles faster
    build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    environ = os.environ | {"UNCOMPILED": "1"}  # it takes a minute to compile what is not altered
    subprocess.run(build, cwd=copy, env=environ, check=True, capture_output=True)

    check_console(EXAMPLES["A watched call"][-1].text, copy, tmp_path / "home")
