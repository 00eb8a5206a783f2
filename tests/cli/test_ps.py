from __future__ import annotations

import os


def test_ps_shows_no_process_that_nobody_traces(recorder, scopetrace):
    """The file tells of this very process and of a number that is free; no tracer has them."""
    writer = recorder.start()
    writer.add_process(recorder.process(2, os.getpid(), "pytest"))
    writer.commit()

    assert scopetrace("ps") == (0, "ID  PID  USER  COMMAND\n", "")
    assert scopetrace("ps", "-j") == (0, "", "")
