from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.output.escape import SPACES, escape, escape_lines, escape_message

anything = st.text(st.characters(exclude_categories=())) | st.binary().map(os.fsdecode)
HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/var/log/été.log", "/var/log/été.log"),
        ("日本語 with space", "日本語 with space"),
        ("non\u00a0breaking", "non\u00a0breaking"),
        ("C:\\dir", "C:\\dir"),
        ("two\nlines", "two\\nlines"),
        ("a\tb\r", "a\\tb\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bell\x07 delete\x7f nul\0", "bell\\x07 delete\\x7f nul\\x00"),
        ("\x9b31m", "\\u009b31m"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("a\u2066b\u2069", "a\\u2066b\\u2069"),
        ("line\u2028paragraph\u2029", "line\\u2028paragraph\\u2029"),
        (os.fsdecode(b"caf\xe9 \xff\x80"), "caf\\xe9 \\xff\\x80"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\x7f\x80\x9f", "\\x7f\\u0080\\u009f"),
        ("\udc7f\udc80\udcff\udd00", "\\udc7f\\x80\\xff\\udd00"),
        ("\uffff\U0001000c", "\\uffff\\U0001000c"),
    ],
)
def test_what_a_terminal_could_obey_is_written_out(text, shown):
    assert escape(text) == shown


@given(anything)
def test_nothing_shown_can_move_hide_or_reorder_anything(text):
    for shown in (escape(text), escape_message(text), *escape_lines(text)):
        assert not [c for c in shown if unicodedata.category(c) in HARMFUL]
        shown.encode()


@given(anything)
def test_escaping_twice_changes_nothing_more(text):
    assert escape(escape(text)) == escape(text)


def test_all_spaces_that_only_take_room_pass():
    found = {chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Zs"}

    assert found == SPACES | {" "}


def test_a_message_is_one_line_without_colours():
    text = "\x1b[01;34mdir\x1b[0m\n\tfile\r\n\x1b]0;title\x07"

    assert escape_message(text) == "dir file \\x1b]0;title\\x07"


def test_the_lines_of_a_message_stay_lines():
    assert escape_lines("a\r\n\x1b[1mb\x1b[m\x1b[K\n\nc\x08\n") == ["a", "b", "", "c\\x08"]
    assert escape_lines("") == [""]
    assert escape_lines("\n") == [""]


def test_a_forged_line_stays_within_its_value():
    assert "\n" not in escape("x\n[99] Jan  1 00:00:00 sshd fs fs.open file:/etc/shadow")
