"""Fuzzing of the whole recorder by the calls of a program: `make fuzz-engine`.

calls.c makes a number of random calls of every watched kind, with valid and invalid arguments. The
invariant: the recorder survives, the program exits as it does without it, the session is complete,
every record was kept and understood, and every call can be printed. .ci/sanitize runs it on a build
with ASan and UBSan.
Threads and timers differ in each run, so a seed does not reproduce all of it; the folder of a run
that failed is kept and its path printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from scopetrace.output.syscall_lines import CallLines, LineOptions  # noqa: E402
from scopetrace.query import open_session  # noqa: E402
from support.harness import Recording, Stage, session_files  # noqa: E402
from support.interpreter import SHARED  # noqa: E402

ALONE = 64999
"""A user without other processes, for root to run as: limits count the processes of a user."""
CALLS_OF_A_RUN = 20_000
SECONDS_OF_A_RUN = 900
CONFIG = """
event: {watch: [{type: file, name: .*, value: .*}, {type: console, name: .*, value: .*},
  {type: fs}, {type: process}, {type: net}, {type: http}, {type: dns}]}
payload: {enable: true}
scopetrace: {failures: all, environment: true, syscalls: all}
"""
"""Watches every call of syscalls.def, and records all calls whole."""
SOURCES = ["arch/x86_64.c", "table/syscalls.c"]
FINDINGS = frozenset(("misunderstood", "lost", "fault", "engine"))
"""Reasons of notices that a program cannot cause."""
COUNTER = struct.Struct("=3Q")
Counter = tuple[int, int, int]
"""Calls, workers, workers that hung, as calls.c counts them."""


def main() -> None:
    """Run the program until it has made the number of calls that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--run", type=int, default=CALLS_OF_A_RUN, help="calls of one session")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="scopetrace-fuzz-"))
    folder.chmod(0o755)
    os.environ.setdefault(SHARED, str(folder))
    program, made, seed = compile_calls(folder), 0, asked.seed
    while made < asked.calls:
        began = time.monotonic()
        left = asked.calls - made
        (calls, workers, stopped), events = play(folder, program, seed, min(asked.run, left))
        assert calls, "the program could not even start a worker"
        made += calls
        print(
            f"seed {seed}: {calls} calls by {workers} workers ({stopped} hung), {events} events,"
            f" {time.monotonic() - began:.0f} s; {made} of {asked.calls} calls so far",
            flush=True,
        )
        seed += 1
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{made} calls, no findings")


def compile_calls(folder: Path) -> Path:
    """Return the program that makes the calls."""
    target, ext = folder / "calls", ROOT / "ext"
    sources = [ROOT / "tests/fuzz/calls.c", *(ext / each for each in SOURCES)]
    sources += sorted(ext.glob("table/x86_64_numbers*.c"))
    subprocess.run(
        ["gcc", "-std=gnu11", "-O1", "-pthread", f"-I{ext}", "-o", target, *sources], check=True
    )
    return target


def play(folder: Path, program: Path, seed: int, calls: int) -> tuple[Counter, int]:
    """Record one run; return its counts, and how many events its session has."""
    stage = Stage(folder / "stage", ALONE if os.geteuid() == 0 else None)
    stage.prepare()
    counter = stage.folder / "counter"
    counter.write_bytes(bytes(COUNTER.size))
    if stage.uid is not None:
        os.chown(counter, stage.uid, stage.uid)
    argv = [program, str(seed), str(calls), counter]
    recording = stage.record(argv, config=CONFIG, timeout=SECONDS_OF_A_RUN)
    assert_no_findings(stage, recording)
    assert_calls_are_lines(stage)
    found = COUNTER.unpack(counter.read_bytes())
    shutil.rmtree(stage.folder, ignore_errors=True)
    return found, len(recording.events)


def assert_no_findings(stage: Stage, recording: Recording) -> None:
    """Fail if the program or its session shows an error of the recorder."""
    assert recording.ending.status == 0, (recording.ending, stage.folder)
    faults = list(stage.home.rglob("*.fault.txt"))
    assert not faults, faults
    notices = [event.data for event in recording.of("notice")]
    found = [notice for notice in notices if notice["reason"] in FINDINGS]
    assert not found, (found, stage.folder)


def assert_calls_are_lines(stage: Stage) -> None:
    """Fail if a call cannot be unpacked and printed, whatever its pointers pointed to."""
    lines = CallLines(LineOptions(verbose=True))
    [path] = session_files(stage.home)
    with open_session(path) as session:
        for made, files in session.syscall_query().follow():
            assert made.is_call <= bool(made.name), (made, stage.folder)
            assert "\n" not in lines.line(made, files), (made, stage.folder)


if __name__ == "__main__":
    main()
