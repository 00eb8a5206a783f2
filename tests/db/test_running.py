from __future__ import annotations

import os
import subprocess

from scopetrace.db.running import boot_id, is_running, started_ticks


def test_this_process_runs():
    ticks = started_ticks(os.getpid())

    assert ticks is not None
    assert is_running(os.getpid(), ticks, boot_id())


def test_a_later_process_with_the_same_pid_is_another_one():
    assert not is_running(os.getpid(), started_ticks(os.getpid()) - 1, boot_id())


def test_a_process_of_another_boot_is_another_one():
    assert not is_running(os.getpid(), started_ticks(os.getpid()), "another boot")


def test_a_process_that_ended_does_not_run_even_before_it_is_reaped():
    child = subprocess.Popen(["sleep", "60"])
    ticks = started_ticks(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert not is_running(child.pid, ticks, boot_id())
    child.wait()
    assert started_ticks(child.pid) is None


def test_a_name_with_spaces_and_parentheses_does_not_confuse(tmp_path):
    program = tmp_path / ") 1 2 ("
    program.symlink_to("/usr/bin/sleep")
    child = subprocess.Popen([program, "60"])

    assert started_ticks(child.pid) >= started_ticks(os.getpid())
    child.kill()
    child.wait()
