from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.decode.paths import absolute, text, undeleted


@pytest.mark.parametrize(
    ("base", "passed", "expected"),
    [
        ("/home/me", "a.txt", "/home/me/a.txt"),
        ("/home/me", "./a//b/./c", "/home/me/a/b/c"),
        ("/home/me", "/etc//passwd", "/etc/passwd"),
        ("/home/me", "sub/", "/home/me/sub"),
        ("/home/me", "..", "/home"),
        ("/home/me", "../../..", "/"),
        ("/home/me", "../other/x", "/home/other/x"),
        ("/home/me", "/../etc", "/etc"),
        ("/", "a", "/a"),
        ("/home/me", "", "/home/me"),
        ("/home/me", ".", "/home/me"),
        ("/", ".", "/"),
        ("/home/me", "..a/...", "/home/me/..a/..."),
    ],
)
def test_a_passed_path_becomes_absolute(base, passed, expected):
    assert absolute(base, "/", passed) == expected


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        ("link/../x", "/home/me/link/../x"),
        ("../link/../x", "/home/link/../x"),
        ("/link/../x", "/link/../x"),
    ],
)
def test_dot_dot_after_a_name_stays_because_the_name_may_be_a_symbolic_link(passed, expected):
    assert absolute("/home/me", "/", passed) == expected


@pytest.mark.parametrize(
    ("base", "passed", "expected"),
    [
        ("/jail", "/etc/passwd", "/jail/etc/passwd"),
        ("/jail/home", "../../../etc", "/jail/etc"),
        ("/jail", "/../x", "/jail/x"),
        ("/jail/home", "x", "/jail/home/x"),
    ],
)
def test_in_a_chroot_nothing_is_above_its_root(base, passed, expected):
    assert absolute(base, "/jail", passed) == expected


def test_a_relative_path_from_an_unknown_folder_stays_as_it_was_passed():
    assert absolute("", "/", "../a//b") == "../a//b"


def test_an_unknown_folder_does_not_matter_to_an_absolute_path():
    assert absolute("", "/", "/a/./b") == "/a/b"


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b"]), max_size=8).map("/".join))
def test_without_symbolic_links_it_is_the_file_that_the_system_would_find(passed):
    mine = absolute("/base/dir", "/", passed)

    expected = os.path.normpath(Path("/base/dir") / passed)
    assert os.path.normpath(mine) == expected.replace("//", "/")  # POSIX lets "//" be special


@given(st.binary(max_size=30))
def test_names_are_bytes_and_survive_being_text(name):
    assert text(name).encode("utf-8", "surrogateescape") == name


def test_the_remark_that_a_name_is_gone_is_no_part_of_it():
    assert undeleted("/tmp/x (deleted)") == "/tmp/x"
    assert undeleted("/tmp/x") == "/tmp/x"
