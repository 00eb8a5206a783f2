from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from scopetrace.cli.shell_complete import complete_lesson

Command = Callable[..., tuple[int, str, str]]
TEXT = """# Counting

```predict
ask: How many?
answer: 2
hint: One and one.
because: Always.
```

```ask
ask: Which?
choices: [this, that]
answer: b
```
"""


@pytest.fixture(autouse=True)
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A course of one lesson that runs nothing."""
    (tmp_path / "1-counting").mkdir()
    (tmp_path / "1-counting" / "lesson.md").write_text(TEXT)
    monkeypatch.setenv("SCOPETRACE_COURSE", str(tmp_path))


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_without_a_name_the_lessons_are_listed(scopetrace: Command) -> None:
    listed = " 1  Counting\n\nscopetrace lesson 1 begins the first.\n"
    assert scopetrace("lesson") == (0, listed, "")


def test_answers_are_read_from_standard_input(
    scopetrace: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "?\n2\n\nthat\n")
    status, out, _ = scopetrace("lesson", "counting")

    assert status == 0
    assert "How many?\n> ?\nOne and one.\n> 2\n" in out
    assert "Which?\na) this\nb) that\n> \nType an answer; ? for a hint" in out
    assert "ends the lesson.\n> that\nRight.\n" in out


def test_where_the_answers_end_the_lesson_ends(
    scopetrace: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "2\n")
    status, out, _ = scopetrace("lesson", "1")

    assert status == 1
    assert out.endswith("\nThe lesson stops here: there are no more answers.\n")


def test_bytes_that_are_no_text_are_a_wrong_answer(
    scopetrace: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n\xfe\nb\n")))
    status, out, _ = scopetrace("lesson", "1")

    assert status == 0
    assert "Which?\na) this\nb) that\n> \ufffd\nNo." in out


def test_a_closed_standard_input_has_no_answers(
    scopetrace: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)

    assert scopetrace("lesson", "1")[0] == 1


def test_a_command_can_be_typed_at_a_question(
    scopetrace: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "scopetrace explain ENOENT\nscopetrace explain NOTHING\n2\nb\n")
    status, out, _ = scopetrace("lesson", "1")

    assert status == 0
    assert "    error    ENOENT (2): No such file or directory\n" in out
    assert "no system call, error or flag is named NOTHING" in " ".join(out.split())


@pytest.mark.parametrize(("prefix", "found"), [("c", ["counting"]), ("1", ["1"]), ("x", [])])
def test_names_and_numbers_are_completed(prefix: str, found: list[str]) -> None:
    context = click.Context(click.Command("lesson"))
    names = complete_lesson(context, click.Argument(["lesson"]), prefix)

    assert [item.value for item in names] == found
