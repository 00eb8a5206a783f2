"""Which failures of a process may be why it ended badly, and in which order."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scopetrace.model.event import Event
from scopetrace.query.failures import ProcessEvents, last_calls, last_events
from scopetrace.query.last_output import LastOutput
from scopetrace.query.path_classes import PathClasses
from support.session_builder import STARTED_NS, event, image, record

CLASSES = PathClasses({"loader": [r"\.so$"], "system": ["^/dev/"]})


def failed(file: str, error: str = "ENOENT", kind: str = "open_close", **data: Any) -> Event:
    data = {"op": "openat", "class": kind, "file": file, "error": error, **data}
    return event("fs.error", **data)


def opened(file: str) -> Event:
    return event("fs.open", op="openat", file=file)


@contextmanager
def session(folder: Path, events: list[Event]) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(record(folder, events, [image(2, pid=71)]))
    try:
        yield db
    finally:
        db.close()


def events_of(db: sqlite3.Connection, images: list[int]) -> ProcessEvents:
    return ProcessEvents(db, images, last_events(db, images))


@pytest.fixture
def matters(tmp_path: Path):
    """Return what of the failures of a process matters: the files, the likeliest first."""

    def go(
        *events: Event,
        stderr: tuple[str, ...] = (),
        programs: tuple[str, ...] = (),
        own: bool = True,
        command: str = "",
    ):
        words = LastOutput(stderr, own)
        with session(tmp_path, list(events)) as db:
            found = events_of(db, [1]).failures(CLASSES, words, set(programs), command)
        return [each.data.get("file") or each.data.get("op") for each in found]

    return go


def test_the_last_failure_comes_first(matters) -> None:
    assert matters(failed("/a"), failed("/b"), failed("/c"), failed("/d")) == ["/d", "/c", "/b"]


def test_a_refusal_is_likelier_than_what_is_not_there(matters) -> None:
    assert matters(failed("/a", "EACCES"), failed("/b")) == ["/a"]
    assert matters(failed("/a", "EEXIST", "mkdir"), failed("/b")) == ["/b", "/a"]


def test_what_stderr_names_comes_first_and_hides_the_rest(matters) -> None:
    events = [failed("/etc/app.conf"), failed("/x", "EACCES"), failed("/y")]

    assert matters(*events, stderr=("no /etc/app.conf",)) == ["/etc/app.conf"]
    assert matters(*events, stderr=("app.conf: missing",)) == ["/etc/app.conf"]
    assert matters(*events, stderr=("app.confused",)) == ["/x"]


def test_where_stderr_names_nothing_it_is_about_something_else(matters) -> None:
    events = [failed("/a"), failed("/usr/lib/libx.so", "EACCES")]

    assert matters(*events) == ["/a", "/usr/lib/libx.so"]
    assert matters(*events, stderr=("ValueError: 7",)) == []
    assert matters(*events, stderr=("x: Permission denied",)) == ["/usr/lib/libx.so"]


def test_a_file_of_the_command_line_without_its_folder_is_one(matters) -> None:
    """Stderr need not name it."""
    command, words = "get -o out/x URL", ("get: cannot write",)
    missed = failed("/w/out/x", file_passed="out/x", missing_folder="/w/out", kind="open_close")
    other = failed("/w/etc/x", file_passed="etc/x", missing_folder="/w/etc", kind="open_close")
    removed = failed("/w/out/x", file_passed="out/x", missing_folder="/w/out", kind="delete")

    assert matters(missed, stderr=words, command=command) == ["/w/out/x"]
    assert matters(other, removed, stderr=words, command=command) == []


@pytest.mark.parametrize("own", [True, False])
def test_what_is_not_there_to_be_deleted_is_one_if_it_is_named_or_in_silence(matters, own) -> None:
    removed = failed("/w/out.a", kind="delete")

    assert matters(removed, stderr=("it is broken",), own=own) == []
    assert matters(removed, stderr=("cannot remove out.a",), own=own) == ["/w/out.a"]
    assert matters(removed) == ["/w/out.a"]


@pytest.mark.parametrize(
    "made",
    [
        event("fs.rename", at=2, op="rename", file="/w/tmp", file_new="/w/a.rej"),
        event("fs.link", at=2, op="link", file="/w/a.rej", file_target="/w/y"),
        event("fs.mkdir", at=2, op="mkdir", file="/w/a.rej"),
    ],
)
def test_what_was_made_later_was_not_missed(matters, made: Event) -> None:
    missed = failed("/w/a.rej", kind="stat")

    assert matters(missed, stderr=("saved to a.rej",)) == ["/w/a.rej"]
    assert matters(missed, made, stderr=("saved to a.rej",)) == []


def test_where_the_last_line_has_another_error_it_is_about_something_else(matters) -> None:
    refused = failed("/a", "EPERM")

    assert matters(refused, stderr=("cannot start",)) == ["/a"]
    assert matters(refused, stderr=("cannot start: Permission denied",)) == ["/a"]
    assert matters(refused, stderr=("cannot connect: Host is down",)) == []


def test_a_question_about_what_the_command_line_does_not_name_is_none(matters) -> None:
    asked = failed("/home/.toolrc", kind="stat")

    assert matters(asked) == []
    assert matters(asked, command="test -f .toolrc") == ["/home/.toolrc"]
    assert matters(asked, stderr=("no .toolrc",)) == ["/home/.toolrc"]
    assert len(matters(asked, failed("/etc/.toolrc", kind="stat"))) == 1, "a search"


@pytest.mark.parametrize("file", ["/srv/data", "/dev/kvm"])
def test_a_question_after_which_nothing_was_done_is_one(matters, file: str) -> None:
    assert matters(opened("/script"), failed(file, kind="stat"), command="sh s.sh") == [file]


@pytest.mark.parametrize("file", ["/lib/a.so", "/home/ann/.config/git/ignore", "/home/ann/.gitrc"])
def test_the_last_question_is_none_if_what_runs_a_script_looks_for_it(matters, file: str) -> None:
    assert matters(failed(file, kind="stat"), command="/usr/bin/git check-ignore x") == []


def test_the_last_question_is_likelier_than_what_was_not_there_before(matters) -> None:
    events = [failed("/srv/package.json"), failed("/etc/app.json", kind="stat")]

    assert matters(*events, command="node a.js") == ["/etc/app.json", "/srv/package.json"]


def test_a_program_that_was_found_later_leaves_a_question_the_last_one(matters) -> None:
    events = [failed("/srv/data", kind="stat"), failed("/usr/local/bin/rm", kind="stat")]

    assert matters(*events, programs=("rm",), command="sh s.sh") == ["/srv/data"]
    assert matters(*events, command="sh s.sh") == ["/usr/local/bin/rm"]


def test_the_last_question_is_none_if_a_child_was_started_since(tmp_path: Path) -> None:
    with session(tmp_path, [failed("/srv/data", kind="stat")]) as db:
        ended = [
            events_of(db, [1]).failures(CLASSES, LastOutput(), set(), "sh s.sh", child_ns)
            for child_ns in (0, STARTED_NS * 2)
        ]

    assert [len(found) for found in ended] == [1, 0]


def test_a_file_whose_whole_path_was_said_is_no_part_of_a_search(tmp_path: Path) -> None:
    events = [failed(f"{folder}/pkg.json") for folder in ("/w", "/w/a", "/w/a/b")]
    words = LastOutput(("cannot open '/w/a/pkg.json'",))
    with session(tmp_path, events) as db:
        found = events_of(db, [1]).failures(CLASSES, words, set(), "")

    assert [(each.data["file"], each.folders) for each in found] == [("/w/a/pkg.json", 1)]


def test_where_another_process_wrote_what_is_not_there_may_be_why(matters) -> None:
    assert matters(failed("/a"), stderr=("step 2 failed",), own=False) == ["/a"]
    assert matters(failed("/a"), failed("/b"), stderr=("no /a",), own=False) == ["/a"]


def test_source_text_that_is_in_no_file_is_none_that_is_missing(matters) -> None:
    assert matters(failed("/w/<string>"), stderr=('File "<string>", line 1',)) == []


def test_a_library_that_is_missing_is_no_file_of_the_name_on_the_command_line(matters) -> None:
    events = [failed("/usr/lib/libm2.a"), failed("/w/-lm2", kind="link")]

    assert matters(*events, stderr=("ld: cannot find -lm2",)) == ["/usr/lib/libm2.a"]


def test_a_name_that_does_not_exist_is_one_unless_the_host_is_found(matters) -> None:
    def answer(domain: str, rcode: str) -> Event:
        return event("dns.resp", domain=domain, type="A", rcode=rcode)

    assert matters(answer("db.local", "NXDOMAIN"), answer("db", "NOERROR")) == []
    assert len(matters(answer("x", "NOERROR"), answer("db", "NXDOMAIN"))) == 1


def test_the_words_of_the_error_in_the_same_line_decide(matters) -> None:
    events = [failed("/p/tool", kind="exec"), failed("/w/all", kind="stat")]
    stderr = ("make: tool: No such file or directory", "make: *** [Makefile:2: all] Error 127")

    assert matters(*events, stderr=stderr) == ["/p/tool"]


def test_what_was_found_elsewhere_is_no_failure(matters) -> None:
    search = [failed("/home/app.conf"), opened("/etc/app.conf")]

    assert matters(*search) == []
    assert matters(*reversed(search)) == ["/home/app.conf"], "it was looked for once more"
    refused = failed("/root/bin/tool", "EACCES", "stat", refused_by="/root")
    assert matters(refused, programs=("tool",)) == []


def test_start_up_noise_is_none_unless_stderr_names_it(matters) -> None:
    library = failed("/usr/lib/libx.so")

    assert matters(library) == []
    assert matters(library, stderr=("libx.so: cannot open shared object file",)) == [
        "/usr/lib/libx.so"
    ]


def test_a_terminal_that_is_not_there_is_none_unless_stderr_names_it(matters) -> None:
    terminal = failed("/dev/tty", "ENXIO")

    assert matters(terminal) == []
    assert matters(terminal, stderr=("could not open /dev/tty",)) == ["/dev/tty"]


@pytest.mark.parametrize("error", ["EINTR", "EINPROGRESS", "ENOTTY", "EAGAIN"])
def test_errors_that_say_how_things_stand_are_no_failures(error, matters) -> None:
    assert matters(failed("/x", error, "read_write")) == []


def test_a_lock_that_another_holds_is_one(matters) -> None:
    assert matters(failed("/x", "EAGAIN", "lock")) == ["/x"]


def test_a_fork_that_reached_a_limit_is_one(matters) -> None:
    fork = event("proc.error", op="fork", error="EAGAIN", what="process")

    assert matters(fork) == ["fork"]


def test_a_search_is_one_failure_with_its_folders(tmp_path: Path) -> None:
    events = [
        failed("/bin/tool", kind="stat"),
        failed("/root/bin/tool", "EACCES", "stat", refused_by="/root"),
        failed("/nowhere/tool", kind="stat", missing_folder="/nowhere"),
        failed("/usr/bin/tool", kind="stat"),
        failed("/usr/bin/tool", kind="stat"),
        failed("/root/other", "EACCES", "stat", refused_by="/root/other"),
    ]
    with session(tmp_path, events) as db:
        found = events_of(db, [1]).failures(CLASSES, LastOutput(("tool: not found",)), set(), "")

    assert [(each.event, each.times, each.folders, each.named) for each in found] == [
        (5, 5, 4, True)
    ]
    assert found[0].worded


def test_failures_of_other_processes_do_not_count(tmp_path: Path) -> None:
    other = failed("/x")._replace(process=2)
    with session(tmp_path, [other]) as db:
        assert events_of(db, [1]).failures(CLASSES, LastOutput(), set(), "") == ()
        assert len(events_of(db, [1, 2]).failures(CLASSES, LastOutput(), set(), "")) == 1


def test_the_last_calls_are_those_that_did_something(tmp_path: Path) -> None:
    events = [
        opened("/a"),
        opened("/b"),
        event("fs.close", op="close", file="/b"),
        failed("/c"),
        event("proc.signal", signal="SIGSEGV"),
        event("stdout", message="x\n"),
    ]
    with session(tmp_path, events) as db:
        found = [(each.event, each.source) for each in last_calls(db, [1], 0, CLASSES)]

    assert found == [(2, "fs.open"), (4, "fs.error"), (6, "stdout")]


def test_start_up_and_searches_are_not_among_the_last_calls(tmp_path: Path) -> None:
    events = [
        opened("/a"),
        opened("/usr/lib/libx.so"),
        failed("/usr/bin/tool", kind="exec"),
        failed("/b", "EACCES", kind="stat"),
    ]
    with session(tmp_path, events) as db:
        assert [each.event for each in last_calls(db, [1], 0, CLASSES)] == [1, 4]


def answered(target: str, status: int, side: str = "client") -> Event:
    facts = {"http_method": "GET", "http_target": target, f"http_{side}_duration": 1}
    return event("http.resp", http_status_code=status, **facts)


def test_an_answer_that_says_no_is_a_failure_unless_it_was_given_later(tmp_path: Path) -> None:
    events = [answered("/x", 503), answered("/x", 200), answered("/y", 404), answered("/z", 302)]
    with session(tmp_path, events) as db:
        found = events_of(db, [1]).failures(CLASSES, LastOutput(), set(), "")

    assert [(each.event, each.data["error"], each.sure) for each in found] == [(3, "404", False)]


def test_an_answer_that_a_server_gave_is_no_failure_of_the_server(tmp_path: Path) -> None:
    with session(tmp_path, [answered("/x", 500, "server")]) as db:
        assert events_of(db, [1]).failures(CLASSES, LastOutput(), set(), "") == ()


def test_an_answer_that_stderr_names_is_the_reason(tmp_path: Path) -> None:
    words = LastOutput(("curl: (22) The requested URL returned error: 404",))
    with session(tmp_path, [failed("/a", "EACCES"), answered("/x", 404)]) as db:
        (found,) = events_of(db, [1]).failures(CLASSES, words, set(), "")

    assert (found.event, found.sure) == (2, True)


def test_a_failure_as_json_has_it(tmp_path):
    twice = [failed("/etc/app.conf")._replace(time_ns=STARTED_NS + ms * 10**6) for ms in (250, 750)]
    with session(tmp_path, twice) as db:
        words = LastOutput(("cannot read /etc/app.conf",))
        (found,) = events_of(db, [1]).failures(CLASSES, words, set(), "")

    assert found.body() == {
        "event": 2, "_time": STARTED_NS // 10**9 + 0.75, "source": "fs.error", "times": 2,
        "folders": 1, "named": True, "worded": True, "data": twice[0].data,
    }  # fmt: skip
