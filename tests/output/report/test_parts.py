"""The parts of a report: what comes first, what is left out, and that texts stay texts."""

from __future__ import annotations

import os

import pytest

from scopetrace.model.event import Event
from scopetrace.model.process import ProcessEnd
from scopetrace.output.json_bytes import json_bytes
from scopetrace.output.report.parts import LIMITS, MOST_ROWS, parts
from scopetrace.query import open_session
from scopetrace.query.report import read_report
from support.flow_builder import ENDS, UNIX_ENDS, channel, opened, piece
from support.flow_builder import closed as flow_closed
from support.session_builder import SECOND, STARTED_NS, begin, closed, event, image, record

CLASSES = "scopetrace: {pathclasses: {locale: ['/locale/'], loader: ['/libc.so']}}"


@pytest.fixture
def made(tmp_path):
    """Return what makes the parts of a session: for each its rows, as dictionaries."""

    def make(events, images=(), payload=(), ends=()):
        writer = begin(tmp_path / "home", config=CLASSES)
        for one in images:
            writer.add_process(one)
        for end in ends:
            writer.end_process(end)
        writer.add_events(events)
        writer.add_payloads(payload)
        writer.finish(exit_code=0)
        with open_session(writer.path) as session:
            found = parts(read_report(session))
        rows = {
            name: [dict(zip(part.columns, row, strict=True)) for row in part.rows]
            for name, part in found.items()
        }
        return rows, {name: part.left for name, part in found.items()}

    return make


def test_lines_are_split_and_are_text(made):
    rows, left = made([event("stderr", at=0.5, message="one\ntwo \x1b[31mred\x1b[0m\u202e\n")])

    assert [(row["at_us"], row["source"], row["text"]) for row in rows["lines"]] == [
        (500_000, "stderr", "one"),
        (500_000, "stderr", "two red\\u202e"),
    ]
    assert left["lines"] == 0


def test_of_many_lines_the_beginning_and_the_end_are_there(made):
    count = 2 * MOST_ROWS
    text = "".join(f"line {number}\n" for number in range(count))
    rows, left = made([event("stdout", message=text)])

    shown = [row["text"] for row in rows["lines"]]
    assert (shown[0], shown[-1]) == ("line 0", f"line {count - 1}")
    assert len(shown) == MOST_ROWS
    assert left["lines"] == count - MOST_ROWS


def test_own_files_come_first_then_the_largest(made):
    rows, _ = made(
        [
            closed("/usr/lib/x86_64-linux-gnu/libc.so.6", file_read_bytes=9_999_999),
            closed("/tmp/small", file_read_bytes=1),
            closed(os.fsdecode(b"/tmp/caf\xe9"), file_read_bytes=2),
        ]
    )

    assert [row["path"] for row in rows["files"]][:2] == ["/tmp/caf\\xe9", "/tmp/small"]


def test_each_part_keeps_to_its_limit_and_counts_the_rest(made):
    name = "x" * 200
    rows, left = made([closed(f"/tmp/{name}/{number}") for number in range(5000)])

    size = sum(len(json_bytes(list(row.values()))) for row in rows["files"])
    assert LIMITS["files"] - 5000 < size <= LIMITS["files"]
    assert len(rows["files"]) + left["files"] == 5000
    assert sum(LIMITS.values()) < 2_900_000


def test_processes_have_their_depth_their_end_and_their_execs(made):
    began = image().started_ns
    rows, _ = made(
        [], [image(2, pid=71, parent=1, proc="sh", cmd="sh -c x", started_ns=began + 10**6)]
    )

    first, second = rows["processes"]
    assert (first["pid"], first["depth"], first["at_us"]) == (70, 0, 0)
    assert (second["pid"], second["depth"], second["at_us"]) == (71, 1, 1000)
    assert second["cmd"] == "sh -c x"


def test_requests_belong_to_their_flow_and_have_bodies(made):
    asked = {**ENDS, "http_method": "POST", "http_target": "/a", "http_host": "box"}
    post = b"POST /a HTTP/1.1\r\nHost: box\r\nContent-Length: 3\r\n\r\na<b"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe"
    rows, _ = made(
        [
            opened(),
            event("http.req", at=0.1, channel=channel(0), **asked),
            event("http.resp", at=0.2, channel=channel(0), **asked, http_status_code=200),
            flow_closed(),
        ],
        payload=[piece(post, at=0.1), piece(answer, outgoing=False, at=0.2)],
    )

    (flow,), (request,) = rows["flows"], rows["requests"]
    assert request["flow"] == flow["id"]
    assert (request["method"], request["url"], request["status"]) == ("POST", "http://box/a", 200)
    assert request["request_headers"] == "Host: box\nContent-Length: 3"
    assert request["request_body"] == "a<b"
    assert request["response_body"] == "(2 bytes or more, no text)"


def test_flows_of_start_up_are_marked(made):
    pair = {"net_transport": "Unix.TCP", "unix_peer_inode": 7, "unix_local_inode": 8}
    rows, _ = made([opened(), opened(1, **pair), opened(2, **UNIX_ENDS)])

    assert [row["is_startup"] for row in rows["flows"]] == [False, True, False]


def test_processes_of_start_up_are_marked_and_so_is_how_they_ended(made):
    script = {"args": ("sh", "/locale/tool"), "cmd": "sh /locale/tool"}
    rows, _ = made(
        [],
        [image(2, pid=71, **script), image(3, pid=72, parent=2), image(4, pid=71, parent=2)],
        ends=[
            ProcessEnd(2, STARTED_NS, None, None, True),
            *(ProcessEnd(number, STARTED_NS, 1, None, False) for number in (3, 4)),
        ],
    )

    marks = {row["pid"]: row["is_startup"] for row in rows["processes"]}
    assert marks == {70: False, 71: False, 72: True}
    assert sorted((row["who"], row["is_startup"]) for row in rows["errors"]) == [
        ("python3 [71]", False),
        ("python3 [72]", True),
    ]


def answered(target: str, status: int, at: float) -> list[Event]:
    asked = {**ENDS, "http_method": "GET", "http_target": target, "http_host": "box"}
    response = event("http.resp", at + 0.1, channel=channel(0), http_status_code=status, **asked)
    return [event("http.req", at, channel=channel(0), **asked), response]


def test_errors_are_of_processes_connections_requests_files_and_calls(made):
    rows, _ = made(
        [
            event("fs.error", op="openat", error="ENOENT", file="/usr/share/locale/x.mo"),
            event("fs.error", op="openat", error="EACCES", file="/tmp/secret"),
            event("net.error", op="connect", error="ECONNREFUSED", **ENDS),
            event("proc.error", op="kill", what="SIGTERM to 1", error="EPERM"),
            event("dns.error", domain="box", type="A", error="timeout"),
            *answered("/a", 404, 1),
            *answered("/a", 404, 2),
            *answered("/b", 200, 3),
            event("dns.resp", domain="db.test", type="A", rcode="NXDOMAIN", addrs=[]),
            event("dns.resp", domain="db.test", type="AAAA", rcode="NXDOMAIN", addrs=[]),
        ]
    )

    assert [
        (row["kind"], row["error"], row["what"].partition(", ")[0]) for row in rows["errors"]
    ] == [
        ("network", "ECONNREFUSED", "connect 93.184.216.34 port 80"),
        ("DNS", "NXDOMAIN", "look up db.test (2 times)"),
        ("DNS", "timeout", "look up box"),
        ("HTTP", "404", "GET http://box/a (2 times)"),
        ("file", "EACCES", "open /tmp/secret: EACCES"),
        ("file", "ENOENT", "open /usr/share/locale/x.mo: ENOENT"),
        ("call", "EPERM", "kill SIGTERM to 1: EPERM"),
    ]
    assert [row["error"] for row in rows["errors"] if row["is_startup"]] == ["ENOENT"]


def test_a_process_that_ended_badly_says_why(tmp_path):
    began = image().started_ns
    path = record(
        tmp_path / "home",
        [event("fs.error", process=2, op="openat", error="ENOENT", file="/tmp/none")],
        [image(2, pid=71, parent=1, proc="cat", cmd="cat none")],
        [ProcessEnd(2, began + SECOND, 1, None, False)],
    )
    with open_session(path) as session:
        rows = parts(read_report(session))["errors"].rows

    assert [row[:3] for row in rows] == [
        ["process", "exit 1", "cat [71]"],
        ["file", "ENOENT", "cat"],
    ]
    assert rows[0][3].startswith("cat[71] exit 1 ← perhaps open /tmp/none: ENOENT")


def test_the_cause_of_nothing_is_nothing(made):
    rows, left = made([])

    assert rows["errors"] == rows["lines"] == rows["flows"] == []
    assert set(left.values()) == {0}


def test_a_session_that_was_cut_off_can_be_shown(tmp_path):
    with open_session(record(tmp_path / "home", [])) as session:
        found = read_report(session)
    info = found.summary.info._replace(ended_ns=None, exit_code=None, status="interrupted")
    again = found._replace(summary=found.summary._replace(info=info))

    assert parts(again)["processes"].rows[0][6] == "end not recorded"


def test_what_does_not_fit_ends_a_part_even_if_less_would_fit(made):
    large = "x" * (LIMITS["files"] // 2)
    rows, left = made([closed(f"/tmp/{name}/{large}") for name in "ab"] + [closed("/tmp/small")])

    assert [len(row["path"]) > 100 for row in rows["files"]] == [True]
    assert left["files"] == 2
