"""Documents say what is: those made from the code are up to date, links and paths exist."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")])
MADE = ("events.md", "sql.md")


def generator() -> ModuleType:
    """Import docs/generate.py, which is in no package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """Return a document without its code: blocks in fences, and indented ones."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^(?: {4}|\t).*$", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", MADE)
def test_a_made_document_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == generator().pages()[name], "run `make docs`"


def test_a_column_without_a_comment_would_be_noticed() -> None:
    found = generator().comments("CREATE TABLE t ( -- rows\n  a INTEGER, -- first\n  b TEXT\n)")
    assert found == {"t": "rows", "a": "first"}


def links(path: Path) -> Iterator[str]:
    """Yield the targets of links to files or headings, not to the web."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if "://" not in target:
            yield target


def anchors(path: Path) -> set[str]:
    """Return what links to the headings of a document end in (GitHub's rule)."""
    headings = re.findall(r"^#+ (.*)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_a_link_leads_somewhere(path: Path) -> None:
    for target in links(path):
        file, _, heading = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), f"{target}: no such file"
        if heading:
            assert heading in anchors(there), f"{target}: no such heading"


PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
CODE = ("", "scopetrace", "ext")
"""Folders that a path in a document may start from."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_a_path_of_the_repository_exists(path: Path) -> None:
    folders = {child.name for start in CODE for child in (ROOT / start).iterdir() if child.is_dir()}
    for named in PATH.findall(prose(path)):
        if named.partition("/")[0] in folders:
            assert any((ROOT / start / named).exists() for start in CODE), f"{named}: no such file"


def rows(path: Path, heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head."""
    table = path.read_text().partition(heading)[2].partition("|---")[2].partition("\n\n")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[1:]]


def sources_of_code() -> Iterator[Path]:
    for folder in ("ext", "scopetrace"):
        yield from (path for path in (ROOT / folder).rglob("*.*") if path.suffix in SUFFIXES)


SUFFIXES = {".c", ".h", ".def", ".pyx", ".py"}


def test_the_glossary_is_short_and_its_names_are_in_the_code() -> None:
    code = {word for path in sources_of_code() for word in re.findall(r"\w+", path.read_text())}
    words = rows(ROOT / "docs/GLOSSARY.md", "# Glossary")

    assert 20 < len(words) <= 40
    for _word, meaning, name in words:
        assert meaning.endswith(".")
        assert name.strip("`") in code


def test_the_obvious_word_leads_to_the_file() -> None:
    questions = rows(ROOT / "docs/internals.md", "## Where would you change X?")

    assert len(questions) == 10
    for question, word, file in questions:
        assert word.strip("`") in (ROOT / file.strip("`")).read_text(), question


def test_the_overview_is_short() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    picture = text.partition("```\n")[2].partition("```")[0].splitlines()

    assert len(text.encode()) <= 8192
    assert len(picture) <= 40
    assert max(map(len, picture)) <= 80
