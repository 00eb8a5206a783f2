from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pexpect
import pytest

from support.packed_builder import call
from support.session_builder import begin, event

FOLLOW = (sys.executable, "-u", "-m", "scopetrace", "events", "-f")


@pytest.fixture
def session(recorder):
    """A session of four events of two processes."""
    event = recorder.event
    writer = recorder.start()
    writer.add_process(recorder.process(2, 71, "sh", cmd="sh -c true", args=("sh", "-c", "true")))
    writer.add_events(
        [
            event("fs.open", file="/etc/app.conf", op="openat", fd=3),
            event(
                "fs.close",
                at=0.25,
                file="/etc/app.conf",
                op="close",
                file_read_bytes=2_000_000,
                file_read_ops=9,
                file_write_bytes=0,
                file_write_ops=0,
            ),
            event("/tmp/will see.log", "file", at=1.5, message="will see this string\n"),
            event("stdout", "console", at=2, process=2, message="done\n"),
        ]
    )
    writer.finish(exit_code=0)
    return writer


LINES = (
    "[1] Jul 12 02:11:15.000 python3[70] fs fs.open file:/etc/app.conf\n",
    "[2] Jul 12 02:11:15.250 python3[70] fs fs.close file:/etc/app.conf file_read_bytes:2000000"
    " file_read_ops:9 file_write_bytes:0 file_write_ops:0\n",
    '[3] Jul 12 02:11:16.500 python3[70] file "/tmp/will see.log" message:"will see this string"\n',
    "[4] Jul 12 02:11:17.000 sh[71] console stdout message:done\n",
)


@pytest.mark.parametrize(
    ("args", "chosen"),
    [
        ([], [1, 2, 3, 4]),
        (["-n", "2"], [3, 4]),
        (["-n", "0"], []),
        (["-a", "-s", "fs."], [1, 2]),
        (["-s", "fs.open,stdout"], [1, 4]),
        (["-s", "fs.open", "-s", "*.log"], [1, 3]),
        (["-s", "fs.close", "-t", "console"], []),
        (["-t", "file"], [3]),
        (["-t", "fs", "-n", "1"], [2]),
        (["-p", "71"], [4]),
        (["--proc", "py*"], [1, 2, 3]),
        (["-m", "will see"], [3]),
        (["--where", "file_read_bytes > 1e6 and file like '%.conf'"], [2]),
        (["--since", "2026-07-12T02:11:16"], [3, 4]),
        (["--until", "1783822275.1"], [1]),
        (["-r"], [4, 3, 2, 1]),
        (["-r", "-n", "2"], [4, 3]),
        (["-r", "-a", "-s", "fs."], [2, 1]),
    ],
)
def test_options_choose_events(args, chosen, session, scopetrace):
    status, out, _ = scopetrace("events", *args)

    assert status == 0
    assert out == "".join(LINES[id - 1] for id in chosen)


def test_the_last_session_is_the_default_and_others_have_a_number(session, recorder, scopetrace):
    later = recorder.record(recorder.event("fs.delete", op="unlink", file="/x"))

    assert scopetrace("events")[1] == (
        "[1] Jul 12 02:11:15.000 python3[70] fs fs.delete file:/x op:unlink\n"
    )
    assert scopetrace("events", "--id", str(session.id), "-n1")[1] == LINES[3]
    assert scopetrace("events", "-i", str(later.path))[1] == scopetrace("events")[1]


def test_twenty_are_shown_unless_all_are_asked_for(recorder, scopetrace):
    recorder.record(*(recorder.event("fs.open", file=f"/{i}") for i in range(30)))

    assert scopetrace("events")[1].count("\n") == 20
    assert scopetrace("events", "-s", "fs.open")[1].startswith("[11] ")
    assert scopetrace("events", "-a")[1].count("\n") == 30


def test_one_event_is_shown_in_full(session, scopetrace):
    status, out, err = scopetrace("events", "3")

    assert (status, err) == (0, "")
    assert out.startswith("ID:         3\nProc:       python3\n")
    assert out.endswith("Data:\n  message: will see this string\n")


def test_json_has_one_body_to_a_line(session, scopetrace):
    lines = scopetrace("events", "-j")[1].splitlines()
    bodies = [json.loads(line) for line in lines]

    assert [body["id"] for body in bodies] == [1, 2, 3, 4]
    assert bodies[3] == {
        "Id": "4", "id": 4, "sourcetype": "console", "_time": 1783822277.0, "source": "stdout",
        "host": "box",
        "proc": "sh", "cmd": "sh -c true", "pid": 71, "uid": 1000, "gid": 1001, "username": "ann",
        "groupname": "staff", "args": ["sh", "-c", "true"], "data": {"message": "done\n"},
    }  # fmt: skip
    assert bodies[0]["data"]["host"] == "box"
    assert scopetrace("events", "4", "--json")[1] == lines[3] + "\n"


def test_sorting_works_with_json_too(session, scopetrace):
    by_time = scopetrace("events", "-j", "--sort", "_time")[1].splitlines()

    assert [json.loads(line)["id"] for line in by_time] == [4, 3, 2, 1]
    assert scopetrace("events", "--sort", "_time", "-r")[1] == "".join(LINES)


def test_fields_can_be_chosen_or_all_shown(session, scopetrace):
    assert scopetrace("events", "-s", "fs.open", "--fields", "fd,op")[1] == (
        "[1] Jul 12 02:11:15.000 python3[70] fs fs.open fd:3 op:openat\n"
    )
    assert scopetrace("events", "-s", "fs.open", "--allfields")[1] == (
        "[1] Jul 12 02:11:15.000 python3[70] fs fs.open file:/etc/app.conf [[fd:3 op:openat]]\n"
    )


@pytest.fixture
def log(recorder):
    """A session whose log was written three lines at a time, half a second apart."""
    texts = ("one\ntwo\nthree\n", "four\nfive\nsix\n")
    return recorder.record(
        *(
            recorder.event("/tmp/a.log", "file", at=at / 2, message=text)
            for at, text in enumerate(texts)
        )
    )


def test_a_line_of_a_log_is_a_line_and_counts_as_one(log, scopetrace):
    first, second = "[1] Jul 12 02:11:15.000", "[2] Jul 12 02:11:15.500"
    rows = [f"{first} {word}" for word in ("one", "two", "three")]
    rows += [f"{second} {word}" for word in ("four", "five", "six")]

    def shown(*args):
        out = scopetrace("events", *args)[1]
        return out.replace(" python3[70] file /tmp/a.log message:", " ").splitlines()

    assert shown() == rows
    assert shown("-n", "4") == rows[2:]
    assert shown("-r", "-n1") == rows[3:]
    assert shown("-m", "ee", "-m", "five") == [rows[2], rows[4]]
    assert shown("-m", "a.log") == rows
    assert len(shown("-j", "-n1")) == 1


def test_times_are_local_or_since_the_start_or_the_line_before(log, scopetrace):
    def times(*args):
        return [line.split()[1] for line in scopetrace("events", *args)[1].splitlines()]

    assert times("--time", "rel") == ["+0.000"] * 3 + ["+0.500"] * 3
    assert times("--time", "delta", "-n", "4") == ["+0.000", *["+0.500"] * 3]
    assert times("--time", "abs") == times() == ["Jul"] * 6


def test_gaps_are_shown_where_they_were(log, scopetrace):
    lines = scopetrace("events", "--gaps", "400ms")[1].splitlines()

    assert lines[3] == "--- 500.0 ms without an event ---"
    assert len(lines) == 7
    assert scopetrace("events", "--gaps", "1s")[1] == scopetrace("events")[1]


def test_colour_is_only_for_those_who_ask(session, scopetrace):
    assert "\x1b" not in scopetrace("events")[1]
    assert "\x1b[34m[4]\x1b[0m" in scopetrace("events", "--color", "always")[1]
    assert "\x1b[32mID:" in scopetrace("events", "1", "--color", "always")[1]


@pytest.mark.parametrize(
    "args",
    [
        ["-a", "-n", "3"],
        ["--fields", "file", "--allfields"],
        ["-f", "--sort", "file"],
        ["-f", "-r"],
        ["-j", "--fields", "file"],
        ["-j", "--time", "rel"],
        ["-j", "--gaps", "1s"],
        ["--gaps", "1s", "-r"],
    ],
)
def test_options_that_exclude_each_other_are_named(args, session, scopetrace):
    status, out, err = scopetrace("events", *args)

    assert (status, out) == (2, "")
    assert err.endswith(" do not go together\n")


def test_nothing_found_is_no_failure_but_is_said(session, recorder, scopetrace):
    status, out, err = scopetrace("events", "-s", "net.open")

    assert (status, out, err) == (0, "", "scopetrace: session 1 has no event that matches\n")

    recorder.record()
    assert scopetrace("events") == (0, "", "scopetrace: session 2 has no events\n")


@pytest.mark.parametrize(
    "args", [["--id", "9"], ["--id", "none.db"], ["99"], ["--where", "nonsense("]]
)
def test_what_is_not_there_is_one_sentence(args, session, scopetrace):
    status, out, err = scopetrace("events", *args)

    assert status in (1, 2)
    assert out == ""
    assert err.startswith("scopetrace: ")
    assert err.count("\n") == 1


def test_without_any_session_there_is_one_sentence(scopetrace):
    status, out, err = scopetrace("events")

    assert (status, out) == (1, "")
    assert err.startswith("scopetrace: ")


def test_names_and_contents_cannot_reach_the_terminal_raw(recorder, scopetrace):
    name = os.fsdecode(b"/tmp/\x1b]0;owned\x07\n[9] fake \xff\xe2\x80\xae")
    recorder.record(
        recorder.event("fs.open", file=name), recorder.event(name, "file", message=name)
    )

    for args in ([], ["1"], ["2"], ["--allfields"], ["-j"]):
        out = scopetrace("events", *args)[1]
        assert not [c for c in out if ord(c) < 32 and c != "\n"]
        assert "\u202e" not in out
        assert out.isascii()
    assert json.loads(scopetrace("events", "1", "-j")[1])["data"]["file"] == name


def test_on_a_terminal_lines_are_coloured_and_messages_cut_to_its_width(recorder):
    recorder.record(recorder.event("stdout", "console", message="word " * 40 + "\n"))
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = ["-m", "scopetrace", "events"]
    with pexpect.spawn(
        sys.executable, command, env={**environ, "TERM": "xterm"}, dimensions=(24, 80), timeout=30
    ) as child:
        child.expect(pexpect.EOF)
        head, message = child.before.decode().removesuffix("\r\n").split("\r\n")

    assert head.startswith("\x1b[34m[1]\x1b[0m ")
    plain = re.sub(r"\x1b\[\d+m", "", message)
    assert plain.endswith('…"')
    assert len(plain) == 80


@pytest.fixture
def noisy(recorder):
    """A session of 30 events of the start-up, one of its own, and 3 more of the start-up."""
    loaded = recorder.event("fs.open", file="/lib/libc.so.6")
    own = recorder.event("fs.open", file="/etc/app.conf")
    rules = "scopetrace: {pathclasses: {loader: ['libc']}}"
    return recorder.record(*([loaded] * 30), own, *([loaded] * 3), config=rules)


@pytest.mark.parametrize(
    ("args", "shown", "hidden"),
    [
        ([], 1, 33),
        (["-n1"], 1, 3),
        (["-A"], 20, 0),
        (["-a"], 34, 0),
        (["-j"], 20, 0),
        (["-s", "fs."], 20, 0),
        (["-m", "libc"], 20, 0),
        (["--gaps", "1s"], 34, 0),
        (["--gaps", "1s", "-n20"], 20, 0),
        (["-r"], 20, 0),
        (["-f"], 1, 33),
    ],
)
def test_on_a_terminal_events_of_the_start_up_are_counted(
    args, shown, hidden, noisy, scopetrace, monkeypatch
):
    monkeypatch.setattr("scopetrace.cli.events.on_terminal", lambda: True)

    status, out, err = scopetrace("events", *args)

    assert (status, out.count("\n")) == (0, shown)
    assert err == (
        f"scopetrace: {hidden} start-up events hidden: -A shows them\n" if hidden else ""
    )


def test_to_a_pipe_no_event_is_hidden(noisy, scopetrace):
    assert scopetrace("events")[1:] == (scopetrace("events", "-A")[1], "")


def test_following_shows_what_comes_and_ends_with_the_session(recorder):
    writer = recorder.start()
    with subprocess.Popen(FOLLOW, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as follower:
        for number in range(1, 4):
            writer.add_events([recorder.event("fs.open", file=f"/{number}")])
            writer.commit()
            assert follower.stdout.readline().endswith(b"file:/%d\n" % number)
        writer.add_events([recorder.event("fs.open", file="/last")])
        writer.finish(exit_code=0)
        rest, errors = follower.communicate(timeout=30)

    assert rest.endswith(b"file:/last\n")
    assert rest.count(b"\n") == 1
    assert (follower.returncode, errors) == (0, b"")


def test_following_applies_the_filters_to_what_comes(recorder):
    writer = recorder.start()
    writer.add_events([recorder.event("fs.open", file="/old")])
    writer.commit()
    with subprocess.Popen((*FOLLOW, "-t", "console"), stdout=subprocess.PIPE) as follower:
        writer.add_events([recorder.event("fs.open", file="/new")])
        writer.add_events([recorder.event("stdout", "console", message="hello\n")])
        writer.commit()
        assert follower.stdout.readline().endswith(b"console stdout message:hello\n")
        writer.finish(exit_code=0)
        assert follower.communicate(timeout=30)[0] == b""


def test_following_to_the_end_without_a_match_says_so(recorder):
    writer = recorder.start()
    writer.add_events([recorder.event("fs.open", file="/x")])
    writer.finish(exit_code=0)
    done = subprocess.run((*FOLLOW, "-t", "console"), capture_output=True, check=True)

    assert (done.stdout, done.stderr.count(b"\n")) == (b"", 1)
    assert done.stderr.endswith(b" has no event that matches\n")


def test_ctrl_c_ends_following_quietly(recorder):
    writer = recorder.start()
    writer.add_events([recorder.event("fs.open", file="/x")])
    writer.commit()
    with subprocess.Popen(FOLLOW, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as follower:
        follower.stdout.readline()
        follower.send_signal(2)
        out, err = follower.communicate(timeout=30)

    assert (follower.returncode, out, err) == (130, b"", b"")


def test_following_a_finished_session_just_shows_it(session, scopetrace):
    assert scopetrace("events", "-f") == (0, "".join(LINES), "")


@pytest.mark.usefixtures("session")
class TestGroups:
    def test_a_table(self, scopetrace):
        assert scopetrace("events", "--group-by", "file", "--sum", "file_read_bytes") == (
            0,
            "EVENTS  SUM bytes  FILE\n     2    2000000  /etc/app.conf\n     2          0  -\n",
            "",
        )

    def test_json_csv_and_filters(self, scopetrace):
        args = ("events", "--group-by", "source", "-s", "fs", "--top", "1")
        status, out, err = scopetrace(*args, "-j")
        assert (status, err) == (0, "")
        assert [json.loads(line) for line in out.splitlines()] == [
            {"source": "fs.close", "events": 1}
        ]
        assert scopetrace(*args, "--format", "csv") == (0, "source,events\nfs.close,1\n", "")

    def test_no_group_at_all(self, scopetrace):
        assert scopetrace("events", "--group-by", "source", "--top", "0") == (0, "", "")

    def test_nothing_to_group(self, scopetrace):
        assert scopetrace("events", "--group-by", "file", "-m", "zzz") == (
            0,
            "",
            "scopetrace: session 1 has no event that matches\n",
        )


@pytest.mark.usefixtures("session")
class TestTables:
    def test_csv_has_a_column_for_each_field_that_occurs(self, scopetrace):
        status, out, err = scopetrace("events", "-s", "fs.open,stdout", "--format", "csv")

        assert (status, err) == (0, "")
        assert out.splitlines() == [
            "id,time,sourcetype,source,proc,pid,file,op,fd,message",
            "1,2026-07-12T02:11:15.000000Z,fs,fs.open,python3,70,/etc/app.conf,openat,3,",
            "4,2026-07-12T02:11:17.000000Z,console,stdout,sh,71,,,,done\\n",
        ]

    def test_markdown_has_the_fields_that_are_asked_for(self, scopetrace):
        asked = ("--fields", "pid,file", "--format", "md")
        assert scopetrace("events", "-t", "fs", *asked)[1].splitlines() == [
            "| pid | file |", "| --- | --- |", "| 70 | /etc/app.conf |", "| 70 | /etc/app.conf |",
        ]  # fmt: skip

    def test_one_event_is_a_row(self, scopetrace):
        out = scopetrace("events", "3", "--fields", "id,message", "--format", "csv")[1]
        assert out == "id,message\n3,will see this string\\n\n"

    def test_none_is_a_sentence(self, scopetrace):
        text = "scopetrace: session 1 has no event that matches\n"
        assert scopetrace("events", "-m", "zzz", "--format", "csv") == (0, "", text)


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--sum", "fd"], "--sum needs --group-by"),
        (["--top", "3"], "--top needs --group-by"),
        (["--format", "csv", "-f"], "--follow and --format csv do not go together"),
        (["--format", "md", "--gaps", "1s"], "--gaps and --format md do not go together"),
        (["--group-by", "file", "-f"], "--group-by and --follow do not go together"),
        (["--group-by", "file", "-n", "3"], "--group-by and --last do not go together"),
        (["-a", "-n", "0"], "--all and --last do not go together"),
        (["--format", "json", "--time", "rel"], "--time and --format json do not go together"),
        (["--group-by", "fil"], "no event has a field named fil; did you mean file"),
        (["--sort", "fil"], "no event has a field named fil; did you mean file"),
        (["--fields", "file,fil"], "no event has a field named fil; did you mean file"),
        (["-s", "fs.opne"], "no source is named fs.opne; did you mean fs.open or fs.close?"),
        (["-t", "sf"], "no source type is named sf"),
        (["-f", "-s", "fs.opne"], "no source is named fs.opne; did you mean"),
    ],
)
def test_an_unknown_name_is_one_sentence_with_the_nearest(args, sentence, scopetrace):
    status, out, err = scopetrace("events", *args)

    assert (status, out) == (2, "")
    assert err.startswith(f"scopetrace: {sentence}")
    assert len(err.splitlines()) == 1


def test_a_path_that_nothing_was_written_to_is_no_mistake(session, scopetrace):
    assert scopetrace("events", "-s", "/var/log/none.log") == (
        0,
        "",
        "scopetrace: session 1 has no event that matches\n",
    )


def test_fields_of_the_body_can_be_chosen_and_sorted_by(session, scopetrace):
    args = ("--fields", "pid,tid,cmd,uid,time,message", "-t", "console")
    assert scopetrace("events", *args)[1] == (
        "[4] Jul 12 02:11:17.000 sh[71] console stdout pid:71 tid:70"
        ' cmd:"sh -c true" uid:1000 time:2026-07-12T02:11:17.000000Z message:done\n'
    )
    for field, ids in (("pid", ["4", "3"]), ("cmd", ["4", "3"]), ("time", ["4", "3"])):
        lines = scopetrace("events", "--sort", field, "-n", "2")[1].splitlines()
        assert [line.partition("]")[0][1:] for line in lines] == ids


def test_json_has_the_id_by_the_name_of_appscope_too(session, scopetrace):
    bodies = [json.loads(line) for line in scopetrace("events", "-j")[1].splitlines()]

    assert [(body["Id"], body["id"]) for body in bodies] == [(str(n), n) for n in range(1, 5)]
    assert json.loads(scopetrace("events", "2", "-j")[1]) == bodies[1]


def test_an_event_shows_its_system_call_where_it_was_recorded(home, scopetrace):
    writer = begin(home)
    writer.add_calls([call("close", 3, at=0.2, tid=71), call("close", 4, at=0.3, tid=71)])
    writer.add_events([event("fs.close", 0.2, op="close", file="/a")])
    writer.add_events([event("fs.close", 0.25, op="close", file="/a")])
    writer.finish(exit_code=0)

    assert "Made:       close(3) = 0 (`scopetrace explain 1`)" in scopetrace("events", "1")[1]
    assert "Made:" not in scopetrace("events", "2")[1]
