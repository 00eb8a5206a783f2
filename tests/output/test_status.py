from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.model.session import SessionInfo
from scopetrace.output.status import describe_status

BASE = SessionInfo(
    id=1, path=Path("1-true.db"), command="true", args=("true",), cwd="/", pid=2, recorder_pid=3,
    recorder_started_ticks=4, boot_id="b", host="h", uid=0, username="root", version="0",
    started_ns=0, ended_ns=1, status="finished", exit_code=0, signal=None, events=0, lost=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "exit 0"),
        ({"exit_code": 3}, "exit 3"),
        ({"exit_code": None, "signal": 9}, "SIGKILL"),
        ({"exit_code": None, "status": "running"}, "running"),
        ({"status": "running"}, "running"),
        ({"exit_code": None, "status": "interrupted"}, "interrupted"),
        ({"status": "incomplete"}, "exit 0, incomplete"),
        ({"exit_code": None, "status": "incomplete"}, "incomplete"),
        ({"exit_code": None, "status": "stopped"}, "stopped"),
        ({"exit_code": None}, "finished"),
    ],
)
def test_a_status_says_how_the_program_ended_or_why_that_is_unknown(changes, shown):
    assert describe_status(BASE._replace(**changes)) == shown
