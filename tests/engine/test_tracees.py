"""Each tracee makes a few calls and prints the events that these must cause: the session has them.

Every tracee is first run untraced: output and status must be the same when it is recorded.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

import scopetrace
from support.harness import Compile, Recording, Stage, assert_holds, session_files
from support.users import one_user

NO_RIGHTS = "these calls need no rights, neither of the program nor of the recorder"


class Case(NamedTuple):
    """How a tracee is run and compared."""

    name: str
    arguments: tuple[str, ...] = ()
    ordered: bool = True
    """Its events are recorded in the order in which it prints them."""
    uncounted: tuple[str, ...] = ()
    """Files that it uses until it is killed, so their events are not counted. For all others it
    prints every event of the sources that it prints any of."""
    rights: bool = False
    """What it may do, or what of it the recorder may read, depends on rights."""


CASES = [
    Case("opens", rights=True),
    Case("relative"),
    Case("paths"),
    Case("renamed"),
    Case("dups"),
    Case("children", ordered=False),
    Case("untraced", ordered=False, rights=True),
    Case("thread_exec", uncounted=("before",)),  # its threads open it until they are killed
    Case("zombie_leader"),
    Case("exit_storm"),
    Case("signals", ordered=False),
    Case("fatal_signal"),
    Case("group_stop"),
    Case("group_stop", ("100",)),
    Case("restarts", ordered=False),
    Case("int80"),
    Case("plain"),
    Case("undumpable", rights=True),
    Case("hidden_child", rights=True),
    Case("own_filter", rights=True),
    Case("own_filter", ("by-seccomp",), rights=True),
    Case("filtered", ordered=False, rights=True),
    Case("supervised", ordered=False, rights=True),
    Case("page_edge", ordered=False),
    Case("vectors"),
    Case("no_buffers"),
    Case("big_write"),
    Case("positions"),
    Case("sendfile"),
    Case("tmpfile"),
    Case("odd_names"),
    Case("threads", ordered=False),
    Case("turns"),
    Case("processes"),
    Case("names", rights=True),
    Case("execs", rights=True),
    Case("unshared"),
    Case("passed_fd", ordered=False, rights=True),
    Case("passed_fd", ("with-credentials",), ordered=False, rights=True),
    Case("close_range"),
    Case("unshared_at_exit", ordered=False),
    Case("thread_exec_link"),
    Case("longjmp"),
    Case("longjmp", ("from-above",)),
    Case("alternate_stack", ordered=False),
    Case("core", ordered=False, rights=True),
    Case("cloexec_after_fork", ordered=False),
    Case("inherited", ordered=False),
    Case("mapped"),
    Case("killed"),
    Case("refused", rights=True),
    Case("retried"),
    Case("aio", rights=True),
    Case("uring_files", rights=True),
    Case("uring_sockets", ordered=False, rights=True),
    Case("uring_tables", ordered=False, rights=True),
    Case("uring_names", ordered=False, rights=True),
    Case("uring_later", ordered=False, rights=True),
]


def play(case: Case, stage: Stage, program: object, config: str | None = None) -> Recording:
    """Record a tracee and compare its session with the events that it printed."""
    recording = stage.compare([str(program), *case.arguments], config=config)
    assert recording.ending.status != 99, recording.ending.stderr
    assert_holds(
        recording,
        recording.expected(),
        folder=stage.work,
        ordered=case.ordered,
        uncounted=case.uncounted,
    )
    return recording


def cases(rights: bool) -> pytest.MarkDecorator:
    chosen = [case for case in CASES if case.rights == rights]
    return pytest.mark.parametrize(
        "case", chosen, ids=lambda case: "-".join([case.name, *case.arguments])
    )


@cases(rights=True)
def test_the_session_has_the_events_that_the_tracee_expects(
    case: Case, stage: Stage, compile_tracee: Compile
) -> None:
    play(case, stage, compile_tracee(case.name))


@one_user(NO_RIGHTS)
@cases(rights=False)
def test_the_session_has_the_events_of_a_tracee_that_needs_no_rights(
    case: Case, stage: Stage, compile_tracee: Compile
) -> None:
    play(case, stage, compile_tracee(case.name))


@one_user(NO_RIGHTS)
@pytest.mark.parametrize(
    ("compiler", "flags"),
    [("gcc", ("-m32",)), ("gcc", ("-static",)), ("musl-gcc", ("-static",))],
    ids=["32-bit", "static", "musl"],
)
def test_32_bit_static_and_musl_programs_are_recorded(
    compiler: str, flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    play(Case("plain"), stage, compile_tracee("plain", *flags, compiler=compiler))


@one_user(NO_RIGHTS)
@pytest.mark.parametrize("name", ["paths", "renamed"])
def test_a_32_bit_programs_files_are_named_as_well(
    name: str, stage: Stage, compile_tracee: Compile
) -> None:
    play(Case(name), stage, compile_tracee(name, "-m32"))


def test_proc_self_is_recorded_with_the_pid(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.record([compile_tracee("paths")])

    absent = f"/proc/{recording.info.pid}/absent"
    errors = [event.data["file_passed"] for event in recording.of("fs.error", file=absent)]
    assert errors == ["/proc/self/absent", "me/absent"]


@one_user(NO_RIGHTS)
@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["64-bit", "32-bit"])
def test_text_written_by_native_aio_is_recorded(
    flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    recording = play(Case("aio"), stage, compile_tracee("aio", *flags))

    lines = "a first line\na second line\na third in pieces\n" + 24 * "and again\n"
    assert recording.messages(str(stage.work / "aio.log")) == lines
    assert recording.of("notice") == []


@one_user(NO_RIGHTS)
@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["64-bit", "32-bit"])
def test_text_written_through_io_uring_is_recorded(
    flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    recording = play(Case("uring_files"), stage, compile_tracee("uring_files", *flags))

    lines = "a first line\na second line\na third in pieces\n" + 24 * "and again\n"
    assert recording.messages(str(stage.work / "ring.log")) == lines
    assert recording.of("notice") == []


@one_user(NO_RIGHTS)
def test_metrics_name_the_call_that_transferred_the_bytes(
    stage: Stage, compile_tracee: Compile
) -> None:
    stage.record([compile_tracee("sendfile")], config="metric: {format: {verbosity: 5}}")

    (path,) = session_files(stage.home)
    with scopetrace.open_session(path) as session:
        transferred = list(session.metrics(("fs.read", "fs.write")))
    found = {
        (m.name, m.tags["op"], Path(m.tags["file"]).name): m.value
        for m in transferred
        if m.tags["file"].startswith(str(stage.work))
    }
    assert found == {
        ("fs.write", "write", "from"): 10000,
        ("fs.read", "sendfile", "from"): 4000,
        ("fs.write", "sendfile", "to"): 4000,
        ("fs.read", "copy_file_range", "from"): 3000,
        ("fs.write", "copy_file_range", "to"): 3000,
        ("fs.read", "splice", "from"): 2000,
        ("fs.write", "splice", "to"): 2000,
    }


def test_failures_of_a_32_bit_program_are_recorded(stage: Stage, compile_tracee: Compile) -> None:
    play(Case("refused"), stage, compile_tracee("refused", "-m32"))


@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["64-bit", "32-bit"])
def test_failures_of_frequent_calls_are_recorded_if_configured(
    flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    program = compile_tracee("refused", *flags)

    recording = play(Case("refused", ("all",)), stage, program, "scopetrace: {failures: all}")

    assert {"brk", "mprotect", "munmap"} <= {e.data["op"] for e in recording.of("proc.error")}


@one_user(NO_RIGHTS)
def test_failures_are_not_recorded_if_they_are_switched_off(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("refused")], config="scopetrace: {failures: none}")

    failed = {event.data["op"] for event in recording.of("proc.error")}
    assert {"setuid", "clone"} <= failed, "they are watched anyway"
    assert not failed & {"kill", "mount", "mmap", "timerfd_create"}
    assert "flock" not in {event.data["op"] for event in recording.of("fs.error")}


@one_user(NO_RIGHTS)
def test_text_has_the_name_of_its_file_at_the_time_of_the_write(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("renamed")])

    texts: dict[str, str] = {}
    for event in recording.of("file"):
        name = Path(event.source).name
        texts[name] = texts.get(name, "") + event.data["message"]
    assert texts == {
        "job.log": "late\n",
        "app.log": "before\n",
        "app.log.1": "after\n",
        "app.log.2": "again\n",
        "copied.log": "original\n",
        "copied.log.1": "copy\n",
        "copied.log.2": "child's copy\n",
        "given.log": "named\n",
        "taken.log": "renamed\n",
    }
    assert recording.of("notice") == []


@one_user(NO_RIGHTS)
def test_a_call_that_a_fatal_signal_prevents_is_not_recorded_as_refused(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("filtered_end"), "100"])

    assert recording.ending.status == 0
    assert len(recording.of("proc.exit")) == 101
    assert recording.of("fs.error", file=str(stage.work / "many.out")) == []


@one_user(NO_RIGHTS)
def test_lines_written_before_a_kill_are_recorded(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.record([compile_tracee("killed")])

    assert recording.ending.status == -9
    log = recording.messages(str(stage.work / "app.log"))
    assert log.splitlines() == [f"line {number}" for number in range(20)]
    (end,) = recording.of("proc.exit")
    assert end.data["signal"] == "SIGKILL"


@one_user(NO_RIGHTS)
def test_each_of_many_forks_at_once_has_its_start_and_exit(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("exit_storm"), "300"])

    assert len(recording.of("proc.fork")) == 600
    assert len(recording.of("proc.exit")) == 601
    children = {event.data["child_pid"] for event in recording.of("proc.fork")}
    assert children == {event.pid for event in recording.of("proc.exit")} - {recording.info.pid}


@one_user(NO_RIGHTS)
def test_each_of_many_processes_in_a_row_has_its_exit(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("processes"), "2000"])

    assert len(recording.of("proc.exit")) == 2001
    assert len(recording.of("fs.open", file=str(stage.work / "visited"))) == 200
    codes = sorted(event.data["exit_code"] for event in recording.of("proc.exit"))
    assert codes == sorted([0, *(number % 200 for number in range(2000))])


@one_user(NO_RIGHTS)
def test_a_large_write_is_counted_whole_and_copied_in_part(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("big_write")])

    log = str(stage.work / "big.log")
    (closed,) = recording.of("fs.close", file=log)
    assert closed.data["file_write_bytes"] == (3 << 20) + 8
    assert recording.messages(log).startswith("a" * 63 + "\n" + "b" * 63)
    first, second, end = (event.data for event in recording.of(log))
    assert (first["piece"], second["piece"], second["pieces"]) == (1, 2, 2)
    assert second["missing"] == (3 << 20) - 65536
    assert end == {"message": "the end\n"}


@one_user(NO_RIGHTS)
def test_a_writev_is_one_text(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.record([compile_tracee("vectors")])

    lines = recording.messages(str(stage.work / "many.log")).splitlines()
    assert lines[0].rstrip("\0").startswith("000\0") or lines[0].startswith("000")


@one_user(NO_RIGHTS)
def test_the_console_is_the_file_of_the_fds_at_the_start_not_their_numbers(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare([compile_tracee("console")])

    stdout, stderr = recording.messages("stdout"), recording.messages("stderr")
    assert stdout.startswith("one\ntwo\nthree\n")
    assert "into the file" not in stdout
    assert stderr.splitlines() == ["to stderr", "also stderr"]
    assert stdout.endswith("bi\0na\udcff\udcfery\n")


@one_user(NO_RIGHTS)
def test_the_time_of_a_blocked_write_is_part_of_io_duration(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare([compile_tracee("blocked_write")])

    closed = {
        e.data["file_write_bytes"]: e.data
        for e in recording.of("fs.close")
        if e.data["file"] == str(stage.work / "fifo")
    }
    written = closed.pop(max(closed))
    assert 25_000 < written["io_duration"] <= written["duration"]


@one_user(NO_RIGHTS)
def test_a_failed_exec_is_an_error_and_a_new_program_keeps_its_pid(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("execs")])

    errors = [e.data for e in recording.of("fs.error") if e.data["class"] == "exec"]
    assert [(e["file"], e["error"]) for e in errors] == [
        (str(stage.work / "absent"), "ENOENT"),
        (str(stage.work / "kept"), "EACCES"),
    ]
    assert [event.pid for event in recording.of("proc.start")] == [recording.info.pid] * 2
    (closed,) = recording.of("fs.close", file=str(stage.work / "closed"))
    assert closed.data["op"] == "execve"
    assert closed.data["file_write_bytes"] == 1
