"""The program's limits are not the recorder's, as far as the kernel lets us choose."""

from __future__ import annotations

import resource
from pathlib import Path

from support.harness import (
    Stage,
    only,
    read_events,
    read_info,
    scopetrace_command,
    session_files,
    wait_for,
)
from support.interpreter import python

CAP_SYS_RESOURCE = 24
CPU_HARD_S = 4
USES_CPU_TIME = f"""
import sys
from scopetrace.cli import main
from scopetrace.recorder import limits
limits.CPU_NEEDED_S = limits.CPU_SHARES = {CPU_HARD_S}
sys.exit(main(sys.argv[1:]))
"""
"""scopetrace that takes for enough what lets it end soon."""
OPENS = """
import os
for turn in range(%d):
    os.close(os.open("/etc/passwd", os.O_RDONLY))
print("done")
"""


def with_little_cpu_time() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_HARD_S, CPU_HARD_S))


def may_raise_limits(stage: Stage) -> bool:
    """Whether what runs on this stage has CAP_SYS_RESOURCE; not every root has it."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if "CapEff" in x)
    return stage.uid is None and bool(int(line.split()[1], 16) >> CAP_SYS_RESOURCE & 1)


SAYING = 'exec "$@" 2> said'
"""Runs a program whose standard error is a file, which the recorder can still open at its end."""
UNTIL_IT_IS_SAID = """
turns=$1; shift
until [ -s said ] || [ $turns = 0 ]; do "$@"; turns=$((turns - 1)); done > /dev/null
"$@"
exit 3
"""
"""Runs a program again and again until there is something on standard error, then once more."""


def test_a_recorder_that_has_used_its_cpu_time_stops_recording_and_not_the_program(
    stage: Stage,
) -> None:
    run = [python(), "-P", "-c", USES_CPU_TIME, "run", "sh", "-c", UNTIL_IT_IS_SAID, "sh"]
    opens = [python(), "-S", "-c", OPENS % 5_000]
    turns = "2" if may_raise_limits(stage) else "100"

    ending = stage.run(
        ["sh", "-c", SAYING, "sh", *run, turns, *opens],
        preexec_fn=with_little_cpu_time,
    )

    said = (stage.work / "said").read_text()
    assert (ending.stdout, ending.status) == (b"done\n", 3), said
    path = wait_for(lambda: only(session_files(stage.home)), "a session")
    wait_for(lambda: read_info(path).status != "running", "the recorder to finish")
    notices = [e.data["reason"] for e in read_events(path) if e.source == "notice"]
    if may_raise_limits(stage):
        assert (said, read_info(path).status, notices) == ("", "finished", [])
        return
    assert said.startswith("scopetrace: recording ended: the limit on CPU time (ulimit -t)")
    assert said.count("\n") == 1
    assert read_info(path).status == "stopped"
    assert "cpulimit" in notices


def with_small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def test_where_files_may_not_grow_what_is_missing_is_said_and_counted(stage: Stage) -> None:
    command = scopetrace_command("run", python(), "-S", "-c", OPENS % 6_000)

    ending = stage.run(["sh", "-c", SAYING, "sh", *command], preexec_fn=with_small_files)

    assert (ending.stdout, ending.status) == (b"done\n", 0)
    path = wait_for(lambda: only(session_files(stage.home)), "a session")
    wait_for(lambda: read_info(path).status != "running", "the recorder to finish")
    info, events = read_info(path), read_events(path)
    assert info.events == len(events)
    assert info.exit_code == 0
    said = (stage.work / "said").read_text()
    if may_raise_limits(stage):
        assert (said, info.status, info.lost) == ("", "finished", 0)
        return
    assert "files may not grow beyond a limit (ulimit -f)" in said
    assert said.count("\n") == 1
    assert info.status == "incomplete"
    assert info.lost > 0
    assert len(events) > 100  # what was committed before there was too much
    assert "unwritten" in [e.data["reason"] for e in events if e.source == "notice"]
