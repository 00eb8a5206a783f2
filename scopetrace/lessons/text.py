"""The text of a lesson: Markdown, with blocks between ``` that do something.

    ```program     names of files that are shown
    ```predict     a question (YAML), asked now and answered by the next run
    ```run         a command that is recorded with its system calls; `./NAME` is NAME.c or NAME.py
    ```look        commands of scopetrace that show the session
    ```ask         a question (YAML) about the session

A question has `ask`, `answer`, and as it likes `choices`, `hint` and `because`. The answer is a
text, a list of texts that are all right, or a query of the session (`lessons.key`). Any other block
is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from scopetrace.errors import UsageError

PROSE, PROGRAM, PREDICT, RUN, LOOK, ASK = "prose", "program", "predict", "run", "look", "ask"
BLOCKS = (PROGRAM, PREDICT, RUN, LOOK, ASK)
QUESTIONS = (PREDICT, ASK)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
_FIELDS = {"ask", "answer", "choices", "hint", "because"}


class Question(NamedTuple):
    """What a learner is asked."""

    ask: str
    answer: Any
    """A text or number, a list of them, or a query: a mapping."""
    choices: tuple[str, ...] = ()
    """Answers to choose from, by their letters."""
    hint: str = ""
    because: str = ""
    """What is said when the answer is known."""


class Step(NamedTuple):
    """One piece of a lesson."""

    kind: str
    text: str
    question: Question | None = None


class Lesson(NamedTuple):
    """A lesson: its title, and its steps in order."""

    folder: Path
    title: str
    steps: tuple[Step, ...]

    @property
    def questions(self) -> list[Question]:
        """Its questions, in order."""
        return [step.question for step in self.steps if step.question is not None]


def read_lesson(path: Path) -> Lesson:
    """Read a lesson.

    Raises:
        UsageError: it has no title, or a question is wrong.
    """
    try:
        title, _, rest = path.read_text(encoding="utf-8").partition("\n")
        if not title.startswith("# "):
            raise UsageError("its first line is no title (# ...)")
        return Lesson(path.parent, title[2:].strip(), tuple(_steps(rest)))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _steps(text: str) -> Iterator[Step]:
    at = 0
    for block in _BLOCK.finditer(text):
        yield from _prose(text[at : block.start()])
        kind, body = block[1], block[2]
        if kind in QUESTIONS:
            yield Step(kind, body, _question(body))
        elif kind in BLOCKS:
            yield Step(kind, body.strip())
        else:
            yield Step(PROSE, block[0])
        at = block.end()
    yield from _prose(text[at:])


def _prose(text: str) -> Iterator[Step]:
    if text.strip():
        yield Step(PROSE, text)


def _question(body: str) -> Question:
    try:
        found = yaml.safe_load(body)
    except yaml.YAMLError as error:
        raise UsageError(f"a question is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict) or not {"ask", "answer"} <= set(found) <= _FIELDS:
        raise UsageError(f"a question has ask and answer, and perhaps {_OTHERS}: {body.strip()}")
    texts = {name: str(found.get(name, "")).strip() for name in ("ask", "hint", "because")}
    choices = tuple(map(str, found.get("choices", ())))
    return Question(answer=found["answer"], choices=choices, **texts)


_OTHERS = ", ".join(sorted(_FIELDS - {"ask", "answer"}))
