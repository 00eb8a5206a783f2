"""`scopetrace report`."""

from __future__ import annotations

import json
import stat
import sys

import pexpect
import pytest

from support.flow_builder import ENDS, channel, opened
from support.flow_builder import closed as flow_closed
from support.session_builder import begin, closed, event


@pytest.fixture
def session(home):
    asked = {**ENDS, "http_method": "GET", "http_target": "/", "http_host": "box:80"}
    events = [
        opened(),
        event("http.req", channel=channel(0), **asked),
        flow_closed(sent=5, received=6),
        closed("/home/ann/in.txt"),
        closed("/usr/lib/x86_64-linux-gnu/libc.so.6"),
        event("fs.error", op="openat", error="ENOENT", file="/home/ann/none"),
        event("stdout", message="hello from the program\n"),
    ]
    writer = begin(home, config="scopetrace: {pathclasses: {loader: ['/libc.so']}}")
    writer.add_events(events)
    writer.finish(exit_code=0)


@pytest.mark.usefixtures("session")
def test_without_a_file_it_prints_peers_and_files(scopetrace):
    status, out, err = scopetrace("report")

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "Network Activity",
        "",
        "IP             PORT  DURATION  BYTES SENT  BYTES RECEIVED  URL",
        "93.184.216.34    80     500ms         5 B             6 B  box:80",
        "",
        "File Activity",
        "",
        "BYTES READ  BYTES WRITTEN  FILE",
        "   5.0 KiB            0 B  /home/ann/in.txt",
        "   5.0 KiB            0 B  /usr/lib/x86_64-linux-gnu/libc.so.6",
    ]


@pytest.mark.usefixtures("session")
def test_on_a_terminal_the_files_of_start_up_are_hidden():
    out, status = pexpect.run(
        f"{sys.executable} -m scopetrace report", withexitstatus=True, timeout=50
    )

    assert status == 0
    assert b"in.txt" in out
    assert b"libc.so.6" not in out
    assert b"1 start-up file hidden: -A shows it" in out


@pytest.mark.parametrize(("more", "mark"), [((), ""), (("--format", "md"), "## ")])
def test_where_there_is_nothing_it_says_so(more, mark, recorder, scopetrace):
    recorder.record()

    assert scopetrace("report", *more)[1].splitlines() == [
        f"{mark}Network Activity", "", "none", "", f"{mark}File Activity", "", "none",
    ]  # fmt: skip


@pytest.mark.usefixtures("session")
def test_json_has_appviews_names(scopetrace):
    status, out, err = scopetrace("report", "-j")

    assert (status, err) == (0, "")
    peer, file, _ = map(json.loads, out.splitlines())
    assert peer == {
        "url": "box:80",
        "ip": "93.184.216.34",
        "port": 80,
        "duration": 500_000_000,
        "bytes_sent": 5,
        "bytes_received": 6,
    }
    assert file == {"file": "/home/ann/in.txt", "bytes_read": 5155, "bytes_written": 0}


@pytest.mark.usefixtures("session")
def test_csv_is_one_table_and_markdown_two(scopetrace):
    assert scopetrace("report", "--format", "csv")[1].splitlines() == [
        "url,ip,port,duration,bytes_sent,bytes_received,file,bytes_read,bytes_written",
        "box:80,93.184.216.34,80,500000000,5,6,,,",
        ",,,,,,/home/ann/in.txt,5155,0",
        ",,,,,,/usr/lib/x86_64-linux-gnu/libc.so.6,5155,0",
    ]
    assert scopetrace("report", "--format", "md")[1].splitlines() == [
        "## Network Activity",
        "",
        "| url | ip | port | duration | bytes_sent | bytes_received |",
        "| --- | --- | --- | --- | --- | --- |",
        "| box:80 | 93.184.216.34 | 80 | 500000000 | 5 | 6 |",
        "",
        "## File Activity",
        "",
        "| file | bytes_read | bytes_written |",
        "| --- | --- | --- |",
        "| /home/ann/in.txt | 5155 | 0 |",
        "| /usr/lib/x86_64-linux-gnu/libc.so.6 | 5155 | 0 |",
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("-o", "r.html", "-j"), "-o writes HTML: --json is for the tables"),
        (("-o", "r.html", "--format", "md"), "-o writes HTML: --format is for the tables"),
        (("-j", "--format", "md"), "--json and --format md do not go together"),
    ],
)
def test_forms_that_do_not_go_together(arguments, text, scopetrace):
    assert scopetrace("report", *arguments) == (2, "", f"scopetrace: {text}\n")


@pytest.mark.usefixtures("session")
def test_a_page_is_written_and_nobody_else_may_read_it(tmp_path, scopetrace):
    assert scopetrace("report", "1", "-o", "r.html") == (0, "Wrote r.html.\n", "")
    page = tmp_path / "r.html"
    assert page.read_text().startswith("<!doctype html>")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


@pytest.mark.usefixtures("session")
def test_a_page_replaces_a_file_only_if_it_is_said(tmp_path, scopetrace):
    (tmp_path / "r.html").write_text("mine")

    assert scopetrace("report", "-o", "r.html") == (
        1,
        "",
        "scopetrace: r.html exists already: --force replaces it\n",
    )
    assert (tmp_path / "r.html").read_text() == "mine"
    assert scopetrace("report", "-o", "r.html", "--force")[0] == 0
    assert (tmp_path / "r.html").read_text() != "mine"


@pytest.mark.usefixtures("session")
def test_a_redacted_page_has_no_texts(tmp_path, scopetrace):
    assert scopetrace("report", "-o", "open.html")[0] == 0
    assert scopetrace("report", "--redact", "-o", "closed.html")[0] == 0
    assert "hello from the program" in (tmp_path / "open.html").read_text()
    assert "hello from the program" not in (tmp_path / "closed.html").read_text()


def test_the_tables_cannot_be_redacted(scopetrace):
    status, out, err = scopetrace("report", "--redact")

    assert (status, out) == (2, "")
    assert err.startswith("scopetrace: --redact needs -o FILE")


def test_no_session_is_one_sentence(scopetrace):
    status, out, err = scopetrace("report", "-o", "r.html")

    assert (status, out) == (1, "")
    assert err.count("\n") == 1
