from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.errors import UsageError
from scopetrace.lessons.course import find_lesson, lesson_folders, lessons


@pytest.fixture(autouse=True)
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of two lessons, with folders beside that are none."""
    for name, title in (("10-last", "Last"), ("2-first", "First")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lesson.md").write_text(f"# {title}\n")
    (tmp_path / "03-empty").mkdir()
    (tmp_path / "words").mkdir()
    monkeypatch.setenv("SCOPETRACE_COURSE", str(tmp_path))
    return tmp_path


def test_lessons_are_in_the_order_of_their_numbers() -> None:
    assert [*lesson_folders()] == ["first", "last"]
    assert [lesson.title for lesson in lessons()] == ["First", "Last"]


@pytest.mark.parametrize(("name", "title"), [("1", "First"), ("2", "Last"), ("last", "Last")])
def test_a_lesson_is_found_by_its_place_or_its_name(name: str, title: str) -> None:
    assert find_lesson(name).title == title


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("3", "there is no lesson 3; there are 1 to 2"),
        ("0", "there is no lesson 0; there are 1 to 2"),
        ("frist", "there is no lesson frist; did you mean first?"),
    ],
)
def test_a_lesson_that_there_is_not(name: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=f"^{complaint.replace('?', '.')}$"):
        find_lesson(name)


def test_a_folder_without_lessons(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPETRACE_COURSE", str(course / "nowhere"))

    with pytest.raises(UsageError, match=r"there are no lessons in .*/nowhere"):
        lessons()
