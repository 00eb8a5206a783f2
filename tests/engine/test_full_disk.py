"""A session that cannot be written: one sentence, and the program runs on."""

from __future__ import annotations

import json
import shlex

import pytest

from support.harness import Stage, scopetrace_command
from support.users import one_user

SMALL = "mount -t tmpfs -o size=700k none $SCOPETRACE_HOME || exit 99; "
"""A small disk for sessions, in a mount namespace that ends with the shell."""
FILLS_IT = "for i in $(seq 12); do ls -d /usr/share/doc/* >/dev/null 2>&1; cat *; done; echo done"


@one_user("a full disk is full for every user here")
def test_a_full_disk_is_reported_once_and_lost_events_are_counted(stage: Stage) -> None:
    if stage.run(["unshare", "-rm", "true"]).status:
        pytest.skip("unshare -rm is not allowed here")
    stage.new_home()
    for i in range(300):
        (stage.work / f"file{i}").write_text("")
    run = shlex.join(scopetrace_command("run", "sh", "-c", FILLS_IT))
    history = shlex.join(scopetrace_command("history", "-j"))
    list_notices = shlex.join(scopetrace_command("events", "-t", "notice", "-j"))
    until_finished = f"until {history} | grep -v running | grep -q id; do sleep 0.1; done; "

    ending = stage.run(
        ["unshare", "-rm", "sh", "-c", f"{SMALL}{run}; {until_finished}{history}; {list_notices}"]
    )

    first, session, *notices = ending.stdout.decode().splitlines()
    assert first == "done"
    assert json.loads(session)["status"] == "incomplete"
    assert json.loads(session)["exit_code"] == 0
    assert json.loads(session)["lost"] > 0
    assert any(json.loads(line)["data"]["reason"] == "unwritten" for line in notices)
    assert ending.stderr.decode().count("the disk is full; the program runs on") == 1


def test_a_program_runs_if_no_session_can_be_written(stage: Stage) -> None:
    stage.environ["SCOPETRACE_HOME"] = "/proc/nowhere"

    ending = stage.run(scopetrace_command("run", "sh", "-c", "echo ran; exit 3"))

    assert (ending.stdout, ending.status) == (b"ran\n", 3)
    assert ending.stderr.endswith(b"; sh runs without being recorded\n")
    assert ending.stderr.count(b"\n") == 1
