"""`scopetrace summary`."""

from __future__ import annotations

import json

import pytest

from scopetrace.model.process import ProcessEnd
from scopetrace.output.summary import WHY_STOPPED, summary_lines
from scopetrace.query import open_session
from support.flow_builder import closed

STARTED_NS = 1_783_822_275_000_000_000


def test_a_summary_says_what_happened_and_not_what_did_not(scopetrace, recorder):
    used = {"file_read_ops": 0, "file_read_bytes": 0, "file_write_ops": 2, "file_write_bytes": 30}
    recorder.record(
        recorder.event("fs.close", file="/home/ann/out.txt", op="close", **used),
        recorder.event("fs.error", file="/home/ann/app.conf", op="openat", error="ENOENT"),
        recorder.event("fs.open", file="/etc/ld.so.cache", op="openat", flags="O_RDONLY"),
        recorder.event("stderr", "console", message="warning: \x1b[2Jno configuration\n"),
        recorder.event("notice", "notice", message="a sentence", reason="x", count=1),
        cwd="/home/ann",
        config="scopetrace: {pathclasses: {loader: ['^/etc/ld']}}",
    )
    status, out, err = scopetrace("summary")

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "command    python3 log.py  (session 1, in /home/ann)",
        "ended      exit 0 after 1.0 s",
        "written    /home/ann/out.txt (30 B)",
        "not found  /home/ann/app.conf",
        "hidden     1 start-up file (libraries, locales...): scopetrace files -A",
        "output     1 line to stderr",
        "stderr     warning: \\x1b[2Jno configuration",
        "notices    a sentence",
    ]


def test_files_that_were_written_and_deleted_come_last(scopetrace, recorder):
    used = {"op": "close", "file_write_ops": 1, "file_write_bytes": 5}
    recorder.record(
        recorder.event("fs.close", file="/tmp/cc1.s", **used),
        recorder.event("fs.delete", file="/tmp/cc1.s", op="unlink"),
        recorder.event("fs.close", file="/home/ann/app", **used),
        recorder.event("fs.delete", file="/home/ann/app.old", op="unlink"),
    )

    lines = scopetrace("summary")[1].splitlines()
    assert [line for line in lines if "/" in line][1:] == [
        "written    /home/ann/app (5 B)",
        "           /tmp/cc1.s (5 B)",
        "deleted    /home/ann/app.old",
        "           /tmp/cc1.s",
    ]


def test_peers_are_ordered_by_bytes_without_those_that_were_only_probed(scopetrace, recorder):
    def flow(of, transport, ip, port, sent):
        ends = {"net_transport": transport, "net_peer_ip": ip, "net_peer_port": port}
        return closed(of, sent=sent, **ends)

    recorder.record(
        flow(0.1, "Netlink", "0", 0, 192),
        flow(0.2, "IP.UDP", "192.0.2.1", 80, 0),  # getaddrinfo(3) asks for its route
        flow(0.3, "IP.TCP", "192.0.2.1", 80, 0),
        flow(0.4, "IP.UDP", "192.0.2.9", 53, 20),
        flow(0.45, "IP.UDP", "192.0.2.9", 53, 10),
        flow(0.5, "IP.TCP", "192.0.2.2", 80, 40),
    )

    lines = scopetrace("summary")[1].splitlines()
    first = lines.index("network    192.0.2.2 port 80: 40 B sent, 0 B received")
    assert [line.strip() for line in lines[first + 1 : first + 4]] == [
        "192.0.2.9 port 53: 30 B sent, 0 B received, 2 flows",
        "192.0.2.1 port 80: 0 B sent, 0 B received",
        "kernel: 192 B sent, 0 B received",
    ]


def test_json_has_the_same_facts(scopetrace, recorder):
    recorder.record(recorder.event("fs.error", file="/x", op="openat", error="EACCES"), exit_code=4)
    _, out, _ = scopetrace("summary", "1", "-j")
    body = json.loads(out)

    assert (body["id"], body["exit_code"], body["denied"]) == (1, 4, ["/x"])


def test_a_session_that_is_not_there_is_one_sentence(scopetrace):
    status, out, err = scopetrace("summary", "7")

    assert (status, out) == (1, "")
    assert err.startswith("scopetrace: ")


def test_a_program_that_failed_has_the_reason_in_a_line(scopetrace, recorder):
    writer = recorder.start()
    writer.add_events([recorder.event("fs.error", file="/x", op="openat", error="ENOENT")])
    writer.end_process(ProcessEnd(1, STARTED_NS, 1, None, False))
    writer.finish(exit_code=1)
    reason = "python3[70] exit 1 ← perhaps open /x: ENOENT, it is not there"

    assert f"why        {reason}" in scopetrace("summary")[1].splitlines()
    assert json.loads(scopetrace("summary", "-j")[1])["why"] == reason


def test_a_program_that_failed_for_no_known_reason_has_no_such_line(scopetrace, recorder):
    writer = recorder.start()
    writer.end_process(ProcessEnd(1, STARTED_NS, 1, None, False))
    writer.finish(exit_code=1)

    assert "why" not in scopetrace("summary")[1]
    assert json.loads(scopetrace("summary", "-j")[1])["why"] is None


def test_csv_and_markdown_have_a_row_for_each_line(scopetrace, recorder):
    recorder.record()

    table = scopetrace("summary", "--format", "csv")[1].splitlines()
    assert table[0] == "about,answer"
    assert table[1].startswith("command,")
    assert scopetrace("summary", "--id", "1", "--format", "md")[1].startswith("| about ")


def test_calls_that_stopped_have_the_reasons(scopetrace, recorder):
    writer = recorder.start()
    writer.count_ways({"gated": 900, "asked": 30, "other": 69, "new way": 1})
    writer.finish(exit_code=0)

    whys = "69 of other kinds, 30 that failed, 1 new way"
    line = f"stops      100 of 1,000 recorded calls (10.0 %): {whys}"
    assert line in scopetrace("summary")[1].splitlines()


def test_calls_that_stopped_have_one_line_on_a_terminal(recorder):
    writer = recorder.start()
    writer.count_ways({"gated": 900_000, **dict.fromkeys(WHY_STOPPED, 1_000)})
    writer.finish(exit_code=0)
    with open_session(writer.path) as session:
        lines = [*summary_lines(session.summary(), 80)]

    (at,) = [at for at, line in enumerate(lines) if line.startswith("stops      8,000 of 908,000")]
    assert at == len(lines) - 1
    assert len(lines[at]) <= 80


def test_a_narrow_terminal_has_whole_numbers_and_sentences(recorder):
    writer = recorder.start(config="scopetrace: {pathclasses: {loader: ['^/etc/ld']}}")
    writer.add_events(
        [
            recorder.event("fs.open", file="/etc/ld.so.cache", op="openat", flags="O_RDONLY"),
            recorder.event("stdout", "console", message="one\n"),
            recorder.event("stderr", "console", message="one\ntwo\n"),
            recorder.event(f"/home/ann/{'logs/' * 9}app.log", "file", message="a line\n"),
            recorder.event("/home/ann/a.log", "file", message="a line\n"),
            closed(0.3, sent=40, net_transport="IP.TCP", net_peer_ip="192.0.2.2", net_peer_port=80),
        ]
    )
    writer.end_process(ProcessEnd(1, STARTED_NS + 2_123_000_000, 0, None, False))
    writer.finish(exit_code=0, ended_ns=STARTED_NS + 2_200_000_000)
    with open_session(writer.path) as session:
        summary = session.summary()
    slow = summary.slow[0]._replace(name="cc1 -quiet a.c -o /tmp/a.s", cpu_us=1_870_000)
    summary = summary._replace(slow=(slow,))

    assert list(summary_lines(summary, 40))[-12:] == [
        "hidden     1 start-up file (libraries,",
        "           locales...): scopetrace files",
        "           -A",
        "logs       /home/ann/…s/app.log (1 line)",
        "           /home/ann/a.log (1 line), la…",
        "network    192.0.2.2 port 80: 40 B sent,",
        "           0 B received",
        "output     1 line to stdout, 2 lines to",
        "           stderr",
        "stderr     one",
        "           two",
        "slow       cc1 -qu… /tmp/a.s [70]: 2.1 s",
    ]
    assert list(summary_lines(summary, 60))[-1] == (
        "slow       cc1 -quiet a.c -o /tmp/a.s [70]: 2.1 s, cpu 1.9 s"
    )


def test_a_long_command_has_a_line_of_its_own_on_a_terminal(recorder):
    path = recorder.record(command="pip", args=["pip", "install", "x" * 60], cwd="/home/ann").path
    with open_session(path) as session:
        first, second, *_ = summary_lines(session.summary(), 80)

    assert first.startswith("command    pip install xxx")
    assert second == "           (session 1, in /home/ann)"


def test_what_was_looked_for_in_several_folders_is_named_once(scopetrace, recorder):
    names = ("/a/b/package.json", "/a/package.json", "/etc/x.conf", "/package.json", "/x.conf")
    recorder.record(
        *(recorder.event("fs.error", file=name, op="openat", error="ENOENT") for name in names)
    )

    lines = scopetrace("summary")[1].splitlines()
    at = lines.index("not found  /a/b/package.json, nor in 2 other folders")
    assert [line.strip() for line in lines[at + 1 : at + 3]] == ["/etc/x.conf", "/x.conf"]


def test_requests_without_a_response_have_a_line(scopetrace, recorder):
    recorder.record(recorder.event("http.req", "http", http_method="GET"))

    assert "http       1 request without a response" in scopetrace("summary")[1].splitlines()


def test_a_session_can_be_named_once(scopetrace, recorder):
    recorder.record()

    status, out, err = scopetrace("summary", "1", "--id", "1")

    assert (status, out) == (2, "")
    assert "a session can be named once: as an argument or by --id" in err


def test_a_program_that_runs_has_a_line_for_how_long(scopetrace, recorder):
    writer = recorder.start()
    writer.add_process(recorder.process(id=2, pid=71, parent=1, proc="sh"))
    writer.end_process(ProcessEnd(2, STARTED_NS, 0, None, False))
    writer.commit()

    lines = scopetrace("summary")[1].splitlines()
    assert lines[1].startswith("running    for ")
    assert "processes  2, 1 running: python3, sh" in lines


def test_an_end_that_is_not_recorded_has_the_reason(scopetrace, recorder):
    recorder.start().finish("stopped")

    line = scopetrace("summary")[1].splitlines()[1]
    assert line.startswith("ended      not recorded: the recording was stopped after ")


def test_programs_are_counted(scopetrace, recorder):
    writer = recorder.start()
    for number, proc in enumerate(("sh", "cc", "cc"), 2):
        writer.add_process(recorder.process(number, pid=70 + number, proc=proc))
    writer.finish(exit_code=0)

    assert "processes  4: cc (2 times), python3, sh" in scopetrace("summary")[1].splitlines()


def ended(recorder, own_at, last_at, **facts):
    """Write a session whose first process ended before its last one, times in seconds."""
    writer = recorder.start()
    writer.add_process(recorder.process(id=2, pid=71, parent=1, proc="sh"))
    for number, at in ((1, own_at), (2, last_at)):
        writer.end_process(ProcessEnd(number, STARTED_NS + round(at * 1e9), 3, None, False))
    return writer


@pytest.mark.parametrize(
    ("last_at", "line"),
    [
        (2.099, "exit 3 after 2.1 s"),
        (2.1, "exit 3 after 2.0 s, the last of its processes after 2.1 s"),
        (7, "exit 3 after 2.0 s, the last of its processes after 7.0 s"),
    ],
)
def test_a_process_that_ended_later_has_its_own_time(scopetrace, recorder, last_at, line):
    ended(recorder, 2, last_at).finish(
        exit_code=3, status="finished", ended_ns=STARTED_NS + round(last_at * 1e9)
    )

    assert scopetrace("summary")[1].splitlines()[1] == f"ended      {line}"


def test_the_program_may_have_ended_before_the_recording(scopetrace, recorder):
    writer = ended(recorder, 2, 3)
    writer.update(exit_code=3)
    writer.commit()

    line = scopetrace("summary")[1].splitlines()[1]
    assert line.startswith("running    for ")
    assert line.endswith("; the program itself ended: exit 3")


def test_what_was_lost_is_counted(scopetrace, recorder):
    recorder.start().finish(exit_code=0, lost=1200)

    assert scopetrace("summary")[1].splitlines()[-1] == (
        "lost       1,200 of its events and records could not be recorded"
    )
