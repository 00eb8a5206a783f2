"""Every lesson of the course, with right answers and with wrong ones, in C and in Python."""

from __future__ import annotations

import filecmp
from pathlib import Path

import pytest

from scopetrace.lessons.course import course_folder
from scopetrace.lessons.text import ASK, LOOK, read_lesson
from support.harness import Ending, Stage, scopetrace_command
from support.users import one_user

PEOPLE = "what the programs of the course do needs no rights"
ANSWERS = {
    "calls": "0 1 3 40 no exit_group c",
    "files": "2 4 6 3 4 0 bread ENOENT b",
    "buffers": "1 3 3 792 second 2 0 b",
    "processes": "3 3 wait4 3 2 a c",
    "pipes": "3 1 2 0 b openat sh 13 b EPIPE",
    "signals": "1 SIGTERM no EINTR rt_sigsuspend 2 b SIGKILL",
    "memory": "* mmap munmap * yes b ENOMEM",
    "sockets": "2 1 server 16 * b no ECONNREFUSED",
    "waiting": "0 2 epoll_wait futex 0 b a",
    "failures": "ENOENT letters EACCES execute b 13 EMFILE RLIMIT_NOFILE",
    "detective": "1 2 b 19 rename ENOTDIR archive report.tmp b",
}
"""Lesson → the right answers in their order; * depends on the C library or the language."""
UNKNOWN = "*"
WITHOUT_C = {"CC": ""}
"""Has the programs be those in Python."""
COURSE = Path(__file__).parents[2] / "examples" / "course"
PATIENCE_S = 120
"""A lesson starts a dozen programs, which takes long on a busy machine."""
pytestmark = pytest.mark.timeout(2 * PATIENCE_S)
WRONG, TRIES = "nonsense", 3
COLUMNS = 80


def lesson(stage: Stage, name: str, answers: list[str]) -> Ending:
    stage.new_home()
    said = "".join(f"{answer}\n" for answer in answers).encode()
    ending = stage.run(scopetrace_command("lesson", name), input=said, timeout=PATIENCE_S)
    assert ending.stderr == b""
    return ending


@one_user(PEOPLE)
@pytest.mark.parametrize("language", ["c", "python"])
@pytest.mark.parametrize("name", ANSWERS)
def test_right_answers_are_right(name: str, language: str, stage: Stage) -> None:
    if language == "python":
        stage.environ.update(WITHOUT_C)
    answers = ANSWERS[name].split()
    unknown = answers.count(UNKNOWN)
    ending = lesson(stage, name, given(name, answers))

    shown = ending.stdout.decode()
    assert ending.status == 0, shown
    assert f"You answered {len(answers) - unknown} of {len(answers)} questions" in shown, shown


def given(name: str, answers: list[str]) -> list[str]:
    """Return the lines to type: of an unknown answer wrong ones, as often as they are asked for."""
    steps = read_lesson(folder_of(name) / "lesson.md").steps
    tries = [TRIES if step.kind == ASK else 1 for step in steps if step.question is not None]
    lines = zip(answers, tries, strict=True)
    return [
        line
        for answer, times in lines
        for line in ([WRONG] * times if answer == UNKNOWN else [answer])
    ]


@one_user(PEOPLE)
@pytest.mark.parametrize("name", ANSWERS)
def test_wrong_answers_are_wrong_and_the_right_ones_are_said(name: str, stage: Stage) -> None:
    asked = len(ANSWERS[name].split())
    ending = lesson(stage, name, [WRONG] * TRIES * asked)
    shown = ending.stdout.decode()

    assert ending.status == 0, shown
    assert f"You answered 0 of {asked} questions" in shown
    assert shown.count("It is: ") == asked


@one_user(PEOPLE)
def test_lines_fit_into_80_columns(stage: Stage) -> None:
    for name in ANSWERS:
        for program in folder_of(name).glob("*.[cp]*"):
            assert max(map(len, program.read_text().splitlines())) <= COLUMNS, program
        prose = "".join((folder_of(name) / "lesson.md").read_text().split("```")[::2])
        assert [line for line in prose.splitlines() if len(line) > COLUMNS] == []
        steps = read_lesson(folder_of(name) / "lesson.md").steps
        commands = [line for step in steps if step.kind == LOOK for line in step.text.splitlines()]
        assert [line for line in commands if len(f"$ {line}") > COLUMNS] == []
    shown = lesson(stage, "calls", ["-"] * 10).stdout.decode()
    assert [line for line in shown.splitlines() if len(line) > COLUMNS] == []


@one_user(PEOPLE)
@pytest.mark.parametrize(("compiler", "program"), [("env cc", "sum.c"), ("", "sum.py")])
def test_the_program_that_runs_is_shown(compiler: str, program: str, stage: Stage) -> None:
    stage.environ["CC"] = compiler
    shown = lesson(stage, "calls", []).stdout.decode()

    assert f"--- {program}\n" in shown
    said = " ".join(shown.split())
    assert ("so a program in Python is used" in said) == program.endswith(".py")


@one_user(PEOPLE)
def test_a_learner_looks_further_asks_for_a_hint_and_gives_up(stage: Stage) -> None:
    predicted = ["0", "1", "3"]
    asked = ["scopetrace syscalls -e getppid", "scopetrace nonsense", "?", "rm -r x", "-"]
    shown = lesson(stage, "calls", predicted + asked).stdout.decode()

    assert shown.count("    getppid() = ") == 6
    assert "It stands after the = in the line of write." in shown
    assert "It is: 40." in shown
    assert shown.endswith("The lesson stops here: there are no more answers.\n")


@one_user(PEOPLE)
def test_the_list_of_lessons(stage: Stage) -> None:
    ending = stage.run(scopetrace_command("lesson"))
    lines = ending.stdout.decode().splitlines()

    assert lines[0] == " 1  What a system call is, and what is none"
    assert lines[len(ANSWERS) - 1] == f"{len(ANSWERS)}  Find the fault"


@one_user(PEOPLE)
def test_a_lesson_that_there_is_not(stage: Stage) -> None:
    ending = stage.run(scopetrace_command("lesson", "pipe"))

    assert ending.status == 2
    assert ending.stderr == b"scopetrace: there is no lesson pipe; did you mean pipes?\n"


def folder_of(name: str) -> Path:
    (found,) = COURSE.glob(f"*-{name}")
    return found


def test_the_course_is_in_the_package() -> None:
    assert [*different(filecmp.dircmp(COURSE, course_folder()))] == []


def different(compared: filecmp.dircmp[str]) -> list[str]:
    """Return the files that differ between two folders, or are in one only."""
    found = compared.left_only + compared.right_only + compared.diff_files
    return [*found, *(name for sub in compared.subdirs.values() for name in different(sub))]
