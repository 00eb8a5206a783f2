"""Calls with pointers that lie are recorded whole, and have lines.

.ci/sanitize runs this on a build with ASan and UBSan; a thorough run makes more calls.
"""

from __future__ import annotations

import os
import struct

import pytest

from scopetrace.output.syscall_lines import CallLines, LineOptions
from scopetrace.query import open_session
from support.harness import Compile, Stage, session_files
from support.pointer_calls import pointer_calls
from support.thorough import THOROUGH
from support.users import without_rights

ROUNDS = 60 if THOROUGH else 3
SEED = 1
FINDINGS = ("misunderstood", "lost", "fault", "engine")
"""Reasons of notices that a program cannot cause."""
CONFIG = "scopetrace: {syscalls: all, environment: true}\n"
PATIENCE_S = 600


@pytest.mark.timeout(PATIENCE_S)
@without_rights
def test_calls_whose_pointers_lie_have_lines(stage: Stage, compile_tracee: Compile) -> None:
    calls = pointer_calls()
    listed, counter = stage.work / "calls", stage.work / "counter"
    listed.write_text("\n".join(calls))
    counter.write_bytes(bytes(8))
    if stage.uid is not None:
        os.chown(counter, stage.uid, -1)
    argv = [compile_tracee("pointers"), str(SEED), str(ROUNDS), listed, counter]

    recording = stage.record(argv, config=CONFIG, timeout=PATIENCE_S)

    (made,) = struct.unpack("=Q", counter.read_bytes())
    assert (recording.ending.status, recording.ending.stdout) == (0, b"%d\n" % len(calls))
    assert not list(stage.home.rglob("*.fault.txt"))
    found = [event.data for event in recording.of("notice")]
    assert [notice for notice in found if notice["reason"] in FINDINGS] == []
    lines = CallLines(LineOptions(verbose=True))
    (path,) = session_files(stage.home)
    with open_session(path) as session:
        texts = [lines.line(row, files) for row, files in session.syscall_query().follow()]
    assert len(texts) >= made
    assert not [text for text in texts if "\n" in text or "(?)" in text]
