"""Who a process is, when that changes without an exec."""

from __future__ import annotations

import os

from support.harness import GROUP as OURS
from support.harness import Compile, Stage

NOBODY, GROUP = 65534, 65530


def test_what_a_process_does_as_another_user_is_recorded_as_that_users(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("becomes")])

    [dropped] = recording.of("fs.open", file="/etc/hostname")
    [stayed] = recording.of("fs.open", file="/etc/passwd")
    us = (os.getuid(), os.getgid()) if stage.uid is None else (stage.uid, OURS)
    then = (NOBODY, GROUP if us[0] == 0 else us[1])  # only root may choose its groups
    assert (stayed.uid, stayed.gid) == us
    assert (dropped.uid, dropped.gid) == then
    assert (dropped.data["proc_uid"], dropped.data["proc_gid"]) == then
