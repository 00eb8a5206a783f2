"""`scopetrace explain`."""

from __future__ import annotations

import json

import pytest

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
    assert "no system call and no error is named openatt; did you mean openat" in err


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
