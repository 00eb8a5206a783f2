from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.errors import UsageError
from scopetrace.lessons.text import ASK, LOOK, PREDICT, PROGRAM, PROSE, RUN, Lesson, read_lesson

TEXT = """# A title

Some words.

```program
a.c
```

```predict
ask: How many?
answer: {count: write, fd: 1}
```

```run
./a
```

```look
scopetrace syscalls
```

```text
as it is
```

```ask
ask: Which?
choices:
  - this
  - 2
answer: b
hint: It is a number.
because: So it is.
```

The end.
"""


def lesson(folder: Path, text: str) -> Lesson:
    path = folder / "lesson.md"
    path.write_text(text)
    return read_lesson(path)


def test_a_text_is_a_title_and_steps(tmp_path: Path) -> None:
    found = lesson(tmp_path, TEXT)

    assert (found.folder, found.title) == (tmp_path, "A title")
    kinds = [step.kind for step in found.steps]
    assert kinds == [PROSE, PROGRAM, PREDICT, RUN, LOOK, PROSE, ASK, PROSE]
    assert [step.text for step in found.steps if step.kind in (PROGRAM, RUN, LOOK)] == [
        "a.c",
        "./a",
        "scopetrace syscalls",
    ]


def test_questions_have_answers_hints_and_choices(tmp_path: Path) -> None:
    predicted, asked = lesson(tmp_path, TEXT).questions

    assert predicted.answer == {"count": "write", "fd": 1}
    assert (predicted.choices, predicted.hint, predicted.because) == ((), "", "")
    assert asked.choices == ("this", "2")
    assert (asked.answer, asked.hint, asked.because) == ("b", "It is a number.", "So it is.")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Words.\n", "its first line is no title"),
        ("# A\n```ask\nask: What?\n```\n", "a question has ask and answer, and perhaps because,"),
        ("# A\n```ask\nask: What?\nanswer: 1\nanwser: 2\n```\n", "a question has ask and answer"),
        ("# A\n```ask\n- 1\n```\n", "a question has ask and answer"),
        ("# A\n```ask\nask: a: b\n```\n", "a question is no YAML"),
    ],
)
def test_a_wrong_text_is_one_sentence(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        lesson(tmp_path, text)

    assert str(caught.value).startswith(f"{tmp_path}/lesson.md: {complaint}")
