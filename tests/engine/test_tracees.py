"""Each tracee does one thing and tells which events that must make; the session must hold them.

Every tracee is first run on its own: output and end must be the same when it is recorded.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

import scopetrace
from support.harness import Compile, Recording, Stage, assert_holds, session_files


class Case(NamedTuple):
    """How a tracee is run and compared."""

    name: str
    arguments: tuple[str, ...] = ()
    ordered: bool = True
    """Its events are recorded in the order they are told: it has one thread, or they take turns."""
    uncounted: tuple[str, ...] = ()
    """Files that it uses as often as it can, so that it cannot tell how often. Of all others it
    tells each event of the sources that it names."""


CASES = [
    Case("opens"),
    Case("relative"),
    Case("where"),
    Case("renamed"),
    Case("dups"),
    Case("children", ordered=False),
    Case("untraced", ordered=False),
    Case("thread_exec", uncounted=("before",)),  # its threads open it until they are killed
    Case("zombie_leader"),
    Case("exit_storm"),
    Case("signals", ordered=False),
    Case("fatal"),
    Case("group_stop"),
    Case("group_stop", ("100",)),
    Case("restarts", ordered=False),
    Case("int80"),
    Case("plain"),
    Case("undumpable"),
    Case("hidden_child"),
    Case("own_filter"),
    Case("own_filter", ("by-seccomp",)),
    Case("filtered", ordered=False),
    Case("supervised", ordered=False),
    Case("page_edge", ordered=False),
    Case("vectors"),
    Case("no_buffers"),
    Case("big_write"),
    Case("positions"),
    Case("moves"),
    Case("tmpfile"),
    Case("odd_names"),
    Case("threads", ordered=False),
    Case("processes"),
    Case("names"),
    Case("execs"),
    Case("unshared"),
    Case("passed", ordered=False),
    Case("passed", ("with-credentials",), ordered=False),
    Case("close_range"),
    Case("unshared_at_exit", ordered=False),
    Case("thread_exec_link"),
    Case("longjmp"),
    Case("longjmp", ("from-above",)),
    Case("alternate_stack", ordered=False),
    Case("core", ordered=False),
    Case("cloexec_after_fork", ordered=False),
    Case("inherited", ordered=False),
    Case("mapped"),
    Case("killed"),
    Case("refused"),
    Case("aio"),
    Case("uring_files"),
    Case("uring_sockets", ordered=False),
]


def play(
    case: Case, stage: Stage, program: object, config: str | None = None
) -> Recording:  # fmt: skip
    recording = stage.compare([str(program), *case.arguments], config=config)
    assert recording.ending.status != 99, recording.ending.stderr
    assert_holds(
        recording, recording.told(), folder=stage.work, ordered=case.ordered,
        uncounted=case.uncounted,
    )  # fmt: skip
    return recording


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join([case.name, *case.arguments]))
def test_the_session_holds_what_the_program_did(
    case: Case, stage: Stage, compile_tracee: Compile
) -> None:
    play(case, stage, compile_tracee(case.name))


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [("gcc", ("-m32",)), ("gcc", ("-static",)), ("musl-gcc", ("-static",))],
    ids=["32-bit", "static", "musl"],
)
def test_programs_of_every_kind_are_seen(
    compiler: str, flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    play(Case("plain"), stage, compile_tracee("plain", *flags, compiler=compiler))


@pytest.mark.parametrize("name", ["where", "renamed"])
def test_a_32_bit_programs_files_are_named_as_well(
    name: str, stage: Stage, compile_tracee: Compile
) -> None:
    play(Case(name), stage, compile_tracee(name, "-m32"))


def test_a_process_finds_itself_below_proc(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.record([compile_tracee("where")])

    absent = f"/proc/{recording.info.pid}/absent"
    errors = [event.data["file_passed"] for event in recording.of("fs.error", file=absent)]
    assert errors == ["/proc/self/absent", "me/absent"]


@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["64-bit", "32-bit"])
def test_what_native_aio_writes_is_text_like_any_other(
    flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    recording = play(Case("aio"), stage, compile_tracee("aio", *flags))

    lines = "a first line\na second line\na third in pieces\n" + 24 * "and again\n"
    assert recording.messages(str(stage.work / "aio.log")) == lines
    assert recording.of("notice") == []


@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["64-bit", "32-bit"])
def test_what_goes_through_io_uring_is_told_like_any_other(
    flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    recording = play(Case("uring_files"), stage, compile_tracee("uring_files", *flags))

    lines = "a first line\na second line\na third in pieces\n" + 24 * "and again\n"
    assert recording.messages(str(stage.work / "ring.log")) == lines
    assert recording.of("notice") == []


def test_metrics_name_the_call_that_moved_the_bytes(stage: Stage, compile_tracee: Compile) -> None:
    stage.record([compile_tracee("moves")], config="metric: {format: {verbosity: 5}}")

    (path,) = session_files(stage.home)
    with scopetrace.open_session(path) as session:
        moved = list(session.metrics(("fs.read", "fs.write")))
    found = {
        (m.name, m.tags["op"], Path(m.tags["file"]).name): m.value
        for m in moved
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


def test_a_32_bit_programs_failures_are_told_as_well(stage: Stage, compile_tracee: Compile) -> None:
    play(Case("refused"), stage, compile_tracee("refused", "-m32"))


@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["64-bit", "32-bit"])
def test_failures_of_frequent_calls_are_told_where_that_is_asked_for(
    flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    program = compile_tracee("refused", *flags)

    recording = play(Case("refused", ("all",)), stage, program, "scopetrace: {failures: all}")

    assert {"brk", "mprotect", "munmap"} <= {e.data["op"] for e in recording.of("proc.error")}


def test_nothing_stops_for_its_failures_where_that_is_not_wanted(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("refused")], config="scopetrace: {failures: none}")

    told = {event.data["op"] for event in recording.of("proc.error")}
    assert "setuid" in told, "it is watched anyway"
    assert not told & {"kill", "mount", "mmap", "clone", "timerfd_create"}
    assert "flock" not in {event.data["op"] for event in recording.of("fs.error")}


def test_text_is_that_of_the_name_the_file_has_when_it_is_written(
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
        "given.log": "named\n",
        "taken.log": "renamed\n",
    }
    assert recording.of("notice") == []


def test_what_a_signal_forestalls_was_refused_by_no_filter(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("filtered_end"), "100"])

    assert recording.ending.status == 0
    assert len(recording.of("proc.exit")) == 101
    assert recording.of("fs.error", file=str(stage.work / "many.out")) == []


def test_a_killed_program_leaves_the_lines_it_wrote(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.record([compile_tracee("killed")])

    assert recording.ending.status == -9
    log = recording.messages(str(stage.work / "app.log"))
    assert log.splitlines() == [f"line {number}" for number in range(20)]
    (end,) = recording.of("proc.exit")
    assert end.data["signal"] == "SIGKILL"


def test_every_process_of_a_storm_is_seen_to_begin_and_end(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("exit_storm"), "300"])

    assert len(recording.of("proc.fork")) == 600
    assert len(recording.of("proc.exit")) == 601
    children = {event.data["child_pid"] for event in recording.of("proc.fork")}
    assert children == {event.pid for event in recording.of("proc.exit")} - {recording.info.pid}


def test_processes_one_after_another_all_have_their_end(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.record([compile_tracee("processes"), "2000"])

    assert len(recording.of("proc.exit")) == 2001
    assert len(recording.of("fs.open", file=str(stage.work / "visited"))) == 200
    codes = sorted(event.data["exit_code"] for event in recording.of("proc.exit"))
    assert codes == sorted([0, *(number % 200 for number in range(2000))])


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


def test_a_gathered_write_is_one_text(stage: Stage, compile_tracee: Compile) -> None:
    recording = stage.record([compile_tracee("vectors")])

    lines = recording.messages(str(stage.work / "many.log")).splitlines()
    assert lines[0].rstrip("\0").startswith("000\0") or lines[0].startswith("000")


def test_the_console_is_what_the_fds_were_not_their_numbers(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare([compile_tracee("console")])

    stdout, stderr = recording.messages("stdout"), recording.messages("stderr")
    assert stdout.startswith("one\ntwo\nthree\n")
    assert "into the file" not in stdout
    assert stderr.splitlines() == ["to stderr", "also stderr"]
    assert stdout.endswith("bi\0na\udcff\udcfery\n")


def test_the_time_of_a_write_that_waits_is_part_of_its_files_io(
    stage: Stage, compile_tracee: Compile
) -> None:
    recording = stage.compare([compile_tracee("blocked_write")])

    moved = {
        e.data["file_write_bytes"]: e.data
        for e in recording.of("fs.close")
        if e.data["file"] == str(stage.work / "fifo")
    }
    written = moved.pop(max(moved))
    assert 25_000 < written["io_duration"] <= written["duration"]


def test_a_failed_exec_is_an_error_and_a_new_program_keeps_its_number(
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
