"""Where lessons are: folders with a text, lesson.md, and the programs that it is about.

The course is part of the package, made from examples/course/ when that is built; in a checkout it
is found there. A folder is named NUMBER-NAME. SCOPETRACE_COURSE names another course.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from scopetrace.errors import UsageError
from scopetrace.lessons.text import Lesson, read_lesson
from scopetrace.model.nearest import did_you_mean

VARIABLE = "SCOPETRACE_COURSE"
TEXT = "lesson.md"
_PACKAGE = Path(__file__).parent.parent
INSTALLED, CHECKOUT = _PACKAGE / "course", _PACKAGE.parent / "examples" / "course"
_FOLDER = re.compile(r"(\d+)-([\w-]+)")


def course_folder() -> Path:
    """Return the folder that has a folder for each lesson."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    return INSTALLED if INSTALLED.is_dir() else CHECKOUT


def lesson_folders() -> dict[str, Path]:
    """Return the folders of the lessons by their names, in the order of their numbers.

    Raises:
        UsageError: there is no course.
    """
    found = sorted(_folders(course_folder()))
    if not found:
        raise UsageError(f"there are no lessons in {course_folder()}")
    return {name: folder for _, name, folder in found}


def _folders(course: Path) -> Iterator[tuple[int, str, Path]]:
    for folder in course.iterdir() if course.is_dir() else ():
        match = _FOLDER.fullmatch(folder.name)
        if match and (folder / TEXT).is_file():
            yield int(match[1]), match[2], folder


def find_lesson(name: str) -> Lesson:
    """Return the lesson of that number or name.

    Raises:
        UsageError: there is none, or its text is wrong.
    """
    folders = lesson_folders()
    if name.isdecimal() and 0 < int(name) <= len(folders):
        name = [*folders][int(name) - 1]
    if name not in folders:
        near = did_you_mean(name, folders) or f"; there are 1 to {len(folders)}"
        raise UsageError(f"there is no lesson {name}{near}")
    return read_lesson(folders[name] / TEXT)


def lessons() -> list[Lesson]:
    """Return all lessons.

    Raises:
        UsageError: there is no course, or a text is wrong.
    """
    return [read_lesson(folder / TEXT) for folder in lesson_folders().values()]
