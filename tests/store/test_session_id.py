from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scopetrace.db.folder import make_folder
from scopetrace.errors import SessionError
from scopetrace.store.session_id import allocate_id, give_back_id
from support.interpreter import only_path_to_us

ALLOCATE = "import sys; from pathlib import Path;"
ALLOCATE += "from scopetrace.store.session_id import allocate_id;"
ALLOCATE += "sys.stdin.read(); print(allocate_id(Path(sys.argv[1])))"


@pytest.fixture
def folder(tmp_path):
    make_folder(tmp_path / "home" / "sessions")
    return tmp_path / "home" / "sessions"


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


def test_the_counter_is_not_opened_through_a_link(folder, tmp_path):
    (tmp_path / "precious").write_text("7")
    (folder / ".last-id").symlink_to(tmp_path / "precious")

    with pytest.raises(SessionError, match="Too many levels of symbolic links"):
        allocate_id(folder)
    assert (tmp_path / "precious").read_text() == "7"
