"""Programs that are recorded while signals, stops and kills come: nothing hangs or is lost."""

from __future__ import annotations

import os
import struct
from collections import Counter
from pathlib import Path

import pytest

from scopetrace.model.raw import Part, RawKind, Way
from support.engine_run import CALLS, MODE_ALL, engine_run, of_kind
from support.gate_code import Compile
from support.gate_files import TORTURE
from support.harness import Recording, Stage
from support.users import one_user

THREADS = 3
"""Of disturbed.c."""
ROUNDS = 1000 if TORTURE else 36
STORM_READS, STEP_READS = 3 * 15_000, 3 * 2 * 2
"""Of signals.c: threads and reads of each; sites, cases that read, and how often each is tried."""
MODES = dict.fromkeys(("open", "close", "read", "fd"), MODE_ALL)


@pytest.mark.timeout(0 if TORTURE else 120)
def test_programs_that_are_stopped_and_killed_lose_the_call_under_way_at_most(
    build: Compile, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    program = build("disturbed")

    records, _ = engine_run([program, "1", str(ROUNDS)], folder, modes=MODES, gate_at=1)

    made = {record.arg1: record.arg2 for record in of_kind(records, RawKind.WAY)}
    assert made[Way.GATED] > 10 * ROUNDS
    opened: Counter[str] = Counter()
    for record in of_kind(records, RawKind.SYSCALL):
        if CALLS[record.syscall].group == "open" and record.result >= 0:
            opened[os.fsdecode(record.parts()[Part.PATH])] += 1
    counts = [count for (count,) in struct.iter_unpack("=Q", (folder / "counts").read_bytes())]
    assert len(counts) == ROUNDS * THREADS
    for number, count in enumerate(counts):
        name = f"w-{number // THREADS}-{number % THREADS}"
        assert count <= opened[name] <= count + 1, name


def bytes_read(recording: Recording, file: Path) -> int:
    """Return how many bytes were read of a file."""
    closes = recording.of("fs.close", file=str(file))
    return sum(event.data.get("file_read_bytes", 0) for event in closes)


@one_user("what a signal interrupts does not depend on rights")
@pytest.mark.timeout(0 if TORTURE else 120)
def test_a_program_in_a_storm_of_signals_has_each_read_counted(
    build: Compile, stage: Stage
) -> None:
    program = build("signals")
    native = stage.run([program])
    stage.environ = {"SCOPE_GATE": "eager"}
    stage.prepare()

    recording = stage.record([program], timeout=100)

    assert recording.ending == native
    assert bytes_read(recording, program) == STORM_READS + STEP_READS
