"""An open says that it created its file, whether by a stop or in the gate."""

from __future__ import annotations

import time

import pytest

from scopetrace.decode.created_files import TICK_NS
from support.harness import Recording, Stage, wait_for
from support.interpreter import python
from support.users import one_user

NO_RIGHTS = "these calls need no rights, neither of the program nor of the recorder"
PROGRAM = """
import os
os.mkfifo("pipe")
for name, flags in [
    ("plain", os.O_CREAT | os.O_WRONLY), ("plain", os.O_CREAT | os.O_WRONLY),
    ("excl", os.O_CREAT | os.O_EXCL | os.O_RDWR), ("excl", os.O_CREAT), ("excl", os.O_RDONLY),
    ("cut", os.O_CREAT | os.O_TRUNC | os.O_WRONLY), ("pipe", os.O_CREAT | os.O_RDWR),
    (".", os.O_TMPFILE | os.O_RDWR),
] + [(f"many{number}", os.O_CREAT | os.O_WRONLY) for number in range(100)]:
    os.close(os.open(name, flags))
os.unlink("plain")
os.close(os.open("plain", os.O_CREAT | os.O_WRONLY | os.O_APPEND))
"""


def opened(recording: Recording, stage: Stage) -> list[tuple[str, bool]]:
    """Return the names of files that were opened in the stage's folder, and which were created."""
    folder = f"{stage.work}/"
    return [
        (event.data["file"].removeprefix(folder), event.data.get("file_created", False))
        for event in recording.of("fs.open")
        if event.data["file"].startswith(folder)
    ]


@one_user(NO_RIGHTS)
@pytest.mark.parametrize("gate", ["off", "auto"])
def test_an_open_says_whether_it_created_its_file(gate: str, stage: Stage) -> None:
    stage.environ["SCOPE_GATE"] = gate
    stage.prepare()

    files = opened(stage.record([python(), "-c", PROGRAM]), stage)

    assert [each for each in files if not each[0].startswith(("many", "#"))] == [
        ("plain", True), ("plain", False), ("excl", True), ("excl", False), ("excl", False),
        ("cut", True), ("pipe", False), ("plain", True),
    ]  # fmt: skip
    assert [each for each in files if each[0].startswith("many")] == [
        (f"many{number}", True) for number in range(100)
    ]


@one_user(NO_RIGHTS)
def test_a_file_that_was_there_is_not_created(stage: Stage) -> None:
    stage.prepare()
    stage.run(["touch", "old"])
    made_ns = (stage.work / "old").stat().st_ctime_ns
    wait_for(lambda: time.time_ns() - made_ns > TICK_NS, "the file to be older than a tick")

    files = opened(stage.record(["touch", "old", "new"]), stage)

    assert files == [("old", False), ("new", True)]
