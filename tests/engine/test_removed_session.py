"""A session that is removed while it is recorded: one sentence, and a new file for later events."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from support.harness import (
    PATIENCE,
    Stage,
    only,
    read_events,
    read_info,
    scopetrace_command,
    session_files,
    wait_for,
)

PROGRAM = """
exec 3> app.log
echo before >&3
until [ -s removed ]; do sleep 0.02; done
echo after >&3
until [ -s reported ]; do sleep 0.02; done
sh -c 'cat /etc/passwd > /dev/null; exit 7'
"""
REMOVED = "was removed or cut while it was written, and was begun anew; the program runs on"


@pytest.mark.parametrize("what", ["the file", "the file alone", "the folder"])
def test_events_after_the_removal_are_in_a_new_file_of_the_same_name(
    what: str, stage: Stage
) -> None:
    command = scopetrace_command("run", "sh", "-c", PROGRAM)
    with subprocess.Popen(
        command, cwd=stage.work, env=stage.environment(), stderr=subprocess.PIPE, **stage.become()
    ) as program:
        path = wait_for(lambda: only(session_files(stage.home)), "the session")
        wait_for(lambda: any(e.sourcetype == "file" for e in read_events(path)), "a log line")
        if what == "the folder":
            moved = stage.home.rename(stage.folder / "moved")  # at once: it is being written to
            stage.give(stage.home)
            shutil.rmtree(moved, ignore_errors=True)
        else:
            for beside in path.parent.glob(f"{path.name}{'*' if what == 'the file' else ''}"):
                beside.unlink()
        (stage.work / "removed").write_text("yes")
        assert program.stderr
        sentence = program.stderr.readline().decode()
        (stage.work / "reported").write_text("yes")
        _, rest = program.communicate(timeout=PATIENCE)

    assert program.returncode == 7
    assert sentence.startswith(f"scopetrace: {path} {REMOVED}")
    assert rest == b""
    wait_for(lambda: only(session_files(stage.home)) == path, "a new session")
    wait_for(lambda: read_info(path).status != "running", "the recorder to finish")
    info, events = read_info(path), read_events(path)
    messages = [event.data["message"] for event in events if event.sourcetype == "file"]
    assert messages[-1] == "after\n"
    assert (info.exit_code, info.events) == (7, len(events))
    if messages == ["after\n"]:  # else it was removed before the recorder looked the first time
        assert info.status == "incomplete"
        assert info.lost > 0
        assert "unwritten" in [e.data["reason"] for e in events if e.source == "notice"]
    assert {"sh", "cat"} <= {e.proc for e in events} <= {"sh", "cat", "sleep"}
