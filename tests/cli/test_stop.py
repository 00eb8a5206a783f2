from __future__ import annotations

import pytest


def test_with_nothing_to_stop_it_says_so(recorder, scopetrace):
    recorder.record()

    assert scopetrace("stop") == (1, "", "scopetrace: nothing is being recorded\n")


def test_with_several_it_names_them(recorder, scopetrace):
    recorder.start("nginx")
    recorder.start("make")

    assert scopetrace("stop") == (
        2,
        "",
        "scopetrace: several sessions are being recorded: 1 (nginx), 2 (make); say which\n",
    )


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("1", "session 1 is not being recorded: it is finished"),
        ("2", "session 2 is not being recorded: it is interrupted"),
        ("7", "there is no session 7"),
    ],
)
def test_only_what_runs_can_be_stopped(number, sentence, recorder, scopetrace):
    recorder.record()
    recorder.start(recorder_pid=2**22 + 1)

    assert scopetrace("stop", number) == (1, "", f"scopetrace: {sentence}\n")
