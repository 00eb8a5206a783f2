"""`scopetrace diff`."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest


@pytest.fixture
def sessions(recorder):
    """1 and 2 are alike; 3 misses a file and prints another line, 4 prints what varies."""
    read = recorder.event("fs.open", file="/home/ann/app.conf", flags="O_RDONLY")
    missed = recorder.event("fs.error", file="/home/ann/app.conf", op="openat", error="ENOENT")

    def says(text):
        return recorder.event("stdout", "console", message=f"{text}\n")

    for events in ([read, says("x")], [says("x"), read], [missed, says("y")], [read, says("z")]):
        recorder.record(*events, cwd="/home/ann")


@pytest.mark.usefixtures("sessions")
class TestDiff:
    def test_runs_that_are_alike_are_no_line(self, scopetrace):
        assert scopetrace("diff", "1", "2") == (0, "", "")
        assert scopetrace("diff", "1", "2", "-j") == (0, "", "")

    def test_an_answer_that_cannot_be_written_is_no_difference(self):
        command = (sys.executable, "-P", "-m", "scopetrace", "diff", "1", "3")
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=30)

        text = b"scopetrace: standard output: No space left on device\n"
        assert (done.returncode, done.stderr) == (2, text)

    def test_a_difference_has_the_status_of_diff(self, scopetrace):
        status, out, err = scopetrace("diff", "1", "3")

        assert (status, err) == (1, "")
        assert out.splitlines() == [
            "CHANGE  KIND    WHAT",
            "result  file    /home/ann/app.conf: opened → not found",
            "only A  stdout  x",
            "only B  stdout  y",
        ]

    def test_files_are_sessions_too(self, scopetrace, home):
        first, third = (str(next(home.glob(f"sessions/{number}*.db"))) for number in (1, 3))

        assert scopetrace("diff", first, third) == scopetrace("diff", "1", "3")

    def test_other_forms(self, scopetrace):
        _, out, _ = scopetrace("diff", "1", "3", "-j")
        bodies = [json.loads(line) for line in out.splitlines()]
        assert bodies[0] == {
            "change": "result", "kind": "file", "aspect": "use", "subject": "/home/ann/app.conf",
            "a": "opened", "b": "not found", "class": "own", "count": 1, "follows": False,
        }  # fmt: skip
        _, out, _ = scopetrace("diff", "1", "3", "--format", "csv")
        rows = list(csv.DictReader(out.splitlines()))
        assert [(row["kind"], row["a"], row["b"]) for row in rows] == [
            ("file", "opened", "not found"), ("stdout", "x", ""), ("stdout", "", "y"),
        ]  # fmt: skip
        assert scopetrace("diff", "1", "3", "--format", "md")[1].startswith("| change | kind |")

    def test_what_varies_can_be_learned(self, scopetrace):
        status, out, err = scopetrace("diff", "1", "4", "--ignore-from", "2,3")

        assert (status, out.splitlines()[1:]) == (1, ["only B  stdout  z"])
        assert err == "scopetrace: 1 difference left out, since it varies between runs\n"
        assert scopetrace("diff", "1", "4", "--ignore-from", "4")[:2] == (0, "")

    @pytest.mark.parametrize(
        ("args", "why"),
        [
            (["1", "99"], "99"),
            (["1", "none.db"], "none.db"),
            (["1"], "missing argument"),
            (["1", "2", "--ignore-from", "99"], "99"),
            (["1", "2", "-j", "--format", "csv"], "--json and --format csv do not go together"),
            (["1", "2", "--slower", "--factor", "0"], "0"),
        ],
    )
    def test_an_error_is_one_sentence_and_2(self, scopetrace, args, why):
        status, out, err = scopetrace("diff", *args)

        assert (status, out) == (2, "")
        assert why in err.lower()
        assert err.count("\n") == 1


def test_what_took_longer_is_told_if_asked_for(scopetrace, recorder):
    from scopetrace.model.process import ProcessEnd

    for seconds in (1, 3):
        writer = recorder.start()
        end_ns = recorder.process().started_ns + seconds * 1_000_000_000
        writer.end_process(ProcessEnd(1, end_ns, 0, None, False))
        writer.finish(ended_ns=end_ns, exit_code=0)

    assert scopetrace("diff", "1", "2") == (0, "", "")
    status, out, _ = scopetrace("diff", "1", "2", "--slower")
    assert (status, out.splitlines()[1]) == (1, "slower  process  python3 log.py: 1.0 s → 3.0 s")
    assert scopetrace("diff", "1", "2", "--slower", "--factor", "4")[0] == 0
    assert scopetrace("diff", "1", "2", "--slower", "--floor", "5s")[0] == 0


def test_start_up_is_counted_on_a_terminal(scopetrace, recorder, monkeypatch):
    config = "scopetrace: {pathclasses: {loader: ['[.]so$']}}"
    recorder.record(config=config)
    more = recorder.event("fs.open", file="/lib/libz.so", flags="O_RDONLY")
    recorder.record(more, config=config)
    whole = scopetrace("diff", "1", "2")[1]
    monkeypatch.setattr("scopetrace.cli.diff.on_terminal", lambda: True)

    assert "/lib/libz.so" in whole
    assert scopetrace("diff", "1", "2") == (
        1, "", "scopetrace: 1 start-up difference hidden: -A shows it\n",
    )  # fmt: skip
    assert scopetrace("diff", "1", "2", "-A") == (1, whole, "")


def test_a_session_that_goes_on_is_compared_as_it_is_now(scopetrace, recorder):
    recorder.record()
    writer = recorder.start(pid=os.getpid())

    assert scopetrace("diff", "1", "2") == (
        0, "", "scopetrace: session 2 is still being recorded\n",
    )  # fmt: skip
    assert scopetrace("diff", "2", "2") == (
        0, "", "scopetrace: session 2 is still being recorded\n",
    )  # fmt: skip
    writer.finish()


def test_a_recorder_whose_program_has_ended_is_waited_for(scopetrace, recorder):
    recorder.record(recorder.event("stdout", "console", message="x\n"))
    writer = recorder.start(pid=2**22 + 1)  # above the largest pid: it is gone

    def finish():
        writer.add_events([recorder.event("stdout", "console", message="x\n")])
        writer.finish(exit_code=0)

    late = threading.Timer(0.1, finish)
    late.start()
    assert scopetrace("diff", "1", "2") == (0, "", "")
    late.join()
