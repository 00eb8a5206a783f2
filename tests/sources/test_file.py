from __future__ import annotations

from scopetrace.streams.text import IGNORED


def test_what_is_written_to_a_log_is_an_event_named_after_it(tracee, recording):
    tracee.open("willsee.log", 3, link="/home/me/willsee.log")
    tracee.open("wontsee.txt", 4, link="/home/me/wontsee.txt")
    tracee.write(4, b"wont see this string")
    tracee.write(3, b"will see this string")
    tracee.exit()

    (event,) = recording.of("file")

    assert event.source == "/home/me/willsee.log"
    assert event.data == {"message": "will see this string"}


def test_the_channel_of_a_log_is_that_of_its_open(tracee, recording):
    tracee.open("/var/log/x", 3)
    tracee.write(3, b"x")
    tracee.close(3)

    opened, written, closed = recording.go()

    assert opened.channel == written.channel == closed.channel
    assert (opened.source, written.sourcetype, closed.source) == ("fs.open", "file", "fs.close")


def test_a_log_that_is_written_as_stdout_is_still_the_log(tracee, recording):
    tracee.open("/var/log/x", 3)
    tracee.call("dup2", 3, 1, result=1)
    tracee.write(1, b"x")

    assert [event.source for event in recording.finish() if event.sourcetype == "file"] == [
        "/var/log/x"
    ]


def test_binary_data_in_a_log_is_only_remarked_on(tracee, recording):
    tracee.open("/var/log/wtmp", 3)
    tracee.write(3, b"\0\1")
    tracee.write(3, b"\0\2")

    assert [event.data["message"] for event in recording.of("file")] == [IGNORED]


def test_binary_data_in_a_log_is_recorded_if_it_is_allowed(tracee, record):
    recording = record("event:\n  watch:\n    - {type: file, name: log, allowbinary: true}\n")
    tracee.open("/var/log/wtmp", 3)
    tracee.write(3, b"\0\1")

    assert [event.data["message"] for event in recording.finish()] == ["\0\1"]


def test_a_pipe_or_socket_has_no_path_that_a_rule_could_name(tracee, record):
    recording = record("event:\n  watch:\n    - {type: file, name: '.*'}\n")
    tracee.found(3, "pipe:[5]", 0o010600)
    tracee.write(3, b"x", fd_serial=9)
    recording.finish()

    assert recording.writer.events == []
    assert recording.muted == [9]


def test_a_log_is_known_by_the_name_that_it_was_opened_by(tracee, recording):
    tracee.open("app.log", 3, link="/home/me/data.txt")
    tracee.open("logs/f", 4, link="/home/me/real/f")
    tracee.open("data/f", 5, link="/var/log/f")
    tracee.open("data/f", 6, link="/home/me/real/f")
    for fd in range(3, 7):
        tracee.write(fd, b"%d\n" % fd)

    assert [(event.source, event.data["message"]) for event in recording.of("file")] == [
        ("/home/me/data.txt", "3\n"),
        ("/home/me/real/f", "4\n"),
        ("/var/log/f", "5\n"),
    ]


def test_a_log_that_is_a_link_to_the_console_is_the_log_where_the_console_is_unwanted(
    tracee, record
):
    recording = record("event:\n  watch:\n    - {type: file, name: log}\n")
    tracee.open("/var/log/access.log", 3, link="pipe:[7]", mode=0o010600)
    tracee.write(3, b"GET /\n")
    tracee.write(1, b"to the terminal\n")

    assert [(event.source, event.data["message"]) for event in recording.finish()] == [
        ("/var/log/access.log", "GET /\n")
    ]
