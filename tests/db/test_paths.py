from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.db.paths import (
    is_being_made,
    parse_file_name,
    session_file_name,
    session_paths,
    sessions_folder,
    state_home,
)
from scopetrace.db.running import boot_id

BOOT = boot_id()[:8]


@pytest.mark.parametrize(
    ("environ", "home"),
    [
        ({"SCOPETRACE_HOME": "/a", "XDG_STATE_HOME": "/b"}, "/a"),
        ({"XDG_STATE_HOME": "/b"}, "/b/scopetrace"),
        ({"XDG_STATE_HOME": "relative"}, str(Path.home() / ".local/state/scopetrace")),
        ({"SCOPETRACE_HOME": ""}, str(Path.home() / ".local/state/scopetrace")),
        ({"HOME": "/c"}, "/c/.local/state/scopetrace"),
    ],
)
def test_the_first_place_that_is_named_is_home(environ, home):
    assert state_home(environ=environ) == Path(home)


def test_an_explicit_home_comes_before_the_environment(tmp_path):
    assert sessions_folder(tmp_path) == tmp_path / "sessions"


@given(st.text())
def test_any_command_makes_a_file_name_that_tells_its_id(command):
    name = session_file_name(7, command)

    assert len(name.encode()) < 100
    assert "/" not in name
    assert parse_file_name(name)[0] == 7


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("nginx", "7-nginx.db"),
        ("a b\n;c", "7-a_b_c.db"),
        ("..", "7-command.db"),
        ("\udcff", "7-_.db"),
    ],
)
def test_a_file_name_is_safe_in_a_shell(command, name):
    assert session_file_name(7, command) == name


@pytest.mark.parametrize("name", ["7.db", "x-7.db", "07-x.db", ".7-x.db", "7-x.db-wal", ".last-id"])
def test_other_files_are_no_sessions(name):
    assert parse_file_name(name) is None


def test_sessions_are_listed_by_number_not_by_name(tmp_path):
    for name in ("10-b.db", "9-a.db", "10-b.db-wal", ".11-c.db", "notes.txt"):
        (tmp_path / name).touch()

    assert session_paths(tmp_path) == {9: tmp_path / "9-a.db", 10: tmp_path / "10-b.db"}
    assert list(session_paths(tmp_path)) == [9, 10]


@pytest.mark.parametrize(
    ("name", "age_s", "is_made"),
    [
        (f".7-sh.OURS.{BOOT}.db", 9999, True),
        (f".7-a.1.b.OURS.{BOOT}.db-journal", 0, True),
        (f".7-sh.{2**22 + 1}.{BOOT}.db", 0, False),
        (".7-sh.OURS.00000000.db", 1, True),
        (".7-sh.OURS.00000000.db", 9999, False),
        (".7-sh.db", 0, False),
        (".index", 0, None),
        ("7-sh.db", 0, None),
        (".x-sh.db", 0, None),
    ],
)
def test_a_hidden_name_says_whether_its_maker_may_still_be_at_it(name, age_s, is_made):
    name = name.replace("OURS", str(os.getpid()))

    assert is_being_made(name, age_s) is is_made
