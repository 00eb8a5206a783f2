"""Who a process is, when that changes without an exec."""

from __future__ import annotations

import os

from harness import Compile, Stage

NOBODY = 65534


def test_what_a_process_does_as_another_user_is_recorded_as_that_users(
    stage: Stage, tracee: Compile
) -> None:
    recording = stage.record([tracee("becomes")])

    [dropped] = recording.of("fs.open", file="/etc/hostname")
    [stayed] = recording.of("fs.open", file="/etc/passwd")
    us = os.getuid() if stage.uid is None else stage.uid
    assert (dropped.uid, dropped.gid) == (NOBODY, NOBODY)
    assert stayed.uid == us
    assert dropped.data["proc_uid"] == NOBODY
