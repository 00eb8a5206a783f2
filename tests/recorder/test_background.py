from __future__ import annotations

from harness import Stage, only, read_info, session_files, wait_for
from interpreter import python

from scopetrace import capture
from scopetrace.recorder import background
from scopetrace.sources import stream

FAULTY = """
import sys
from scopetrace.cli import main
from scopetrace.pipeline import Pipeline

whole, turns = Pipeline.tick, iter(range(10))

def tick(pipeline, now_ns):
    if next(turns, 10) == 3:
        raise RuntimeError("a fault")
    whole(pipeline, now_ns)

Pipeline.tick = tick
sys.exit(main(sys.argv[1:]))
"""
"""scopetrace with a fault in its recorder that shows after a moment."""
PROGRAM = "for i in 1 2 3 4; do sleep 0.1; cat /etc/passwd > /dev/null; echo $i; done; exit 4"


def test_a_fault_of_the_recorder_ends_the_recording_and_not_the_program(stage: Stage) -> None:
    home = stage.new_home()

    ending = stage.run([python(), "-P", "-c", FAULTY, "run", "sh", "-c", PROGRAM])

    path = only(session_files(home))
    assert (ending.stdout, ending.status) == (b"1\n2\n3\n4\n", 4)
    assert ending.stderr.decode() == (
        "scopetrace: recording ended by a fault of scopetrace (RuntimeError: a fault); the program"
        f" runs on. Please report {path}.fault.txt\n"
    )
    assert wait_for(lambda: read_info(path).status, "a status") == "incomplete"
    assert "RuntimeError: a fault" in path.with_name(f"{path.name}.fault.txt").read_text()


def test_no_text_waits_longer_than_promised() -> None:
    """100 ms: whole lines in the ring and for a commit, an unfinished one before it is told."""
    assert (
        capture.PATIENCE_MS * background.MILLISECOND_NS + background.COMMIT_EVERY_NS < 100_000_000
    )
    assert stream.LONGEST_NS < 100_000_000
