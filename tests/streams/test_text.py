from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.raw import PART_UNREADABLE, Part, RawKind, Seen
from scopetrace.streams.text import IGNORED, LONGEST_NS, MOST_CHARACTERS, MOST_WAITING
from support.raw_builder import MILLISECOND, REGULAR, Tracee
from support.recording import Recording

CONSOLE = "event:\n  watch:\n    - {type: console, name: std}\n"


def texts(events):
    return [event for event in events if event.sourcetype in ("console", "file")]


def messages(events):
    return [event.data["message"] for event in texts(events)]


def test_each_write_is_an_event_with_its_own_time(tracee, recording):
    tracee.write(1, b"one\n")
    first_ns = tracee.now
    tracee.write(1, b"two\nthree\n")

    events = texts(recording.go())

    assert messages(events) == ["one\n", "two\nthree\n"]
    assert [event.time_ns for event in events] == [first_ns, first_ns + MILLISECOND]
    assert {event.source for event in events} == {"stdout"}


def test_an_unfinished_line_waits_for_its_rest_and_has_the_time_of_its_beginning(tracee, recording):
    tracee.fork(101, flags=0x10F00, group=100)  # a thread
    tracee.write(1, b"one ")
    first_ns = tracee.now
    tracee.write(2, b"")
    assert recording.go() == []
    tracee.write(1, b"two\nthree\nfo", tid=101)
    then_ns = tracee.now
    tracee.write(1, b"ur\n")

    events = texts(recording.go())

    assert messages(events) == ["one two\n", "three\n", "four\n"]
    assert [event.time_ns for event in events] == [first_ns, then_ns, then_ns]
    assert [event.tid for event in events] == [100, 101, 101]


def test_a_file_that_is_renamed_is_asked_for_by_its_new_name(tracee, recording):
    tracee.open("/tmp/job", 3)
    tracee.write(3, b"early\n")
    recording.go()
    assert recording.muted == [1003]
    tracee.tally(3, 0, 0, 0, 2, 12, 5, goes_on=True)
    tracee.found(3, "/tmp/job.log", ino=tracee.inode, seen=Seen.RENAMED)
    tracee.write(3, b"late\nunfinished", fd_serial=2003)
    tracee.found(3, "/tmp/other", ino=tracee.inode, seen=Seen.RENAMED)
    tracee.write(3, b"last\n", fd_serial=3003)
    tracee.close(3, 0, 0, 0, 2, 20, 5)

    events = recording.finish()

    assert [(e.source, e.data["message"]) for e in texts(events)] == [
        ("/tmp/job.log", "late\n"),
        ("/tmp/job.log", "unfinished"),
    ]
    assert [e for e in events if e.sourcetype == "notice"] == []
    assert recording.muted == [1003, 3003]


def test_a_program_that_writes_byte_by_byte_makes_an_event_for_each_line(tracee, recording):
    for byte in "grün\nend".encode():
        tracee.write(1, bytes([byte]))

    assert messages(recording.finish()) == ["grün\n", "end"]


def test_another_channel_does_not_end_a_line(tracee, recording):
    tracee.open("/var/log/x", 3)
    tracee.write(1, b"a")
    tracee.write(3, b"c\n")
    tracee.write(1, b"b\n")

    assert messages(recording.finish()) == ["c\n", "ab\n"]


def test_the_unfinished_line_of_another_writer_of_the_same_file_comes_first(tracee, recording):
    tracee.open("/var/log/x", 3)
    tracee.fork(200)
    tracee.inode -= 1
    tracee.open("/var/log/x", 4, pid=200)
    tracee.write(3, b"parent ")
    tracee.write(3, b"child\n", pid=200)
    tracee.write(3, b"parent\n")
    tracee.write(3, b"begun ")
    tracee.write(4, b"by another open\n", pid=200)

    found = messages(recording.finish())

    assert found == ["parent ", "child\n", "parent\n", "begun ", "by another open\n"]


def test_text_of_two_consoles_that_are_one_terminal_keeps_its_order(tracee, recording):
    tracee.write(1, b"prompt> ")
    tracee.write(2, b"warning\n")

    found = [(event.source, event.data["message"]) for event in texts(recording.finish())]

    assert found == [("stdout", "prompt> "), ("stderr", "warning\n")]


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


def test_half_a_line_waits_for_a_moment_only(tracee, recording):
    tracee.write(1, b"whole\nhalf")
    first_ns = tracee.now
    assert messages(recording.go()) == ["whole\n"]
    assert recording.pipeline.due_ns == first_ns + LONGEST_NS
    recording.pipeline.tick(first_ns + LONGEST_NS - 1)
    assert messages(recording.writer.events) == ["whole\n"]

    recording.pipeline.tick(first_ns + LONGEST_NS)
    assert messages(recording.writer.events) == ["whole\n", "half"]
    assert recording.pipeline.due_ns is None

    tracee.write(1, b" line\n")
    assert messages(recording.go()) == [" line\n"]


def test_time_passes_with_the_records_too(tracee, recording):
    tracee.write(1, b"early")
    tracee.now += LONGEST_NS
    tracee.write(1, b"late\n")

    assert messages(recording.finish()) == ["early", "late\n"]


def test_half_a_character_that_came_later_waits_for_its_rest(tracee, recording):
    tracee.write(1, b"gr")
    first_ns = tracee.now
    tracee.now += 50 * MILLISECOND
    tracee.write(1, "ü".encode()[:1])
    recording.go()
    recording.pipeline.tick(first_ns + LONGEST_NS)
    tracee.write(1, "ün".encode()[1:])

    assert messages([*recording.writer.events, *recording.finish()]) == ["gr", "ün"]


def test_a_long_text_is_cut_after_a_line_and_says_so(tracee, recording):
    line = b"x" * 999 + b"\n"
    tracee.write(1, line * 70)

    events = texts(recording.go())

    assert [len(event.data.pop("message")) for event in events] == [32_000, 32_000, 6_000]
    assert [event.data for event in events] == [{"piece": n, "pieces": 3} for n in (1, 2, 3)]
    assert {event.time_ns for event in events} == {tracee.now}


def test_a_line_longer_than_a_message_is_cut_between_characters(tracee, recording):
    text = "世" * (MOST_CHARACTERS + 5)
    tracee.write(1, text[:100].encode())
    tracee.write(1, text[100:].encode() + b"\nnext\n")

    found = messages(recording.go())

    assert found == [text[:MOST_CHARACTERS], text[MOST_CHARACTERS:] + "\n", "next\n"]


def test_a_line_without_end_does_not_wait_whole(tracee, recording):
    for _ in range(5):
        tracee.write(1, b"x" * 65_536)

    assert sum(map(len, messages(recording.go()))) > MOST_WAITING


LETTERS = b"ab\ncdefg" * 32


@given(st.lists(st.binary(max_size=60_000).map(lambda b: b.translate(LETTERS)), max_size=6))
def test_each_byte_that_is_written_is_emitted_once(tmp_path_factory, writes):
    tracee = Tracee()
    tracee.inherit(1, "pipe:[1]", 0o010600)
    recording = Recording(tracee, tmp_path_factory.mktemp("config"))
    for data in writes:
        tracee.write(1, data)

    found = messages(recording.finish())

    assert "".join(found).encode() == b"".join(writes)
    assert all(0 < len(message) <= MOST_CHARACTERS for message in found)
    begun = [message for message in found[:-1] if not message.endswith("\n")]
    assert all(len(message) == MOST_CHARACTERS for message in begun)


WRITE = st.tuples(st.sampled_from([100, 200]), st.sampled_from([3, 4]), st.text("ab\n", min_size=1))


@given(st.lists(WRITE, max_size=30))
def test_events_of_one_file_are_in_the_order_of_its_bytes(tmp_path_factory, writes):
    tracee = Tracee()
    tracee.inherit(3, "/var/log/x", REGULAR)
    tracee.exec("/bin/prog")
    tracee.found(3, "/var/log/x")
    tracee.found(4, "/var/log/x")
    tracee.fork(200)
    recording = Recording(tracee, tmp_path_factory.mktemp("config"))
    for pid, fd, text in writes:
        tracee.write(fd, text.encode(), pid=pid)

    assert "".join(messages(recording.finish())) == "".join(text for *_, text in writes)


def test_a_value_is_looked_for_in_each_line(tracee, record):
    recording = record("event:\n  watch:\n    - {type: console, name: std, value: 'ERROR$'}\n")
    tracee.write(1, b"fine\nan ERROR\nERRORS\n ERROR\nmore of it: ER")
    tracee.write(1, b"ROR\nfine\n")
    tracee.write(1, b"fine too\n")
    tracee.write(1, b"\0\1\0\1")

    found = messages(recording.finish())

    assert found == ["an ERROR\n ERROR\n", "more of it: ERROR\n"]


def test_a_line_that_fits_is_emitted_whole_however_long_it_is(tracee, record):
    recording = record("event:\n  watch:\n    - {type: console, name: std, value: 'END'}\n")
    tracee.write(1, b"x" * 40_000 + b"END\n")

    assert "".join(messages(recording.finish())) == "x" * 40_000 + "END\n"


def test_text_with_odd_bytes_is_text(tracee, recording):
    tracee.write(1, b"bell\a\n")
    tracee.write(1, b"\xe9t\xe9 in Latin-1\n")
    tracee.write(1, b"NUL\0\n")
    tracee.write(1, b"DEL\x7f and \xc2\x9b\n")

    found = messages(recording.finish())

    assert found == ["bell\a\n", "\udce9t\udce9 in Latin-1\n", "NUL\0\n", "DEL\x7f and \x9b\n"]


def test_utf16_is_known_by_its_mark(tracee, recording):
    tracee.open("/var/log/wide", 3)
    text = "one\nzwei für 世 🎉\n".encode("utf-16")
    for at in range(0, len(text), 7):
        tracee.write(3, text[at : at + 7])
    tracee.write(3, "three\n".encode("utf-16-le"))
    tracee.write(3, b"ASCII\n")
    tracee.write(3, "four\n".encode("utf-16-be"))  # its mark was another

    found = messages(recording.go())

    assert found[:4] == ["one\n", "zwei für 世 🎉\n", "three\n", "ASCII\n"]


def test_utf16_goes_on_whoever_holds_the_file(tracee, recording):
    tracee.open("/var/log/wide", 3)
    tracee.write(3, "one\n".encode("utf-16"))
    tracee.fork(200)
    tracee.write(3, "by a child\n".encode("utf-16-le"), pid=200)
    tracee.exec("/bin/next", fds=[0, 1, 2, 3])
    tracee.write(3, "after an exec\n".encode("utf-16-le"))

    assert messages(recording.go()) == ["one\n", "by a child\n", "after an exec\n"]


def test_half_a_pair_of_utf16_is_emitted_at_the_end(tracee, recording):
    tracee.open("/var/log/wide", 3)
    tracee.write(3, "ab".encode("utf-16")[:-1])
    tracee.close(3)

    assert messages(recording.go()) == ["ab"]


def test_bytes_that_are_no_utf8_survive(tracee, record):
    recording = record(CONSOLE.replace("std", "std, allowbinary: true"))
    tracee.write(1, b"\xff\0\0\0\0\0\0")

    assert messages(recording.finish()) == ["\udcff\0\0\0\0\0\0"]


def test_a_run_of_binary_writes_is_one_remark(tracee, recording):
    tracee.write(1, b"text ")
    tracee.write(1, b"\0\1")
    tracee.write(1, b"\0\2")
    tracee.write(1, b"more text\n")
    tracee.write(1, b"\0\3")

    assert messages(recording.finish()) == ["text ", IGNORED, "more text\n", IGNORED]


def test_what_is_written_byte_by_byte_is_judged_as_a_whole(tracee, recording):
    for byte in b"\xe9t\xe9 \a in Latin-1\n" + b"\x7fELF\2\1\1\0\0\n" * 3 + b"\x7ftext\n":
        tracee.write(1, bytes([byte]))

    found = messages(recording.finish())

    assert found == ["\udce9t\udce9 \a in Latin-1\n", IGNORED, "\x7ftext\n"]


def test_names_inside_binary_data_are_no_text(tracee, recording):
    tracee.write(1, b"\0\1\2\3" * 50)
    tracee.write(1, b"printf\0malloc\0a usage text that is long enough\n")
    tracee.write(1, b"text again\n")
    tracee.write(1, b"printf\0malloc\0a usage text that is long enough\n")

    found = messages(recording.finish())

    assert found == [IGNORED, "text again\n", "printf\0malloc\0a usage text that is long enough\n"]


def test_an_unwanted_file_is_muted_once(tracee, recording):
    tracee.open("/tmp/data", 3)
    for _ in range(5):
        tracee.write(3, b"x", fd_serial=7)
    tracee.write(3, b"x", fd_serial=0)
    recording.go()
    tracee.write(3, b"x", fd_serial=8)
    tracee.write(1, b"wanted", fd_serial=9)
    recording.go()

    assert recording.muted == [7, 8]


def test_bytes_that_were_not_copied_are_counted_in_a_notice_and_with_their_text(tracee, recording):
    tracee.write(1, b"begun ")
    tracee.write(1, b"abc", transferred=1000)
    tracee.write(1, b"line\ndef", transferred=9)
    tracee.write(1, b"more\n", transferred=6)
    last_ns = tracee.now
    tracee.close(1)

    events = recording.go()

    assert [event.data for event in texts(events)] == [
        {"message": "begun abc", "missing": 997},
        {"message": "line\ndef", "missing": 1},
        {"message": "more\n", "missing": 1},
    ]
    (notice,) = [event for event in events if event.sourcetype == "notice"]
    assert (notice.data["reason"], notice.data["count"]) == ("cut", 999)
    assert "stdout" in notice.data["message"]
    assert (notice.tid, notice.time_ns) == (100, last_ns + MILLISECOND)


def test_bytes_that_could_not_be_read_are_not_called_too_many(tracee, recording):
    tracee.write(1, b"abc", transferred=10)
    for data, flags in ((b"", PART_UNREADABLE), (b"xy", PART_UNREADABLE), (b"whole", 0)):
        tracee.call("write", 1, 0, 5, result=5, transferred=5, parts=[(Part.DATA, data, flags)])
    tracee.close(1)

    events = recording.go()

    assert "".join(messages(events)) == "abcxywhole"
    notices = [event.data for event in events if event.sourcetype == "notice"]
    assert [(each["reason"], each["count"]) for each in notices] == [("cut", 7), ("unreadable", 8)]
    assert "dumpable" in notices[1]["message"]


def test_missing_bytes_are_reported_at_the_end_of_the_session_too(tracee, recording):
    tracee.write(1, b"abc", transferred=10)
    written_ns = tracee.now
    recording.go()

    events = recording.finish()

    assert [(event.data["count"], event.time_ns) for event in events] == [(7, written_ns)]


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


def test_bytes_emitted_before_an_exec_are_not_missing(tracee, recording):
    tracee.open("/var/log/x", 3)
    tracee.write(3, b"seen")
    tracee.exec("/bin/next", fds=[0, 1, 2, 3])
    tracee.close(3, 0, 0, 0, 1, 4, 9)

    assert recording.of("notice") == []


def test_channels_that_ended_are_not_kept(tracee, recording):
    channels = recording.pipeline._text
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

    assert [*channels._channels.values()] == [{}]  # of the first program, which lives
    assert channels._waiting == {}
