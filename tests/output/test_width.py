from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.output.width import (
    display_width,
    shorten,
    shorten_command,
    terminal_columns,
    wrap,
    wrap_columns,
)


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("été", 3), ("日本", 4), ("e\u0301", 1), ("", 0)]
)
def test_width_counts_columns_not_characters(text, columns):
    assert display_width(text) == columns


@given(st.text("ab日本e\u0301\u00e9", max_size=12), st.integers(1, 12))
def test_what_is_shortened_fits_and_what_fits_is_whole(text, columns):
    short = shorten(text, columns)

    assert display_width(short) <= columns
    assert short == text if display_width(text) <= columns else short.endswith("…")


def test_a_wide_character_is_never_cut_in_half():
    assert shorten("日本語", 4) == "日…"


def test_what_is_no_terminal_has_no_width():
    assert terminal_columns(io.StringIO()) is None


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("open x: ENOENT", ["open x: ENOENT"]),
        ("open /a/b: ENOENT, it is not there", ["open /a/b:", "  ENOENT, it is", "  not there"]),
        ("  12 | int  main", ["  12 | int  main"]),
        ("cat /abcdefghijklmnop: no", ["cat /abcdefghijk", "  lmnop: no"]),
        ("cat /abcdefghijkl: no", ["cat", "  /abcdefghijkl:", "  no"]),
        ("/日本語日本語日本語", ["/日本語日本語日", "  本語"]),
        ("", [""]),
    ],
)
def test_a_sentence_is_wrapped_between_words(text: str, lines: list[str]) -> None:
    assert wrap(text, 16, "  ") == lines


@given(st.text(), st.integers(0, 90))
def test_wrapping_loses_nothing_but_spaces_and_fits(text: str, columns: int) -> None:
    lines = wrap(text, columns, "  ")

    assert "".join("".join(lines).split()) == "".join(text.split())
    assert display_width(text) <= columns or max(map(display_width, lines)) <= max(columns, 4)


@pytest.mark.parametrize(("said", "columns"), [("", 100), ("72", 72), ("300", 100), ("wide", 100)])
def test_text_for_a_pipe_is_wrapped_at_columns(said, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", said)
    assert wrap_columns(io.StringIO(), 100) == columns


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("/usr/lib/gcc/cc1 -quiet main.c", "cc1 -quiet mai…"),
        ("/usr/bin/ls -l", "/usr/bin/ls -l"),
        ("./configure --with-all", "configure --wi…"),
        ("/usr/lib/aaaaaaaaa/", "/usr/lib/aaaaa…"),
    ],
)
def test_of_a_command_the_folder_goes_first(command: str, shown: str) -> None:
    assert shorten_command(command, 15) == shown
