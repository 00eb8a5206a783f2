from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.errors import SessionError
from scopetrace.store.home import (
    allocate_id,
    give_back_id,
    make_folder,
    parse_file_name,
    session_file_name,
    session_paths,
    sessions_folder,
    state_home,
)
from support.interpreter import only_path_to_us

ALLOCATE = "import sys; from pathlib import Path; from scopetrace.store.home import allocate_id;"
ALLOCATE += "sys.stdin.read(); print(allocate_id(Path(sys.argv[1])))"


@pytest.fixture
def folder(tmp_path):
    make_folder(tmp_path / "home" / "sessions")
    return tmp_path / "home" / "sessions"


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


def test_folders_are_for_their_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_folder(tmp_path / "state" / "scopetrace" / "sessions")
    finally:
        os.umask(before)

    for part in ("sessions", ""):
        mode = (tmp_path / "state" / "scopetrace" / part).stat().st_mode
        assert mode & 0o777 == 0o700


def test_a_home_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "home").write_text("")

    with pytest.raises(SessionError, match=r"cannot make the folder .*sessions: File exists"):
        make_folder(tmp_path / "home" / "sessions")


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


def test_sessions_are_listed_by_number_not_by_name(folder):
    for name in ("10-b.db", "9-a.db", "10-b.db-wal", ".11-c.db", "notes.txt"):
        (folder / name).touch()

    assert session_paths(folder) == {9: folder / "9-a.db", 10: folder / "10-b.db"}
    assert list(session_paths(folder)) == [9, 10]


def test_ids_count_up_and_are_not_used_again(folder):
    assert [allocate_id(folder) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("counter", [None, b"", b"3\n", b"rubbish", b"-5", b"9" * 31, b"\0\0"])
def test_a_counter_that_is_missing_or_wrong_gives_no_id_twice(folder, counter):
    (folder / "12-x.db").touch()
    if counter is not None:
        (folder / ".last-id").write_bytes(counter)

    assert allocate_id(folder) == 13


def test_an_id_in_the_making_is_taken_too(folder):
    (folder / ".4-x.db").touch()

    assert allocate_id(folder) == 5


def test_the_last_id_can_be_given_back(folder):
    given = allocate_id(folder)
    give_back_id(folder, given)

    assert allocate_id(folder) == given


def test_an_id_that_is_not_the_last_any_more_stays_given(folder):
    first, second = allocate_id(folder), allocate_id(folder)
    give_back_id(folder, first)

    assert allocate_id(folder) == second + 1


def test_fifty_processes_at_once_get_fifty_ids(folder):
    """All are up and wait for their input to end before the first asks."""
    read_end, write_end = os.pipe()
    children = [
        subprocess.Popen(
            [sys.executable, "-S", "-c", ALLOCATE, str(folder)],
            stdin=read_end,
            stdout=subprocess.PIPE,
            env={**os.environ, **only_path_to_us()},
        )
        for _ in range(50)
    ]
    os.close(read_end)
    os.close(write_end)
    ids = [int(child.communicate()[0]) for child in children]

    assert sorted(ids) == list(range(1, 51))


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o702])
@pytest.mark.parametrize("part", ["home", "home/sessions"])
def test_a_folder_that_others_may_write_to_is_refused(part, mode, folder, tmp_path):
    (tmp_path / part).chmod(mode)

    with pytest.raises(SessionError, match=r"cannot write sessions in .*: others may write to .*"):
        make_folder(folder)


@pytest.mark.parametrize("mode", [0o1777, 0o755, 0o700])
def test_a_folder_in_which_others_cannot_touch_what_is_ours_will_do(mode, folder):
    folder.chmod(mode)

    make_folder(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(folder):
    os.chown(folder, 65534, 65534)

    with pytest.raises(SessionError, match="it belongs to another user"):
        make_folder(folder)


def test_the_counter_is_not_opened_through_a_link(folder, tmp_path):
    (tmp_path / "precious").write_text("7")
    (folder / ".last-id").symlink_to(tmp_path / "precious")

    with pytest.raises(SessionError, match="Too many levels of symbolic links"):
        allocate_id(folder)
    assert (tmp_path / "precious").read_text() == "7"
