from __future__ import annotations

import pytest

from scopetrace.lessons.teacher import agrees, prose_lines, spelled

CHOICES = ("never", "once", "twice, or more")


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("3", "3"),
        ("3 times", "3"),
        ("Twice.", "2"),
        ("none", "0"),
        ("3. Because", "3"),
        ("it is 1,000", "1000"),
        ("-1", "-1"),
        ("enoent", "ENOENT"),
        ("openat()", "openat"),
        (" exit_group ", "exit_group"),
        ("report.tmp.", "report.tmp"),
    ],
)
def test_an_answer_may_be_said_in_several_ways(said: str, known: str) -> None:
    assert agrees(said, ("something else", known))


@pytest.mark.parametrize(
    ("said", "known"), [("30", "3"), ("open", "openat"), ("1", "yes"), ("two", "3")]
)
def test_another_answer_is_wrong(said: str, known: str) -> None:
    assert not agrees(said, (known,))


@pytest.mark.parametrize("said", ["b", "B", "b)", "once"])
def test_a_choice_is_named_by_its_letter_or_its_text(said: str) -> None:
    assert agrees(said, ("b",), CHOICES)
    assert not agrees(said, ("c",), CHOICES)


def test_a_choice_is_told_with_its_text() -> None:
    assert spelled("c", CHOICES) == "c) twice, or more"
    assert spelled("42", ()) == "42"


def test_markdown_is_wrapped_but_for_blocks() -> None:
    text = "## A head\n\nSome `code` and\n*more* words.\n\n- one thing\n  of two\n- another\n"

    assert [*prose_lines(text, 14)] == [
        *("A head", "------", "", "Some code and", "more words.", ""),
        *("- one thing of", "  two", "- another"),
    ]
    assert [*prose_lines("```text\na  b\n\nc\n```\n", 5)] == ["    a  b", "", "    c"]
