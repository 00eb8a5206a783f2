"""Which process failed first, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scopetrace.model.event import Event
from scopetrace.model.process import ProcessEnd
from scopetrace.model.why import BadEnd, Why
from scopetrace.query import open_session
from support.session_builder import SECOND, STARTED_NS, begin, event, image


class Ended(NamedTuple):
    """A process: its parent's number, its program, and how it ended after how many seconds."""

    parent: int
    proc: str
    code: int | None
    at: float
    signal: int | None = None
    started: float = 0


def ask(folder: Path, processes: Sequence[Ended], events: Sequence[Event] = ()) -> Why:
    """Record processes, numbered from 1 as they stand, the first with pid 70."""
    writer = begin(folder)
    for number, each in enumerate(processes, 1):
        facts: dict[str, Any] = {
            "pid": 69 + number, "parent": each.parent, "proc": each.proc,
            "exe": f"/bin/{each.proc}",
            "started_ns": STARTED_NS + int(each.started * SECOND),
        }  # fmt: skip
        if number > 1:
            writer.add_process(image(number, **facts))
        ended_ns = STARTED_NS + int(each.at * SECOND)
        writer.end_process(ProcessEnd(number, ended_ns, each.code, each.signal, False))
    writer.add_events(events)
    first = processes[0]
    writer.finish(exit_code=first.code, signal=first.signal)
    with open_session(writer.path) as session:
        return session.why()


def chains(why: Why) -> list[list[str]]:
    return [[node.process.proc for node in end.chain] for end in why.ends]


def failed(process: int, file: str = "/x", error: str = "EACCES") -> Event:
    data = {"op": "openat", "class": "open_close", "file": file, "error": error}
    return event("fs.error", process=process, **data)


def missed(process: int, file: str = "/x") -> Event:
    return failed(process, file, "ENOENT")


def test_the_child_whose_status_is_repeated_failed_first(tmp_path: Path) -> None:
    processes = [
        Ended(0, "sh", 3, 5), Ended(1, "grep", 1, 1), Ended(1, "true", 0, 2, started=1),
        Ended(1, "cp", 3, 4, started=2), Ended(1, "rm", 2, 4.5, started=4),
    ]  # fmt: skip
    why = ask(tmp_path, processes, [failed(4)])

    assert chains(why) == [["python3", "cp"]]
    assert [failure.event for failure in why.ends[0].failures] == [1]
    assert (why.processes, why.others) == (5, 2)


def test_a_child_that_failed_before_another_succeeded_is_not_why(tmp_path: Path) -> None:
    processes = [Ended(0, "sh", 1, 5), Ended(1, "grep", 1, 1), Ended(1, "true", 0, 4.9, started=2)]

    assert chains(ask(tmp_path, processes)) == [["python3"]]


def test_a_pipeline_fails_by_the_part_that_failed_though_another_ended_later(
    tmp_path: Path,
) -> None:
    processes = [Ended(0, "sh", 1, 5), Ended(1, "cat", 1, 4), Ended(1, "sort", 0, 4.5)]

    assert chains(ask(tmp_path, processes)) == [["python3", "cat"]]


def test_a_child_with_another_status_counts_if_it_ended_just_before(tmp_path: Path) -> None:
    soon = [Ended(0, "runner", 1, 5), Ended(1, "tool", 127, 4.9)]

    assert chains(ask(tmp_path, soon)) == [["python3", "tool"]]


def test_of_several_that_ended_just_before_the_last_counts(tmp_path: Path) -> None:
    both = [Ended(0, "runner", 1, 5), Ended(1, "early", 126, 4.7), Ended(1, "late", 127, 4.9)]

    assert chains(ask(tmp_path, both)) == [["python3", "late"]]


def test_a_child_that_ended_long_before_is_not_why(tmp_path: Path) -> None:
    late = [Ended(0, "runner", 1, 5), Ended(1, "tool", 127, 2)]

    assert chains(ask(tmp_path, late)) == [["python3"]]


@pytest.mark.parametrize(
    ("line", "at", "chain"),
    [
        ("sh: 1: cannot create /x: Permission denied", 4.8, ["python3"]),
        ("sh: 1: cannot create /x: Permission denied", 4.6, ["python3", "cat"]),
        ("cat failed", 4.8, ["python3", "cat"]),
    ],
)
def test_a_process_that_failed_itself_after_its_child_is_why(
    line: str, at: float, chain: list[str], tmp_path: Path
) -> None:
    processes = [Ended(0, "sh", 2, 5), Ended(1, "cat", 1, 4.7)]
    then = STARTED_NS + int(at * SECOND)
    events = [failed(2, "/y"), failed(1)._replace(time_ns=then), event("stderr", at, message=line)]

    assert chains(ask(tmp_path, processes, events))[0] == chain


@pytest.mark.parametrize(
    ("more", "complaint", "chain"),
    [(60, "", ["python3"]), (59, "", ["python3", "rustc"]), (60, "failed", ["python3", "rustc"])],
)
def test_a_process_that_went_on_failed_itself_if_its_child_had_not_complained(
    more: int, complaint: str, chain: list[str], tmp_path: Path
) -> None:
    said = [event("stderr", process=2, message=complaint)]
    went_on = [event("fs.open", 4, file="/y")] * more
    processes = [Ended(0, "pip", 1, 5), Ended(1, "rustc", 1, 3)]

    assert chains(ask(tmp_path, processes, said + went_on)) == [chain]


def test_what_the_next_command_of_a_pipeline_prints_may_be_a_complaint(tmp_path: Path) -> None:
    processes = [
        Ended(0, "sh", 1, 5), Ended(1, "git", 1, 4, started=1), Ended(1, "tee", 0, 3.9, started=2),
        Ended(1, "before", 0, 0.9), Ended(1, "tail", 2, 3.5, started=2),
    ]  # fmt: skip

    def said(process: int, message: str) -> Event:
        return event("stdout", process=process, message=message)

    found = [missed(2, "/a"), said(4, "error"), said(5, "error")]
    complained = ask(tmp_path / "1", processes, [*found, said(3, "fatal: no")]).ends[0]
    assert (complained.said, complained.failures) == ("fatal: no", ())
    printed = ask(tmp_path / "2", processes, [*found, said(3, "1 2 3")]).ends[0]
    assert [failure.data["file"] for failure in printed.failures] == ["/a"]


def test_a_shells_status_tells_the_signal_that_ended_its_child(tmp_path: Path) -> None:
    processes = [Ended(0, "sh", 139, 5), Ended(1, "crash", None, 2, 11)]
    fault = {"signal": "SIGSEGV", "code": "SEGV_MAPERR", "address": "0x10"}
    events = [
        event("fs.open", process=2, op="openat", file="/a"),
        event("proc.signal", process=2, signal="SIGCHLD", code="CLD_EXITED"),
        event("proc.signal", process=2, **fault),
    ]
    why = ask(tmp_path, processes, events)

    assert chains(why) == [["python3", "crash"]]
    assert why.ends[0].signal == fault
    assert why.ends[0].sender is None
    assert [call.event for call in why.ends[0].last_calls] == [1]


def test_a_writer_whose_reader_had_enough_is_why_only_if_its_parent_says_so(tmp_path: Path) -> None:
    def ended(status: int) -> list[list[str]]:
        folder = tmp_path / str(status)
        return chains(ask(folder, [Ended(0, "sh", status, 5), Ended(1, "yes", None, 4.9, 13)]))

    assert ended(3) == [["python3"]]
    assert ended(141) == [["python3", "yes"]]
    assert ended(0) == []


def test_no_failed_call_is_why_a_process_was_killed(tmp_path: Path) -> None:
    why = ask(tmp_path, [Ended(0, "sh", None, 5, 9)], [failed(1)])

    assert why.ends[0].failures == ()
    assert [call.event for call in why.ends[0].last_calls] == [1]


def test_what_was_there_later_is_no_reason_even_if_stderr_names_it(tmp_path: Path) -> None:
    said = event("stderr", message="writing '/w/SOURCES.txt'\nerror: invalid command 'x'\n")
    opened = event("fs.open", op="openat", file="/w/SOURCES.txt", flags="O_WRONLY|O_CREAT")
    events = [missed(1, "/w/SOURCES.txt"), opened, said]
    (end,) = ask(tmp_path, [Ended(0, "pip", 1, 3)], events).ends

    assert (end.failures, end.said) == ((), "error: invalid command 'x'")


def test_a_complaint_in_a_log_comes_before_what_others_wrote_to_stderr(tmp_path: Path) -> None:
    processes = [Ended(0, "configure", 1, 3), Ended(1, "cc1", 1, 2)]

    def why(written: str) -> BadEnd:
        log = event("/w/config.log", process=2, message=written)
        other = event("stderr", message="configure: error: x is required\n")
        events = [missed(2, "/usr/include/x.h"), missed(2, "/w/a.c.gch"), log, other]
        return ask(tmp_path, processes, events).ends[0]

    found = why("a.c:1: fatal error: x.h: No such file or directory\n")
    assert found.failures[0].data["file"] == "/usr/include/x.h"
    assert found.log
    assert why("a.c:1\n").stderr == ("configure: error: x is required",)


def test_a_process_that_wrote_nothing_to_stderr_has_its_last_lines_on_stdout(
    tmp_path: Path,
) -> None:
    def end(name: str, text: str, *events: Event) -> BadEnd:
        written = [event("stdout", message=text), *events]
        return ask(tmp_path / name, [Ended(0, "sh", 1, 5)], written).ends[0]

    fatal = end("a", "Fatal error, can't open '/x'\n", missed(1), missed(1, "/y"))
    assert (fatal.stderr, fatal.stdout) == ((), ("Fatal error, can't open '/x'",))
    assert [failure.data["file"] for failure in fatal.failures] == ["/x"]
    plain = end("b", "12\n13\n", missed(1))
    assert (plain.stdout, plain.said) == (("12", "13"), "")
    assert len(plain.failures) == 1, "what is no complaint says nothing of it"


def test_the_process_that_sent_the_signal_is_named(tmp_path: Path) -> None:
    processes = [Ended(0, "timeout", 124, 5), Ended(1, "sleep", None, 4.9, 15)]
    sent = {"signal": "SIGTERM", "code": "SI_USER", "sender_pid": 70, "sender_uid": 0}
    why = ask(tmp_path, processes, [event("proc.signal", process=2, **sent)])

    assert why.ends[0].sender is why.ends[0].chain[0]


def test_make_failed_by_the_first_of_its_jobs_that_did(tmp_path: Path) -> None:
    writer_image = [Ended(0, "sh", 2, 9), Ended(1, "make", 2, 8)]
    jobs = [Ended(2, "cc", 1, 3), Ended(2, "ld", 1, 4), Ended(2, "ok", 0, 5)]

    assert chains(ask(tmp_path, [*writer_image, *jobs])) == [["python3", "make", "cc"]]


def test_where_the_first_process_succeeded_others_are_told_if_anything_is_known(
    tmp_path: Path,
) -> None:
    processes = [
        Ended(0, "sh", 0, 9), Ended(1, "grep", 1, 1), Ended(1, "cat", 1, 2), Ended(1, "x", 1, 3),
    ]  # fmt: skip
    events = [failed(3), event("stderr", process=4, message="no\n")]
    why = ask(tmp_path, processes, events)

    assert chains(why) == [["x"], ["cat"]]
    assert (why.ends[0].stderr, why.others) == (("no",), 1)


def test_the_last_lines_may_be_those_of_the_parent(tmp_path: Path) -> None:
    processes = [Ended(0, "sh", 127, 5), Ended(1, "python3", 127, 4)]
    why = ask(tmp_path, processes, [event("stderr", message="x: not found\n")])

    assert why.ends[0].stderr == ("x: not found",)


def test_a_forked_copy_did_what_its_parent_had_prepared(tmp_path: Path) -> None:
    processes = [Ended(0, "python3", 127, 5), Ended(1, "python3", 127, 4)]
    copy = image(2, pid=71, parent=1)
    assert (copy.exe, copy.args) == (image().exe, image().args)
    writer = begin(tmp_path)
    writer.add_process(copy)
    for number, each in enumerate(processes, 1):
        ended_ns = STARTED_NS + int(each.at * SECOND)
        writer.end_process(ProcessEnd(number, ended_ns, each.code, None, False))
    writer.add_events([failed(1, "/bin/x")])
    writer.finish(exit_code=127)
    with open_session(writer.path) as session:
        (end,) = session.why().ends

    assert [failure.data["file"] for failure in end.failures] == ["/bin/x"]


def test_nothing_is_why_if_nothing_failed(tmp_path: Path) -> None:
    why = ask(tmp_path, [Ended(0, "sh", 0, 1), Ended(1, "ls", 0, 1)])

    assert (why.ends, why.others, why.processes) == ((), 0, 2)
