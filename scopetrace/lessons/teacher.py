"""Goes through a lesson with a learner: shows, asks, runs, compares.

A learner types an answer, `?` for a hint, `-` for the answer, or any command of scopetrace to look
further. Answers may come from a file or a pipe as well; the lesson ends where they end.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from typing import TextIO

from scopetrace.errors import ScopeError
from scopetrace.lessons.bench import SCOPETRACE, Answer, Bench, work_folder
from scopetrace.lessons.key import answers
from scopetrace.lessons.text import ASK, LOOK, PREDICT, PROGRAM, PROSE, RUN, Lesson, Question, Step

MOST_COLUMNS = 80
TRIES = 3
PROMPT = "> "
HINT, GIVE_UP = "?", "-"
RECORDED = f"{SCOPETRACE} run --syscalls"
HELP = (
    f"Type an answer; {HINT} for a hint, {GIVE_UP} for the answer, or a command of {SCOPETRACE} to"
    " look further. Ctrl-D ends the lesson."
)
INDENT = "    "
_NUMBER = re.compile(r"-?\d+")
_WORD = re.compile(r"-?\d+|[a-z]+")
_SPELLED = {
    word: str(number)
    for number, words in enumerate(
        (
            "zero none never", "one once", "two twice", "three", "four", "five", "six", "seven",
            "eight", "nine", "ten",
        )
    )
    for word in words.split()
}  # fmt: skip
_MARKS = re.compile(r"[^\w./-]+")
_EMPHASIS = re.compile(r"[`*](\S[^`*]*)[`*]")
_BLOCK = re.compile(r"^```\w*\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)


class Ended(Exception):
    """There are no more answers."""


class Teacher:
    """One lesson with one learner.

    Args:
        columns: width of the terminal.
        learner: where answers are read from.
        shown: where everything is written.
    """

    def __init__(
        self, lesson: Lesson, bench: Bench, columns: int, learner: TextIO, shown: TextIO
    ) -> None:
        self._lesson = lesson
        self._bench = bench
        self._columns = min(columns, MOST_COLUMNS)
        self._learner = learner
        self._shown = shown
        self._predicted: list[tuple[Question, str]] = []
        self.right = 0
        """Questions that were answered rightly at once."""

    def teach(self) -> None:
        """Go through all steps.

        Raises:
            Ended: there are no more answers.
            ScopeError: the lesson is wrong.
        """
        self._say(self._lesson.title)
        self._say("=" * len(self._lesson.title))
        for step in self._lesson.steps:
            self._say("")
            STEPS[step.kind](self, step)
        self._say("")
        asked = len(self._lesson.questions)
        self._say(f"You answered {self.right} of {asked} questions rightly at once.")

    def _say(self, line: str) -> None:
        self._shown.write(f"{line}\n")
        self._shown.flush()

    # -- what is shown

    def _prose(self, step: Step) -> None:
        for line in prose_lines(step.text, self._columns):
            self._say(line)

    def _program(self, step: Step) -> None:
        for name in step.text.split():
            made_of = self._bench.twins.get(name, name)
            if made_of != name:
                self._wrapped(IN_PYTHON.format(name))
                self._say("")
            self._say(f"--- {made_of}")
            self._say((self._bench.work / made_of).read_text().rstrip("\n"))

    def _show(self, text: str) -> None:
        """Show what a command wrote; long lines go on in the next, indented."""
        for line in text.rstrip("\n").split("\n"):
            for each in _folded(line, self._columns):
                self._say(each)

    # -- what is done

    def _run(self, step: Step) -> None:
        for command in step.text.splitlines():
            self._say(f"$ {RECORDED} {command}")
            self._show(self._bench.run(command))
        self._compare()

    def _look(self, step: Step) -> None:
        for command in step.text.splitlines():
            self._say(f"$ {command}")
            self._show(self._bench.look(command))

    def _compare(self) -> None:
        """Compare what was predicted with what happened."""
        predicted, self._predicted = self._predicted, []
        for question, said in predicted:
            self._say("")
            self._wrapped(question.ask)
            known = self._answers(question)
            if agrees(said, known, question.choices):
                self.right += 1
                self._wrapped(f"You said {said}, and so it is. {question.because}")
            else:
                shown = spelled(known[0], question.choices)
                yours = "" if said == GIVE_UP else f"You said {said}. "
                self._wrapped(f"{yours}It is: {shown}. {question.because}")

    # -- what is asked

    def _predict(self, step: Step) -> None:
        question = self._put(step)
        self._predicted.append((question, self._read(question)))

    def _ask(self, step: Step) -> None:
        question = self._put(step)
        known = self._answers(question)
        for attempt in range(TRIES):
            said = self._read(question)
            if said == GIVE_UP:
                break
            if agrees(said, known, question.choices):
                self.right += not attempt
                self._wrapped(f"Right. {question.because}")
                return
            again = attempt < TRIES - 1
            self._wrapped(f"No. {question.hint or 'Try again.'}" if again else "No.")
        self._wrapped(f"It is: {spelled(known[0], question.choices)}. {question.because}")

    def _put(self, step: Step) -> Question:
        question = step.question
        assert question is not None
        self._wrapped(question.ask)
        for letter, choice in zip(LETTERS, question.choices, strict=False):
            self._wrapped(f"  {letter}) {choice}")
        return question

    def _answers(self, question: Question) -> tuple[str, ...]:
        if not self._bench.has_session:
            return tuple(map(str, _listed(question.answer)))
        with self._bench.session() as session:
            return answers(question.answer, session, self._bench.work)

    def _read(self, question: Question) -> str:
        """Return the learner's answer, after hints and commands that were asked for."""
        while True:
            said = self._line()
            if said == HINT:
                self._wrapped(question.hint or "There is no hint.")
            elif said.split()[:1] == [SCOPETRACE]:
                self._command(said)
            elif said:
                return said
            else:
                self._wrapped(HELP)

    def _line(self) -> str:
        self._shown.write(PROMPT)
        self._shown.flush()
        line = self._learner.readline()
        if not self._learner.isatty():  # a terminal shows what is typed
            self._say(line.rstrip("\n"))
        if not line:
            raise Ended
        return line.strip()

    def _command(self, command: str) -> None:
        try:
            self._show(self._bench.look(command))
        except (ScopeError, ValueError) as error:  # ValueError: a quotation mark is missing
            self._wrapped(str(error))

    def _wrapped(self, text: str) -> None:
        for line in textwrap.wrap(text.strip(), self._columns, break_on_hyphens=False):
            self._say(line)


STEPS: dict[str, Callable[[Teacher, Step], None]] = {
    PROSE: Teacher._prose,
    PROGRAM: Teacher._program,
    PREDICT: Teacher._predict,
    RUN: Teacher._run,
    LOOK: Teacher._look,
    ASK: Teacher._ask,
}
LETTERS = "abcdefgh"
IN_PYTHON = (
    "(No C compiler was found here that makes a program of {}, so a program in Python is used that"
    " does the same. Python makes some hundred calls of its own before the first line of a program,"
    " and a few at its end.)"
)


def _listed(answer: object) -> list[object]:
    return answer if isinstance(answer, list) else [answer]


def spelled(answer: str, choices: tuple[str, ...]) -> str:
    """Return an answer with the text of the choice that it is the letter of."""
    if choices and answer in LETTERS[: len(choices)]:
        return f"{answer}) {choices[LETTERS.index(answer)]}"
    return answer


def agrees(said: str, known: tuple[str, ...], choices: tuple[str, ...] = ()) -> bool:
    """Whether an answer is one of the right ones; of a number the words around it do not matter."""
    accepted = {_plain(each) for each in known}
    if choices:
        accepted |= {_plain(spelled(each, choices).partition(") ")[2]) for each in known}
        return _plain(said) in accepted
    words = _WORD.findall(said.casefold().replace(",", ""))
    number = next(filter(_NUMBER.fullmatch, (_SPELLED.get(word, word) for word in words)), None)
    return _plain(said) in accepted or number in accepted


def _plain(text: str) -> str:
    return _MARKS.sub(" ", text.casefold()).strip(" .")


def prose_lines(text: str, columns: int) -> Iterator[str]:
    """Yield Markdown as lines of a terminal: paragraphs wrapped, blocks as they are."""
    block = _BLOCK.fullmatch(text.strip() + "\n")
    if block is not None:
        yield from (f"{INDENT}{line}".rstrip() for line in block[1].rstrip().split("\n"))
        return
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ""
        yield from _paragraph(paragraph, columns)


def _paragraph(text: str, columns: int) -> Iterator[str]:
    if text.startswith("#"):
        heading = text.lstrip("# ")
        yield from (heading, "-" * len(heading))
    elif text.startswith("- "):
        for item in re.split(r"\n(?=- )", text):
            yield from _wrap(item[2:], columns, "- ", "  ")
    else:
        yield from _wrap(text, columns, "", "")


def _folded(line: str, columns: int) -> list[str]:
    """Return a line of output, indented, as lines that fit."""
    if len(INDENT) + len(line) <= columns:
        return [f"{INDENT}{line}".rstrip()]
    return textwrap.wrap(
        line,
        columns,
        initial_indent=INDENT,
        subsequent_indent=2 * INDENT,
        break_on_hyphens=False,
    )


def _wrap(text: str, columns: int, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        _EMPHASIS.sub(r"\1", " ".join(text.split())),
        columns,
        initial_indent=first,
        subsequent_indent=others,
        break_on_hyphens=False,
    )


def teach(lesson: Lesson, columns: int, learner: TextIO, shown: TextIO, answer: Answer) -> bool:
    """Teach a lesson in a temporary folder; return whether it went to its end.

    Raises:
        ScopeError: the lesson is wrong.
    """
    with work_folder(min(columns, MOST_COLUMNS) - len(INDENT)) as work:
        bench = Bench(lesson.folder.absolute(), work, answer)
        teacher = Teacher(lesson, bench, columns, learner, shown)
        try:
            teacher.teach()
        except Ended:
            print("\nThe lesson stops here: there are no more answers.", file=shown)
            return False
    return True
