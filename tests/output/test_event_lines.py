from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.event import EventRecord
from scopetrace.output.event_lines import LineFormat
from scopetrace.output.width import display_width

pytestmark = pytest.mark.usefixtures("utc")


def event(source="fs.open", sourcetype="fs", proc="ps", **data):
    return EventRecord(
        id=12, time_ns=1_783_822_275_999_999_999, sourcetype=sourcetype, source=source, host="box",
        proc=proc, cmd="ps -e", pid=7, tid=7, uid=1000, gid=1001, username="ann", groupname="staff",
        channel=0, data=data,
    )  # fmt: skip


def line(record, **options):
    return LineFormat(**options).format(record)


def test_an_open_shows_its_file():
    record = event(file="/proc/17721/stat", op="openat", fd=3)

    assert line(record) == "[12] Jul 12 02:11:15 ps fs fs.open file:/proc/17721/stat"


def test_a_single_value_of_a_metric_shows_all_it_has():
    record = event("fs.open", "metric", op="openat", file="/x", _metric="fs.open", _value=1)

    assert line(record).endswith("metric fs.open _metric:fs.open _value:1 file:/x op:openat")


def test_a_close_shows_its_counts_in_their_order():
    counts = {"file_write_ops": 4, "file_write_bytes": 3, "file_read_ops": 2, "file_read_bytes": 1}

    assert line(event("fs.close", op="close", file="/x", **counts)) == (
        "[12] Jul 12 02:11:15 ps fs fs.close file:/x"
        " file_read_bytes:1 file_read_ops:2 file_write_bytes:3 file_write_ops:4"
    )


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (
            event("fs.error", op="openat", file="/no", error="ENOENT", **{"class": "open_close"}),
            "op:openat file:/no error:ENOENT",
        ),
        (
            event("proc.start", "process", op="execve", exe="/bin/ps", args=["ps", "-e"], cwd="/"),
            'exe:/bin/ps args:"ps -e" cwd:/',
        ),
        (
            event("proc.exit", "process", exit_code=0, duration=9, max_rss=1),
            "exit_code:0 duration:9",
        ),
        (
            event("proc.exit", "process", signal="SIGSEGV", core_dumped=True, duration=9),
            "signal:SIGSEGV core_dumped:true duration:9",
        ),
        (event("proc.fork", "process", op="clone", child_pid=9), "child_pid:9 op:clone"),
        (event("stdout", "console", message="a  b\n"), 'message:"a  b"'),
        (event("stdout", "console", message="one\ntwo\n"), 'message:"one two"'),
        (event("stdout", "console", message="\n"), 'message:""'),
        (event(file="/tmp/a b\n"), 'file:"/tmp/a b\\n"'),
        (event(), ""),
    ],
)
def test_each_source_shows_what_matters(record, shown):
    assert line(record).partition(f" {record.source} ")[2] == shown


def test_chosen_fields_replace_the_usual_ones():
    record = event("fs.close", file="/x", op="close", duration=7)

    assert line(record, fields=["duration", "op", "none"]).endswith("fs.close duration:7 op:close")


def test_hidden_fields_stand_in_double_brackets():
    record = event(file="/x", op="openat", fd=3)

    assert line(record, all_fields=True).endswith("fs.open file:/x [[fd:3 op:openat]]")
    assert line(event("fs.delete", file="/x"), all_fields=True).endswith("fs.delete file:/x")


def test_only_a_message_is_cut_to_the_terminal():
    text = "0123456789" * 10
    console = event("stdout", "console", message=text)

    cut = line(console, columns=80)

    assert display_width(cut) == 80
    assert cut.endswith("…")
    assert text in line(console)
    assert text in line(event(file=text), columns=80)


def test_a_cut_message_keeps_its_closing_quote_and_what_follows():
    record = event("notice", "notice", message="word " * 40, count=17)

    cut = line(record, columns=100)

    assert display_width(cut) == 100
    assert cut.endswith('…" count:17')


def test_a_narrow_terminal_leaves_some_of_the_message():
    assert "message:aaaaaaaaaaaaaaaaaaa…" in line(
        event("stdout", "console", message="a" * 99), columns=5
    )


def test_colours_name_the_words():
    assert line(event("stdout", "console", message="hi"), color=True) == (
        "\x1b[34m[12]\x1b[0m Jul 12 02:11:15 \x1b[95mps\x1b[0m \x1b[92mconsole\x1b[0m"
        " \x1b[90mstdout\x1b[0m \x1b[32mmessage\x1b[0m:hi"
    )


def test_colours_change_nothing_but_colour():
    record = event("x.y", "other", message="m " * 99, count=1)
    plain = line(record, columns=90, all_fields=True)

    painted = line(record, columns=90, all_fields=True, color=True)

    assert re.sub(r"\x1b\[\d*m", "", painted) == plain


anything = st.text(st.characters(exclude_categories=()), max_size=30)


@given(anything, anything, anything, st.dictionaries(anything, anything | st.integers()))
def test_whatever_a_session_holds_a_line_is_one_safe_line(source, sourcetype, proc, data):
    record = event(source, sourcetype, proc)._replace(data=data)

    shown = line(record, columns=40, all_fields=True)

    assert not [
        c for c in shown if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000
    ]
    assert len(shown.splitlines()) == 1
