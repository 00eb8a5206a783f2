"""Signals that come faster than they can be delivered under a tracer."""

from __future__ import annotations

from support.harness import Compile, Stage, assert_holds
from support.users import one_user


@one_user("a program may always send signals to itself")
def test_a_program_makes_progress_in_a_storm_and_its_signals_are_counted(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare([compile_tracee("signal_storm")])

    assert_holds(recording, recording.expected(), folder=stage.work, ordered=True)
    assert b"raised: 1000\n" in recording.ending.stdout
    signals = [event.data for event in recording.of("proc.signal")]
    raised = [data for data in signals if data["signal"] == "SIGUSR2"]
    assert sum(data.get("count", 1) for data in raised) == 1000
    assert len(raised) < 1000
