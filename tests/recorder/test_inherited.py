"""The program's limits are not the recorder's, as far as the kernel lets us choose."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from harness import Stage, only, read_events, read_info, session_files, wait_for

CAP_SYS_RESOURCE = 24
CPU_HARD_S = 2
USES_CPU_TIME = f"""
import sys
from scopetrace.cli import main
from scopetrace.recorder import inherited
inherited.CPU_NEEDED_S = {CPU_HARD_S}
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


def test_a_recorder_that_has_used_its_cpu_time_stops_recording_and_not_the_program(
    stage: Stage,
) -> None:
    run = [sys.executable, "-P", "-c", USES_CPU_TIME, "run"]

    often = [*run, "sh", "-c", 'for i in 1 2 3 4 5; do "$@"; done', "sh"]

    ending = stage.run(
        [*often, sys.executable, "-S", "-c", OPENS % 10_000], preexec_fn=with_little_cpu_time
    )

    assert (ending.stdout, ending.status) == (b"done\n" * 5, 0)
    path = wait_for(lambda: only(session_files(stage.home)), "a session")
    wait_for(lambda: read_info(path).status != "running", "the recorder to finish")
    notices = [e.data["reason"] for e in read_events(path) if e.source == "notice"]
    if may_raise_limits(stage):
        assert (ending.stderr, read_info(path).status, notices) == (b"", "finished", [])
        return
    assert ending.stderr.startswith(
        b"scopetrace: recording ended: the limit on CPU time (ulimit -t)"
    )
    assert ending.stderr.count(b"\n") == 1
    assert read_info(path).status == "stopped"
    assert "cpulimit" in notices
