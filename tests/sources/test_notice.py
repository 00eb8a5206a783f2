from __future__ import annotations

from scopetrace.model.raw import Note, RawKind


def test_a_notice_is_recorded_whatever_the_rules_say(tracee, record):
    recording = record("event: {enable: false}\n")
    tracee.open("/x", 3)
    tracee.add(RawKind.NOTE, args=(Note.IO_URING,))

    (event,) = recording.go()

    assert (event.sourcetype, event.source, event.channel) == ("notice", "notice", 0)
    assert event.data["reason"] == "io_uring"
    assert event.data["count"] == 1
    assert event.data["message"].startswith("prog (100) uses io_uring")
