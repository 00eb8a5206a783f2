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
