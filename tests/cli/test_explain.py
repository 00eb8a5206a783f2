"""`scopetrace explain`."""

from __future__ import annotations

import json

import pytest

from support.packed_builder import call, record_calls, text
from support.session_builder import event, record


def test_a_call(scopetrace):
    status, out, err = scopetrace("explain", "openat")

    assert (status, err) == (0, "")
    assert out.startswith("call     ")
    assert "openat(" in out.splitlines()[0]
    assert "does     Opens a file as open does" in out
    assert "man 2 openat" in out


def test_a_call_without_a_text_has_its_prototype(scopetrace):
    status, out, err = scopetrace("explain", "mincore")

    assert (status, err) == (0, "")
    assert "mincore(" in out
    assert "does" not in out


@pytest.mark.parametrize("name", ["EACCES", "eacces"])
def test_an_error(scopetrace, name):
    status, out, err = scopetrace("explain", name)

    assert (status, err) == (0, "")
    assert out.startswith("error    EACCES (13): Permission denied\n")
    assert "\nlook at  " in out


def test_json(scopetrace):
    body = json.loads(scopetrace("explain", "ENOENT", "-j")[1])

    assert body["error"] == "ENOENT (2): No such file or directory"
    assert body.keys() == {"error", "means", "look at", "manual"}


def test_a_name_that_there_is_not_gets_the_nearest(scopetrace):
    status, out, err = scopetrace("explain", "openatt")

    assert (status, out) == (2, "")
    assert "no system call, error or flag is named openatt; did you mean openat" in err


def test_an_event_that_failed(scopetrace, home):
    record(home, [event("fs.error", op="openat", file="/etc/x", error="ENOENT")])

    status, out, err = scopetrace("explain", "1")

    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert "file:/etc/x" in lines[0]
    assert [line[:8].rstrip() for line in lines[1:] if line[0] != " "] == [
        "call",
        "does",
        "error",
        "means",
        "here",
        "look at",
    ]


def test_an_event_has_the_cause_that_was_found_when_it_failed(scopetrace, home):
    facts = {"op": "openat", "file": "/a/b/c", "error": "ENOENT", "missing_folder": "/a/b"}
    record(home, [event("fs.error", **facts)])

    out = scopetrace("explain", "1")[1]

    assert "here     there is no folder /a/b." in out


def test_an_event_that_is_about_no_call(scopetrace, home):
    record(home, [event("proc.exit", exit_code=0)])

    status, out, err = scopetrace("explain", "1")

    assert (status, out) == (2, "")
    assert "event 1 (proc.exit) is not about one system call" in err


CALLS = [
    call("openat", -100, 0x2000, 0o1101, 0o666, result=3, at=0.1, memory=[text(1, "a.log")]),
    call("close", 3, at=0.2),
]


def test_a_call_of_a_session(scopetrace, home):
    record_calls(home, CALLS)

    status, out, err = scopetrace("explain", "1")

    assert (status, err) == (0, "")
    words = " ".join(out.split())
    assert "Opened /home/ann/a.log for writing, as descriptor 3; it was created" in words
    assert "O_TRUNC: empty the file if it exists" in words
    assert "closed call 2: close(3) = 0" in words


def test_a_call_as_json(scopetrace, home):
    record_calls(home, CALLS)

    body = json.loads(scopetrace("explain", "2", "-j")[1])

    assert body["call"] == "close(3</home/ann/a.log>) = 0"
    assert body["related"][0]["number"] == 1


def test_a_call_that_there_is_not(scopetrace, home):
    record_calls(home, CALLS)

    status, out, err = scopetrace("explain", "9")

    assert (status, out) == (1, "")
    assert "has no system call 9; its calls are 1 to 2" in err


def test_an_event_where_calls_were_recorded_needs_its_option(scopetrace, home):
    record_calls(home, CALLS)

    assert "has no event 1" in scopetrace("explain", "--event", "1")[2]
    assert scopetrace("explain", "--event", "openat")[0] == 2


def test_a_flag_and_a_list_of_all(scopetrace):
    assert "create the file if it does not exist." in scopetrace("explain", "o_creat")[1]
    out = scopetrace("explain")[1]
    assert out.startswith("calls ") and "\nerrors " in out


@pytest.fixture
def man(monkeypatch, tmp_path):
    """A man(1) that writes down what it is asked for, and has no page about fork."""
    program = tmp_path / "bin" / "man"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$2" = fork ] && exit 16\necho "$2($1)" > page\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin")


@pytest.mark.parametrize(
    ("subject", "page"),
    [("openat", "openat(2)"), ("ENOENT", "errno(3)"), ("clock_gettime64", "clock_gettime(2)"),
     ("2", "close(2)")],
)  # fmt: skip
def test_the_manual_page_is_shown(scopetrace, home, man, tmp_path, subject, page):
    record_calls(home, CALLS)

    assert scopetrace("explain", "--man", subject)[0] == 0
    assert (tmp_path / "page").read_text() == f"{page}\n"


def test_a_manual_page_that_there_is_not(scopetrace, man, monkeypatch, tmp_path):
    assert "no manual page fork(2)" in scopetrace("explain", "--man", "fork")[2]
    assert scopetrace("explain", "--man", "O_CREAT")[0] == 2
    assert scopetrace("explain", "--man", "nonsense")[0] == 2
    assert scopetrace("explain", "--man")[0] == 2
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "man is not installed" in scopetrace("explain", "--man", "openat")[2]
