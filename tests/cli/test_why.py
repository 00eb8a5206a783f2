"""`scopetrace why`."""

from __future__ import annotations

import json

import pytest

from scopetrace.model.process import ProcessEnd
from scopetrace.output import why as output

STARTED_NS = 1_783_822_275_000_000_000

LONG = "/var/lib/some/application/with/a/deep/folder/" + "x" * 60
REFUSED = {
    "op": "openat", "class": "open_close", "file": LONG, "error": "EACCES", "refused_by": LONG,
    "refused_user": "root", "refused_group": "adm", "refused_mode": 640, "needs": "write",
    "asked_uid": 1000,
}  # fmt: skip


@pytest.fixture
def failed(recorder):
    """A session of one process that may not write its log."""
    writer = recorder.start()
    writer.add_events(
        [
            recorder.event("fs.error", **REFUSED),
            recorder.event("stderr", "console", message=f"cannot open {LONG}: \x1b[1mno\x1b[2J\n"),
        ]
    )
    writer.end_process(ProcessEnd(1, 1_783_822_276_000_000_000, 3, None, False))
    writer.finish(exit_code=3)


def test_the_reason_and_what_supports_it(failed, scopetrace):
    status, out, err = scopetrace("why")

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"python3[70] exit 3 ← open {LONG}: EACCES, uid 1000 may not write (root:adm 0640)",
        f"  stderr  cannot open {LONG}: no\\x1b[2J",
        "  command python3 log.py",
        "  event   scopetrace events 1",
    ]


def test_on_a_terminal_the_reason_is_red(failed, scopetrace, monkeypatch):
    monkeypatch.setattr("scopetrace.output.color.wants_color", lambda choice, stream: True)
    out = scopetrace("why")[1]

    assert out.startswith("\x1b[91mpython3[70] exit 3 ")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width, failed, scopetrace, monkeypatch):
    monkeypatch.setattr("scopetrace.output.width.terminal_columns", lambda stream: width)
    _, out, _ = scopetrace("why")

    assert max(map(len, out.splitlines())) <= width
    assert "".join(line.strip() for line in out.splitlines()).count(LONG[:30]) == 2


@pytest.mark.parametrize("arguments", [("1", "-j"), ("--id", "1", "--format", "json")])
def test_json_has_the_same_facts(arguments, failed, scopetrace):
    _, out, _ = scopetrace("why", *arguments)
    body = json.loads(out)

    assert list(body) == list(output.FIELDS)
    assert (body["pid"], body["status"]) == (70, "exit 3")
    assert body["failures"][0]["data"] == REFUSED
    assert body["failures"][0]["named"] is True


@pytest.mark.parametrize("form", ["csv", "md"])
def test_tables_have_a_row_for_each_process(form, failed, scopetrace):
    _, out, _ = scopetrace("why", "--format", form)

    assert "pid" in out.splitlines()[0]
    assert "exit 3" in out.splitlines()[-1]


def test_a_session_is_named_once(failed, scopetrace):
    status, _, err = scopetrace("why", "1", "--id", "1")

    assert status == 2
    assert err == "scopetrace: a session can be named once: as an argument or by --id\n"


def test_a_program_that_succeeded_has_no_reason(recorder, scopetrace):
    recorder.record(recorder.event("fs.error", **REFUSED))
    _, out, _ = scopetrace("why")

    assert out == "nothing failed: python3[70] ended with status 0\n"


@pytest.fixture
def ended(recorder, scopetrace):
    """Record two processes that ended so, the second a child of the first; return the answer."""

    def go(*events, first=0, second=1, signal=None):
        writer = recorder.start()
        writer.add_process(recorder.process(2, 71, "tool", parent=1))
        writer.add_events(events)
        writer.end_process(ProcessEnd(2, STARTED_NS, second, signal, False))
        if first is not None:
            writer.end_process(ProcessEnd(1, STARTED_NS, first, None, False))
            writer.finish(exit_code=first)
        return scopetrace("why")[1].splitlines()

    return go


def test_a_program_that_succeeded_though_others_failed(recorder, ended):
    assert ended() == [
        "python3[70] ended with status 0; 1 process ended badly, for reasons not known:"
        " scopetrace tree --failed"
    ]
    complaint = recorder.event("stderr", "console", process=2, message="it broke\n")
    assert ended(complaint)[:3] == [
        "python3[70] ended with status 0; of the processes that it started these ended badly:",
        "",
        "tool[71] exit 1 ← stderr: it broke",
    ]


def test_what_is_only_looked_for_is_perhaps_the_reason(recorder, ended):
    missed = recorder.event("fs.error", process=2, op="openat", file="/x", error="ENOENT")

    assert "tool[71] exit 1 ← perhaps open /x: ENOENT, it is not there" in ended(missed)


def test_a_signal_that_the_process_sent_itself(recorder, ended):
    sent = {"signal": "SIGABRT", "code": "SI_TKILL", "sender_pid": 71}
    event = recorder.event("proc.signal", "process", process=2, **sent)

    assert "tool[71] SIGABRT ← it sent the signal to itself" in ended(event, second=None, signal=6)


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("SIGPIPE", 13, "it wrote to a pipe or connection that has no reader any more"),
        ("SIGXFSZ", 25, "it wrote beyond RLIMIT_FSIZE"),
    ],
)
def test_a_signal_that_the_kernel_sent_in_the_name_of_the_process(
    name, number, text, recorder, scopetrace
):
    writer = recorder.start()
    sent = {"signal": name, "code": "SI_USER", "sender_pid": 70}
    writer.add_events(
        [
            recorder.event("stderr", "console", message="bye\n"),
            recorder.event("proc.signal", "process", **sent),
        ]
    )
    writer.end_process(ProcessEnd(1, STARTED_NS, None, number, False))
    writer.finish(signal=number)

    shown = f"python3[70] {name} ← it sent the signal to itself or {text}"
    assert scopetrace("why")[1].splitlines()[0] == shown


def test_who_killed_a_process_is_not_recorded(ended):
    text = "its sender is not recorded: a process, or the kernel (memory or RLIMIT_CPU used up)"

    assert f"tool[71] SIGKILL ← {text}" in ended(second=None, signal=9)


def test_who_killed_a_process_if_it_was_another_one_of_the_session(recorder, ended):
    sent = {"op": "kill", "what": "SIGKILL to 71", "target_pid": 71}
    kill = recorder.event("proc.kill", "process", **sent)

    assert "tool[71] SIGKILL ← sent by python3[70]" in ended(kill, second=None, signal=9)


def test_a_complaint_on_stdout_is_shown_if_there_is_none_on_stderr(recorder, ended):
    complaint = recorder.event("stdout", "console", process=2, message="on it\nERROR: it broke\n")

    lines = ended(complaint)

    assert "tool[71] exit 1 ← stdout: ERROR: it broke" in lines
    assert "  stdout  on it" in lines


def test_a_complaint_in_a_log_is_shown_if_there_is_none_on_the_console(recorder, ended):
    complaint = recorder.event("/a.log", "file", process=2, message="on it\nERROR: it broke\n")

    lines = ended(complaint)

    assert "tool[71] exit 1 ← log: ERROR: it broke" in lines
    assert "  log     on it" in lines


def test_the_only_line_is_shown_once(recorder, ended):
    lines = ended(recorder.event("stderr", "console", process=2, message="ERROR: it broke\n"))

    assert "tool[71] exit 1 ← stderr: ERROR: it broke" in lines
    assert not any(line.startswith("  stderr") for line in lines)


def test_that_a_reader_has_gone_is_no_reason_by_itself(recorder, ended):
    gone = recorder.event("fs.error", process=2, op="write", file="pipe:[1]", error="EPIPE")

    assert "tool[71] SIGPIPE" not in " ".join(ended(gone, second=None, signal=13))


def test_a_signal_of_another_process_counts_more_than_what_was_only_looked_for(recorder, ended):
    missed = recorder.event("fs.error", process=2, op="openat", file="/x", error="ENOENT")
    sent = {"signal": "SIGTERM", "code": "SI_USER", "sender_pid": 70}
    signal = recorder.event("proc.signal", "process", process=2, **sent)

    lines = ended(missed, signal, second=None, signal=15)

    assert "tool[71] SIGTERM ← sent by python3[70]" in lines
    assert "  also    open /x: ENOENT, it is not there" in lines


def test_a_signal_of_another_process_counts_more_than_what_failed_without_a_word(recorder, ended):
    failed = recorder.event("net.error", "net", process=2, op="shutdown", error="ENOTCONN")
    sent = {"signal": "SIGTERM", "code": "SI_USER", "sender_pid": 70}
    signal = recorder.event("proc.signal", "process", process=2, **sent)

    lines = ended(failed, signal, second=None, signal=15)

    assert "tool[71] SIGTERM ← sent by python3[70]" in lines


def test_a_status_of_a_shell_without_a_word(ended):
    assert ended(first=127, second=0)[0] == "python3[70] exit 127 ← command not found"


def test_a_process_of_a_session_that_goes_on(ended):
    assert ended(first=None, second=0) == [
        "python3[70] has not ended, and no process has failed so far"
    ]


def test_a_session_that_was_stopped_before_the_program_ended(recorder, scopetrace):
    recorder.start().finish("stopped")

    assert scopetrace("why")[1] == (
        "the end of python3[70] is not recorded: the recording was stopped,"
        " and no process has failed so far\n"
    )


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            {"code": "SEGV_MAPERR", "address": "0x0"},
            "SEGV_MAPERR at 0x0",
        ),
        ({"code": "SI_USER", "sender_pid": 99}, "sent by process 99"),
        ({"code": "SI_USER", "sender_pid": 70}, "sent by python3[70]"),
        ({"code": "SI_USER", "sender_pid": 71}, "it sent the signal to itself"),
    ],
)
def test_where_a_fault_was_or_who_sent_a_signal(recorder, ended, facts, text):
    event = recorder.event("proc.signal", "process", process=2, signal="SIGSEGV", **facts)

    assert f"tool[71] SIGSEGV ← {text}" in ended(event, second=None, signal=11)


def test_a_signal_of_which_nothing_is_known_is_a_status(ended):
    assert "tool[71] SIGSEGV" in [line.rstrip() for line in ended(second=None, signal=11)]


def test_a_signal_supports_a_reason_that_is_another(recorder, ended):
    sent = {"signal": "SIGABRT", "code": "SI_TKILL", "sender_pid": 71}
    signal = recorder.event("proc.signal", "process", process=2, **sent)
    missed = recorder.event("fs.error", process=2, op="openat", file="/x", error="ENOENT")
    named = recorder.event("stderr", "console", process=2, message="/x: No such file\n")

    lines = ended(missed, named, signal, second=None, signal=6)
    assert "tool[71] SIGABRT ← open /x: ENOENT, it is not there" in lines
    assert "  signal  it sent the signal to itself" in lines
    assert not any(line.split()[:1] == ["signal"] for line in ended(missed, named))
