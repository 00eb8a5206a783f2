from __future__ import annotations

import os

import pytest

from scopetrace.db.folder import make_folder
from scopetrace.errors import SessionError


@pytest.fixture
def folder(tmp_path):
    make_folder(tmp_path / "home" / "sessions")
    return tmp_path / "home" / "sessions"


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
