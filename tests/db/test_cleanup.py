"""What killed recorders leave goes; what belongs to a session, or to a stranger, stays."""

from __future__ import annotations

import os
import subprocess

import pytest

from scopetrace.db.cleanup import delete_leftovers
from scopetrace.db.folder import make_folder
from scopetrace.db.running import boot_id
from support.session_builder import begin, record

BOOT = boot_id()[:8]
GONE = 2**22 + 1
"""No process has this pid: fs/proc and pid_max end below it."""


@pytest.fixture
def folder(tmp_path):
    make_folder(tmp_path / "sessions")
    return tmp_path / "sessions"


def names(folder):
    return {path.name for path in folder.iterdir() if path.name != ".last-id"}


@pytest.mark.parametrize(
    "name",
    [
        "7-sh.db-wal",
        "7-sh.db-shm",
        "7-sh.db-journal",
        "7-sh.db-reserve",
        "7-sh.db.fault.txt",
        ".7-sh.db",
        ".7-sh.db-journal",
        f".7-a.b.{GONE}.{BOOT}.db",
        f".7-a.b.{GONE}.{BOOT}.db-journal",
    ],
)
def test_what_has_no_session_is_deleted(name, folder):
    (folder / name).touch()

    assert delete_leftovers(folder) == 1
    assert names(folder) == set()


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "7-sh.db",
        "x.db-wal",
        ".index",
        ".index.new",
        ".hidden",
        ".last-id",
        f".7-sh.OURS.{BOOT}.db",
        f".7-sh.OURS.{BOOT}.db-journal",
        f".7-sh.{GONE}.0123abcd.db",
    ],
)
def test_what_is_another_matter_stays(name, folder):
    path = folder / name.replace("OURS", str(os.getpid()))
    path.touch()

    assert delete_leftovers(folder) == 0
    assert path.exists()


def test_what_another_machine_left_long_ago_is_deleted(folder):
    left = folder / f".7-sh.{GONE}.0123abcd.db"
    left.touch()
    os.utime(left, (0, 0))

    assert delete_leftovers(folder) == 1


def test_the_reserve_of_a_killed_recorder_goes_and_its_log_stays(tmp_path, folder):
    child = subprocess.Popen(["true"])
    child.wait()
    killed = begin(tmp_path, recorder_pid=child.pid)
    alive = begin(tmp_path)

    assert delete_leftovers(folder) == 1
    there = names(folder)
    assert f"{killed.path.name}-reserve" not in there
    assert {f"{killed.path.name}-wal", f"{alive.path.name}-reserve"} <= there
    alive.discard()


def test_a_report_of_a_fault_stays_with_its_session(tmp_path, folder):
    path = record(tmp_path, [])
    report = folder / f"{path.name}.fault.txt"
    report.touch()

    assert delete_leftovers(folder) == 0
    assert report.exists()


def test_nothing_is_deleted_where_others_may_write(folder):
    (folder / "7-sh.db-wal").touch()
    folder.chmod(0o777)

    assert delete_leftovers(folder) == 0


def test_links_and_folders_are_no_leftovers(folder):
    (folder / "7-sh.db-wal").mkdir()
    (folder / "8-sh.db-wal").symlink_to("nowhere")

    assert delete_leftovers(folder) == 0


def test_a_folder_that_cannot_be_read_has_none(folder):
    (folder / "file").touch()

    assert delete_leftovers(folder / "file") == delete_leftovers(folder / "none") == 0
