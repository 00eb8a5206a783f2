"""The replay of raw records (bench/replay.py): the same rows each time, those of the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPLAY = Path(__file__).parents[1] / "bench/replay.py"


def replay(*arguments: str | Path) -> str:
    command = [sys.executable, "-P", REPLAY, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_replayed_stream_becomes_the_same_rows_each_time(tmp_path: Path) -> None:
    stream, log = tmp_path / "stream.raw", tmp_path / "a.log"
    replay(
        "record",
        stream,
        "sh",
        "-c",
        f"echo hello > {log}; cat {log}; ls {tmp_path}/nowhere; exit 3",
    )

    rows = replay("rows", stream)

    assert rows == replay("rows", stream)
    lines = rows.splitlines()
    assert [line for line in lines if str(log) in line and "'fs.open'" in line]
    assert [line for line in lines if "nowhere" in line and "'fs.error'" in line]
    assert [line for line in lines if line.startswith("process ") and "'cat'" in line]
    assert "records in a second of CPU time" in replay("rate", stream, "--rounds", "1")
