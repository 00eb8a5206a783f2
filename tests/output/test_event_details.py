from __future__ import annotations

import pytest

from scopetrace.model.event import EventRecord
from scopetrace.output.event_details import format_event

RECORD = EventRecord(
    id=3, time_ns=1_783_822_275_123_456_789, sourcetype="fs", source="fs.open", host="box",
    proc="ps", cmd="ps -e \x1b[2J", pid=7, tid=8, uid=1000, gid=1001, username="ann",
    groupname="users", channel=5, data={"op": "openat", "file": "/a b", "fd": 3},
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("utc")


def test_an_event_in_full():
    assert format_event(RECORD) == (
        "ID:         3\n"
        "Proc:       ps\n"
        "Pid:        7\n"
        "Tid:        8\n"
        "User:       ann (1000:1001)\n"
        "Time:       2026-07-12 02:11:15.123456 +0000\n"
        "Command:    ps -e \\x1b[2J\n"
        "Source:     fs.open\n"
        "Sourcetype: fs\n"
        "Host:       box\n"
        "Channel:    5\n"
        "Call:       long openat(int dirfd, const char * filename, int flags, umode_t mode)\n"
        "Data:\n"
        "  fd:   3\n"
        "  file: /a b\n"
        "  op:   openat"
    )


def test_an_event_without_an_open_file_has_no_channel():
    assert "Channel:    none\n" in format_event(RECORD._replace(channel=0))


def test_the_lines_of_a_message_are_shown_as_lines():
    record = RECORD._replace(data={"message": "one\n\x1b[31mtwo\x1b[0m\n\x07three\n", "n": 1})

    assert format_event(record).endswith(
        "Data:\n  message:\n    one\n    two\n    \\x07three\n  n:       1"
    )


def test_a_short_message_stays_beside_its_name():
    assert format_event(RECORD._replace(data={"message": "hi\n"})).endswith("\n  message: hi")


def test_labels_are_coloured_and_nothing_else():
    shown = format_event(RECORD, color=True)

    assert shown.startswith("\x1b[32mID:\x1b[0m         3\n")
    assert shown.endswith("\n  \x1b[32mop:\x1b[0m   openat")


def test_a_failure_has_its_cause_in_a_sentence():
    data = {"op": "openat", "file": "/a/b", "error": "ENOENT", "missing_folder": "/a"}
    record = RECORD._replace(source="fs.error", data=data)

    assert "\nCause:      there is no folder /a\nData:\n" in format_event(record)
    assert "Cause:" not in format_event(
        record._replace(data={**data, "error": "", "missing_folder": ""})
    )
