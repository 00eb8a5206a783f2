"""User and group of a process that changes them without an exec."""

from __future__ import annotations

import os

from support.harness import GROUP as OURS
from support.harness import Compile, Stage

NOBODY_UID, GROUP = 65534, 65530


def test_events_after_setuid_have_the_new_user(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.record([compile_tracee("setuid")])

    [dropped] = recording.of("fs.open", file="/etc/hostname")
    [stayed] = recording.of("fs.open", file="/etc/passwd")
    us = (os.getuid(), os.getgid()) if stage.uid is None else (stage.uid, OURS)
    then = (NOBODY_UID, GROUP if us[0] == 0 else us[1])  # only root may choose its groups
    assert (stayed.uid, stayed.gid) == us
    assert (dropped.uid, dropped.gid) == then
    assert (dropped.data["proc_uid"], dropped.data["proc_gid"]) == then
