"""`gate: verify`: the records of the gate are compared with those of traced calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.gate_code import compiled
from support.harness import Recording, Stage

SHELL = """
for name in a b c d e f g h; do echo $name > $name.txt; cat *.txt > all; done
mv a.txt renamed.txt; echo more >> renamed.txt; ls; rm b.txt; cat renamed.txt > /dev/null
"""


def differences(recording: Recording) -> list[str]:
    """Return the notices of records that differ."""
    return [e.data["message"] for e in recording.of("notice") if "differs" in e.data["message"]]


@pytest.fixture
def verifying(stage: Stage) -> Stage:
    stage.environ = {"SCOPE_GATE": "verify"}
    stage.prepare()
    return stage


@pytest.mark.parametrize(
    "argv",
    [["/bin/sh", "-c", SHELL], ["/usr/bin/python3", "-c", "import json, asyncio"]],
    ids=["sh", "python3"],
)
def test_the_records_of_programs_do_not_differ(argv: list[str], verifying: Stage) -> None:
    recording = verifying.record(argv)

    assert recording.ending.status == 0
    assert recording.of("notice") == []


def test_a_record_that_differs_is_reported(verifying: Stage, commons: Path) -> None:
    liar = compiled(commons / "liar", "-O1", sources=("tests/gate/liar.c",))

    recording = verifying.record([liar])

    assert recording.ending.status == 3
    found = differences(recording)
    assert found
    assert "the descriptor (system call 0)" in found[0]
