"""Files have the names that the kernel has for them, whatever cwd and root a process has."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support.harness import (
    PATIENCE,
    Compile,
    Ending,
    Recording,
    Stage,
    assert_holds,
    scopetrace_command,
)
from support.interpreter import python

NOT_ALLOWED = 77
"""The exit code of roots.c where user namespaces are not permitted."""
FUSE_SERVER = Path(__file__).parents[1] / "support" / "fuse_server.py"


def errors(recording: Recording) -> list[tuple[str, str]]:
    """Return the names, and what was passed, of all opens that failed in `absent`."""
    data = [event.data for event in recording.of("fs.error") if event.data["class"] == "open_close"]
    return [
        (each["file"], each.get("file_passed", ""))
        for each in data
        if each["file"].endswith("/absent")
    ]


if os.geteuid() == 0 and Path("/dev/fuse").exists():  # only root may mount it

    def test_a_program_that_serves_a_file_system_does_not_deadlock(stage: Stage) -> None:
        """The server would answer a lookup of the tracer only after the tracer has resumed it."""
        stage.uid = None
        top = stage.give(stage.work / "top")

        recording = stage.record([python(), FUSE_SERVER, top])

        assert recording.ending.status == 0, recording.ending
        assert errors(recording) == [
            (f"{top}/dir/absent", ""),
            (f"{top}/dir/absent", "absent"),
            (f"{top}/absent", "../absent"),
        ]


WAITER = """
import os, sys
log = os.open("app.log", os.O_WRONLY | os.O_CREAT, 0o644)
os.write(log, b"one\\n")
os.mkdir("folder")
os.chdir("folder")
held = os.open("held", os.O_WRONLY | os.O_CREAT, 0o644)
print(flush=True)
sys.stdin.readline()
os.write(log, b"two\\n")
try:
    open("absent")
except FileNotFoundError as error:
    pass
os.mkdir("made")
os.close(log)
"""


NAME_AGE_S = 0.05
"""For less than this the name of an open file may be taken for what it was (docs/limits.md)."""


def with_renames(
    stage: Stage,
    program: str,
    renames: Mapping[str, str],
    then_s: float = 0,
    within: Sequence[str] = (),
    **variables: str,
) -> Recording:
    """Record a program of Python that waits for a line while this process renames files."""
    user = {} if stage.uid is None else {"user": stage.uid, "group": stage.uid, "extra_groups": []}
    recorded = subprocess.Popen(
        [*within, *scopetrace_command("run", "--", python(), "-c", program)],
        cwd=stage.work,
        env={**stage.environment(), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **user,
    )
    with recorded:
        assert recorded.stdin and recorded.stdout
        recorded.stdout.readline()
        for old, new in renames.items():
            (stage.work / old).rename(stage.work / new)
        time.sleep(then_s)
        recorded.stdin.write(b"\n")
    return stage.finished(stage.home, Ending(b"", b"", recorded.wait(PATIENCE)))


def test_a_file_that_another_process_renames_has_its_new_name_from_then_on(stage: Stage) -> None:
    renames = {"app.log": "app.log.1", "folder": "elsewhere"}

    recording = with_renames(stage, WAITER, renames, NAME_AGE_S)

    assert errors(recording) == [(f"{stage.work}/elsewhere/absent", "absent")]
    assert f"{stage.work}/elsewhere/made" in recording.files("fs.mkdir")
    closed = recording.files("fs.close")
    assert {f"{stage.work}/app.log.1", f"{stage.work}/elsewhere/held"} <= closed
    assert recording.messages(str(stage.work / "app.log")) == "one\n"
    assert recording.messages(str(stage.work / "app.log.1")) == "two\n"


RENAMES_WATCHED = 64
"""Files: ext/ptrace/gated_state.h."""
WRITER = r"""
import os, sys, time
logs = [os.open(f"{number}.log", os.O_WRONLY | os.O_CREAT, 0o644) for number in range(COUNT)]
for text in b"one\n", b"two\n":
    for log in logs:
        os.write(log, text)
    time.sleep(0.03)  # longer than a name counts in the gate: the next write stops
os.write(logs[0], b"three\n")
print(flush=True)
sys.stdin.readline()
try:
    os.rmdir("absent")  # it stops, and so begins after the recorder has noticed the renames
except FileNotFoundError:
    pass
os.write(logs[0], b"four\n")
"""


@pytest.mark.parametrize("count", [1, RENAMES_WATCHED + 1])
def test_a_name_counts_no_longer_in_the_gate_once_another_process_renames_the_file(
    count: int, stage: Stage
) -> None:
    program = WRITER.replace("COUNT", str(count))

    recording = with_renames(stage, program, {"0.log": "0.log.1"}, SCOPE_GATE="eager")

    assert recording.messages(str(stage.work / "0.log")) == "one\ntwo\nthree\n"
    assert recording.messages(str(stage.work / "0.log.1")) == "four\n"


def test_where_inotify_is_used_up_a_program_writes_as_before(stage: Stage) -> None:
    used_up = 'echo 0 > /proc/sys/user/max_inotify_instances; exec "$0" "$@"'
    within = ("unshare", "-r", "sh", "-c", used_up)
    if stage.run([*within, "true"]).status:
        pytest.skip("unshare -r is not allowed here")
    program, renames = WRITER.replace("COUNT", "2"), {"0.log": "0.log.1"}

    recording = with_renames(stage, program, renames, within=within, SCOPE_GATE="eager")

    written = [recording.messages(str(stage.work / name)) for name in ("0.log", "0.log.1")]
    assert "".join(written) == "one\ntwo\nthree\nfour\n"


@pytest.mark.parametrize("scenario", ["chroot", "mounts", "pivot"])
def test_names_are_those_of_the_recorders_root(
    scenario: str, stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare([compile_tracee("roots"), scenario])
    if recording.ending.status == NOT_ALLOWED:
        pytest.skip("user namespaces are not allowed here")

    assert recording.ending.status == 0, recording.ending
    expected = recording.expected()
    assert expected
    assert_holds(recording, expected, folder=stage.work, ordered=True)


def test_processes_have_the_pids_of_the_recorders_namespace(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("pid_namespace")])
    if recording.ending.status == NOT_ALLOWED:
        pytest.skip("user namespaces are not allowed here")

    assert recording.ending.status == 0, recording.ending
    forks = {event.pid: event.data["child_pid"] for event in recording.of("proc.fork")}
    main, first = recording.info.pid, forks[recording.info.pid]
    child = forks[first]
    sent = [
        (event.pid, event.data["signal"], event.data["sender_pid"])
        for event in recording.of("proc.signal")
    ]
    assert sent == [(child, "SIGUSR1", first), (first, "SIGCHLD", child), (main, "SIGCHLD", first)]
