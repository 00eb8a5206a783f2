"""`scopetrace lesson`: a course about system calls that runs."""

from __future__ import annotations

import sys
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from textwrap import wrap
from typing import TextIO

import click

from scopetrace.cli.shell_complete import complete_lesson
from scopetrace.errors import ExitStatus


@click.command()
@click.argument("lesson", required=False, metavar="[N|NAME]", shell_complete=complete_lesson)
def lesson(lesson: str | None) -> int:
    """List the lessons about system calls, or go through one.

    A lesson takes ten to twenty minutes: it shows a program, asks what that will do, records it,
    and compares; the recorded session is the answer key. It needs no network and no rights. Answers
    can be piped in. At a question, ? gives a hint, - the answer, and commands of scopetrace show
    more of the session.

    \b
    scopetrace lesson             list the lessons
    scopetrace lesson 1           go through the first
    scopetrace lesson pipes       the same of one by its name
    """
    from scopetrace.lessons.course import find_lesson, lessons
    from scopetrace.lessons.teacher import HELP, MOST_COLUMNS, teach
    from scopetrace.output.width import terminal_columns

    if lesson is None:
        for number, each in enumerate(lessons(), 1):
            print(f"{number:2}  {each.title}")
        print("\nscopetrace lesson 1 begins the first.")
        return ExitStatus.OK
    chosen = find_lesson(lesson)
    columns = terminal_columns(sys.stdout) or MOST_COLUMNS
    print(*wrap(HELP, min(columns, MOST_COLUMNS)), "", sep="\n")
    whole = teach(chosen, columns, _learner(), sys.stdout, _answer)
    return ExitStatus.OK if whole else ExitStatus.ERROR


def _learner() -> TextIO:
    """Return where answers are read from: standard input, whatever bytes it has."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    return StringIO() if sys.stdin is None else sys.stdin  # None: it is closed


def _answer(words: list[str]) -> str | None:
    """Run a command that shows something and return what it wrote; None: it is another one."""
    from scopetrace.cli import main
    from scopetrace.cli.commands import COMMANDS, UNPAGED

    if words and (words[0] in UNPAGED or words[0] not in COMMANDS):
        return None
    written = TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(written), redirect_stderr(written):
        main(words)
    written.flush()
    written.seek(0)
    return written.read()
