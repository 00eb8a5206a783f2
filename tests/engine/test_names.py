"""Names of files are those that the kernel has for them, wherever a program stands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness import Recording, Stage

FUSE_SERVER = Path(__file__).parent / "fuse_server.py"


def errors(recording: Recording) -> list[tuple[str, str]]:
    """Return the names, and what was passed, of all opens that failed in `absent`."""
    data = [event.data for event in recording.of("fs.error") if event.data["class"] == "open_close"]
    return [
        (each["file"], each.get("file_passed", ""))
        for each in data
        if each["file"].endswith("/absent")
    ]


if os.geteuid() == 0 and Path("/dev/fuse").exists():  # only root may mount it

    def test_a_program_that_serves_a_file_system_is_not_waited_for(stage: Stage) -> None:
        """Its server would answer a lookup of ours only after we have let it go on."""
        stage.uid = None
        top = stage.give(stage.work / "top")

        recording = stage.record([sys.executable, FUSE_SERVER, top])

        assert recording.ending.status == 0, recording.ending
        assert errors(recording) == [
            (f"{top}/dir/absent", ""),
            (f"{top}/dir/absent", "absent"),
            (f"{top}/absent", "../absent"),
        ]
