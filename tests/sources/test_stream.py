from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_builder import MILLISECOND, Tracee
from recording import Recording

from scopetrace.model.raw import PART_UNREADABLE, Part, RawKind
from scopetrace.sources.stream import IGNORED, LONGEST_NS, MOST_BYTES

CONSOLE = "event:\n  watch:\n    - {type: console, name: std}\n"
SECOND = 1000 * MILLISECOND


def messages(events):
    return [event.data["message"] for event in events if event.sourcetype in ("console", "file")]


def test_consecutive_writes_are_one_message_with_the_time_of_the_first(tracee, recording):
    tracee.write(1, b"one ")
    began = tracee.now
    tracee.write(1, b"two\n")
    tracee.write(2, b"")
    assert recording.go() == []

    tracee.exit()
    (event,) = recording.of("console")

    assert event.data == {"message": "one two\n"}
    assert (event.source, event.time_ns) == ("stdout", began)


def test_a_write_to_another_channel_ends_the_message(tracee, recording):
    tracee.open("/var/log/x", 3)
    tracee.write(1, b"a")
    tracee.write(2, b"b")
    tracee.write(3, b"c")
    tracee.write(1, b"d")

    assert messages(recording.finish()) == ["a", "b", "c", "d"]


def test_another_process_does_not_end_the_message(tracee, recording):
    tracee.fork(200)
    tracee.write(1, b"parent ")
    tracee.write(1, b"child", pid=200)
    tracee.write(1, b"parent")

    assert sorted(messages(recording.finish())) == ["child", "parent parent"]


def test_a_write_that_nobody_wants_does_not_end_the_message(tracee, recording):
    tracee.open("/tmp/data", 3)
    tracee.write(1, b"one ")
    tracee.write(3, b"unwanted")
    tracee.write(1, b"two")

    assert messages(recording.finish()) == ["one two"]


@pytest.mark.parametrize("end", ["exec", "exit", "close", "sync"])
def test_the_end_of_a_channel_ends_its_message(tracee, recording, end):
    tracee.write(1, b"text")
    if end == "exec":
        tracee.exec("/bin/next")
    elif end == "exit":
        tracee.exit()
    elif end == "close":
        tracee.close(1)
    else:
        tracee.add(RawKind.SYNC)

    assert messages(recording.go()) == ["text"]


def test_time_ends_a_message_after_its_last_whole_line(tracee, recording):
    tracee.write(1, b"whole\nhalf")
    first_ns = tracee.now
    recording.go()
    recording.pipeline.tick(first_ns + LONGEST_NS - 1)
    assert messages(recording.writer.events) == []

    recording.pipeline.tick(first_ns + LONGEST_NS)
    assert messages(recording.writer.events) == ["whole\n"]

    tracee.write(1, b" line\n")
    recording.finish()
    assert messages(recording.writer.events) == ["whole\n", "half line\n"]


def test_half_a_line_does_not_wait_for_ever(tracee, recording):
    tracee.write(1, b"prompt> ")
    recording.go()
    recording.pipeline.tick(tracee.now + LONGEST_NS)

    assert messages(recording.writer.events) == ["prompt> "]


def test_the_rest_waits_from_its_own_first_byte(tracee, recording):
    tracee.write(1, b"line\n")
    first_ns = tracee.now
    tracee.now += SECOND
    tracee.write(1, b"rest")
    rest_ns = tracee.now
    recording.go()

    recording.pipeline.tick(first_ns + LONGEST_NS)
    recording.pipeline.tick(rest_ns + LONGEST_NS - 1)
    assert messages(recording.writer.events) == ["line\n"]
    recording.pipeline.tick(rest_ns + LONGEST_NS)

    assert [event.time_ns for event in recording.writer.events[-2:]] == [first_ns, rest_ns]


def test_time_passes_with_the_records_too(tracee, recording):
    tracee.write(1, b"early\n")
    tracee.now += 3 * SECOND
    tracee.write(1, b"late\n")

    assert messages(recording.finish()) == ["early\n", "late\n"]


def test_a_long_message_is_cut_after_a_line(tracee, recording):
    line = b"x" * 999 + b"\n"
    for _ in range(40):
        tracee.write(1, line)

    found = messages(recording.finish())

    assert [len(message) for message in found] == [32_000, 8_000]
    assert all(message.endswith("\n") for message in found)


def test_the_rest_of_a_long_message_has_the_time_of_its_write(tracee, recording):
    tracee.write(1, b"a\n" + b"b" * 10)
    began = tracee.now
    tracee.write(1, b"c" * MOST_BYTES + b"\n")
    then = tracee.now

    events = recording.finish()

    found = [event for event in events if event.sourcetype == "console"]
    assert [len(event.data["message"]) for event in found] == [2, MOST_BYTES, 11]
    assert [event.time_ns for event in found] == [began, began, then]


def test_a_long_line_is_not_cut_inside_a_character(tracee, recording):
    tracee.write(1, "世".encode() * 11_000)

    found = messages(recording.finish())

    assert "".join(found) == "世" * 11_000
    assert len(found) == 2


LETTERS = b"ab\ncdefg" * 32


@given(st.lists(st.binary(max_size=60_000).map(lambda b: b.translate(LETTERS)), max_size=6))
def test_nothing_that_is_written_is_lost_or_told_twice(tmp_path_factory, writes):
    tracee = Tracee()
    tracee.inherit(1, "pipe:[1]", 0o010600)
    recording = Recording(tracee, tmp_path_factory.mktemp("config"))
    for data in writes:
        tracee.write(1, data)

    found = messages(recording.finish())

    assert "".join(found).encode() == b"".join(writes)
    assert all(0 < len(message) <= MOST_BYTES for message in found)


def test_bytes_that_are_no_utf8_survive(tracee, record):
    recording = record(CONSOLE.replace("std", "std, allowbinary: true"))
    tracee.write(1, b"\xff\0")

    assert messages(recording.finish()) == ["\udcff\0"]


def test_a_run_of_binary_writes_is_one_remark(tracee, recording):
    tracee.write(1, b"text ")
    tracee.write(1, b"\0\1")
    tracee.write(1, b"\0\2")
    tracee.write(1, b"more text")
    tracee.write(1, b"\0\3")

    assert messages(recording.finish()) == ["text ", IGNORED, "more text", IGNORED]


def test_what_nobody_wants_is_muted_once(tracee, recording):
    tracee.open("/tmp/data", 3)
    for _ in range(5):
        tracee.write(3, b"x", stream=7)
    tracee.write(3, b"x", stream=0)
    recording.go()
    tracee.write(3, b"x", stream=8)
    tracee.write(1, b"wanted", stream=9)
    recording.go()

    assert recording.muted == [7, 8]


def test_bytes_that_were_not_copied_are_counted_in_a_notice(tracee, recording):
    tracee.write(1, b"abc", moved=1000)
    tracee.write(1, b"def", moved=4)
    tracee.close(1)

    events = recording.go()

    assert messages(events) == ["abc", "def"]
    (notice,) = [event for event in events if event.sourcetype == "notice"]
    assert (notice.data["reason"], notice.data["count"]) == ("cut", 998)
    assert "stdout" in notice.data["message"]


def test_bytes_that_could_not_be_read_are_not_called_too_many(tracee, recording):
    tracee.write(1, b"abc", moved=10)
    for data, flags in ((b"", PART_UNREADABLE), (b"xy", PART_UNREADABLE), (b"whole", 0)):
        tracee.call("write", 1, 0, 5, result=5, moved=5, parts=[(Part.DATA, data, flags)])
    tracee.close(1)

    events = recording.go()

    assert "".join(messages(events)) == "abcxywhole"
    notices = [event.data for event in events if event.sourcetype == "notice"]
    assert [(each["reason"], each["count"]) for each in notices] == [("cut", 7), ("unreadable", 8)]
    assert "dumpable" in notices[1]["message"]


def test_missing_bytes_are_told_at_the_end_of_the_session_too(tracee, recording):
    tracee.write(1, b"abc", moved=10)
    recording.go()

    assert [event.data["count"] for event in recording.finish()] == [7]


def test_bytes_that_went_to_a_log_past_the_program_are_counted_in_a_notice(tracee, recording):
    """As cat does with copy_file_range."""
    tracee.open("/var/log/x", 3)
    tracee.write(3, b"seen")
    tracee.close(3, 0, 0, 0, 2, 104, 9)
    tracee.open("/tmp/data", 3)
    tracee.close(3, 0, 0, 0, 2, 104, 9)

    events = recording.go()

    assert messages(events) == ["seen"]
    (notice,) = [event for event in events if event.sourcetype == "notice"]
    assert (notice.data["reason"], notice.data["count"]) == ("unseen", 100)
    assert "/var/log/x" in notice.data["message"]


def test_bytes_told_before_an_exec_were_told(tracee, recording):
    tracee.open("/var/log/x", 3)
    tracee.write(3, b"seen")
    tracee.exec("/bin/next", fds=[0, 1, 2, 3])
    tracee.close(3, 0, 0, 0, 1, 4, 9)

    assert recording.of("notice") == []


def test_nothing_is_kept_of_channels_that_ended(tracee, recording):
    streams = recording.pipeline._streams
    for child in range(200, 300):
        tracee.fork(child)
        tracee.open("/tmp/x", 3, pid=child)
        tracee.write(3, b"x", pid=child)
        tracee.write(1, b"x", pid=child)
        tracee.exit(pid=child)
    tracee.open("/var/log/a", 3)
    tracee.write(3, b"x")
    tracee.close(3)
    recording.go()

    assert [*streams._channels.values()] == [{}]  # of the first program, which lives
    assert streams._waiting == {}
