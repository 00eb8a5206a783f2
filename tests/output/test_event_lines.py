from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.event import EventRecord
from scopetrace.output.event_lines import LineFormat
from scopetrace.output.event_times import EventTimes, Waits
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

    assert line(record) == "[12] Jul 12 02:11:15.999 ps[7] fs fs.open file:/proc/17721/stat"


def test_a_single_value_of_a_metric_shows_all_it_has():
    record = event("fs.open", "metric", op="openat", file="/x", _metric="fs.open", _value=1)

    assert line(record).endswith("metric fs.open _metric:fs.open _value:1 file:/x op:openat")


def test_a_close_shows_its_counts_in_their_order():
    counts = {"file_write_ops": 4, "file_write_bytes": 3, "file_read_ops": 2, "file_read_bytes": 1}

    assert line(event("fs.close", op="close", file="/x", **counts)) == (
        "[12] Jul 12 02:11:15.999 ps[7] fs fs.close file:/x"
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

    head, cut = line(console, columns=80).split("\n")

    assert head == "[12] 02:11:15.999 ps[7] stdout"
    assert display_width(cut) == 80
    assert cut.startswith("    0123") and cut.endswith("…")
    assert text in line(console)
    assert text in line(event(file=text), columns=80)


def test_each_line_of_a_text_is_a_row_with_the_time_of_its_write():
    record = event("/x.log", "file", message="one\n\nthree\nno end", missing=5)
    head = "[12] Jul 12 02:11:15.999 ps[7] file /x.log message:"

    assert LineFormat().rows(record) == [
        f"{head}one",
        f'{head}""',
        f"{head}three",
        f'{head}"no end" missing:5',
    ]
    assert LineFormat().rows(event("stdout", "console", message="one\n")) == [
        "[12] Jul 12 02:11:15.999 ps[7] console stdout message:one"
    ]
    assert len(LineFormat().rows(event("notice", "notice", message="a\nb"))) == 1


CLOSE = {
    "file": "/var/lib/app/state.json",
    "op": "close",
    "file_read_bytes": 1_258_291,
    "file_read_ops": 4,
    "file_write_bytes": 0,
    "file_write_ops": 0,
}


def test_on_a_terminal_zeros_go_and_numbers_have_units():
    assert line(event("fs.close", **CLOSE), columns=120) == (
        "[12] Jul 12 02:11:15.999 ps[7] fs fs.close file:/var/lib/app/state.json"
        " file_read_bytes:1.2 MiB file_read_ops:4"
    )
    exited = event("proc.exit", "process", exit_code=0, core_dumped=False, duration=50_100_000)
    assert line(exited, columns=120).endswith("proc.exit exit_code:0 duration:50.1 s")


def test_a_narrow_line_has_what_matters_and_wraps_the_rest():
    assert line(event("fs.close", **CLOSE), columns=80) == (
        "[12] 02:11:15.999 ps[7] fs.close /var/lib/app/state.json file_read_bytes:1.2 MiB\n"
        "    file_read_ops:4"
    )
    failed = event("fs.error", op="openat", file="/etc/app.conf", error="ENOENT")
    assert line(failed, columns=80) == (
        "[12] 02:11:15.999 ps[7] fs.error /etc/app.conf op:openat error:ENOENT"
    )


def test_a_long_path_stays_whole_below_its_event():
    path = "/home/ann/" + "deep/" * 20

    assert line(event(file=path), columns=80) == f"[12] 02:11:15.999 ps[7] fs.open\n    {path}"


def test_a_message_that_fits_stands_beside_the_path_of_its_log():
    record = event("/var/log/" + "long/" * 20 + "a.log", "file", message="word " * 4 + "word")

    shown = line(record, columns=80)

    assert display_width(shown) <= 80
    assert shown.startswith("[12] 02:11:15.999 ps[7] /var/log/…")
    assert shown.endswith('long/a.log "word word word word word"')


def test_times_and_waits_are_as_asked_for():
    shown = LineFormat(times=EventTimes("delta"), waits=Waits(1_000_000_000))
    first = event(file="/a")
    second = first._replace(time_ns=first.time_ns + 1_500_000_000)

    assert shown.rows(first) == ["[12] +0.000 ps[7] fs fs.open file:/a"]
    assert shown.rows(second) == [
        "--- 1.5 s without an event ---\n[12] +1.500 ps[7] fs fs.open file:/a"
    ]


def test_a_cut_message_keeps_its_closing_quote_and_what_follows():
    record = event("notice", "notice", message="word " * 40, count=17)

    _, cut, rest = line(record, columns=100).split("\n")

    assert display_width(cut) == 100
    assert cut.endswith('…"')
    assert rest == "    count:17"


def test_a_narrow_terminal_leaves_some_of_the_message():
    assert "\n    aaaaaaaaaaaaaaaaaaa…" in line(
        event("stdout", "console", message="a" * 99), columns=5
    )


def test_colours_name_the_words():
    assert line(event("stdout", "console", message="hi"), color=True) == (
        "\x1b[34m[12]\x1b[0m Jul 12 02:11:15.999 \x1b[95mps[7]\x1b[0m \x1b[92mconsole\x1b[0m"
        " \x1b[90mstdout\x1b[0m \x1b[32mmessage\x1b[0m:hi"
    )


def test_colours_change_nothing_but_colour():
    record = event("x.y", "other", message="m " * 99, count=1)
    plain = line(record, columns=90, all_fields=True)

    painted = line(record, columns=90, all_fields=True, color=True)

    assert re.sub(r"\x1b\[\d*m", "", painted) == plain


anything = st.text(st.characters(exclude_categories=()), max_size=30)


@given(anything, anything, anything, st.dictionaries(anything, anything | st.integers()))
def test_whatever_a_session_holds_lines_are_safe(source, sourcetype, proc, data):
    record = event(source, sourcetype, proc)._replace(data=data)

    first, *others = line(record, columns=40, all_fields=True).split("\n")

    assert first.startswith("[12] ")
    assert all(other.startswith(("    ", "[12] ")) for other in others)
    for shown in (first, *others):
        assert not [
            c for c in shown if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000
        ]
        assert len(shown.splitlines()) == 1


def test_arguments_that_are_cut_leave_room_for_their_label():
    shown = line(event("proc.start", "process", args=["tool", "x" * 200]), columns=80)

    *_, cut = shown.split("\n")
    assert cut.startswith("    args:") and "…" in cut
    assert display_width(cut) == 80
