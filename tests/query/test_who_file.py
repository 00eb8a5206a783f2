"""Which events are about a file, under its names."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from scopetrace.db.text import decode_text
from scopetrace.model.event import Event
from scopetrace.query.connect import connect
from scopetrace.query.keep_answers import keep_answers
from scopetrace.query.moves import read_moves
from scopetrace.query.who_file import FileEvents, file_touches
from support.session_builder import closed, event, image, record

Touched = Callable[[str], list[tuple[str, str]]]


def renamed(old: str, new: str) -> Event:
    return event("fs.rename", op="rename", file=old, file_new=new)


def opened(file: str) -> Event:
    return event("fs.open", op="openat", file=file, flags="O_RDONLY")


def deleted(file: str) -> Event:
    return event("fs.delete", op="unlink", file=file)


@pytest.fixture(params=["all events are searched", "those that kept names have are read"])
def touched(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Touched]:
    """Write a session of these events; the answer gives action and name of each touch."""

    def write(*events: Event) -> Touched:
        path = record(tmp_path, events, [image(n, pid=69 + n, parent=1) for n in range(2, 9)])
        if request.param != "all events are searched":
            with closing(sqlite3.connect(path, isolation_level=None)) as written:
                written.text_factory = decode_text
                keep_answers(written)
        db = connect(path)

        def ask(*names: str) -> list[tuple[str, str]]:
            answer = file_touches(db, names, read_moves(db), FileEvents(db))
            touches = answer.touches if answer else ()
            return [(touch.action, touch.facts["file"]) for touch in touches]

        return ask

    return write


def test_a_file_is_followed_through_renames_and_links(touched: Callable[..., Touched]) -> None:
    ask = touched(
        opened("/w/a"),
        opened("/w/other"),
        renamed("/w/a", "/w/b"),
        event("fs.link", op="link", file="/w/c", file_target="/w/b"),
        deleted("/w/c"),
    )

    expected = [
        ("open", "/w/a"),
        ("rename", "/w/a"),
        ("link", "/w/c"),
        ("delete", "/w/c"),
    ]
    for name in ("/w/a", "/w/b", "/w/c"):
        assert ask(name) == expected
    assert ask("/w/other") == [("open", "/w/other")]
    assert ask("/w/none") == []


def test_a_file_is_followed_when_a_folder_above_it_is_renamed(
    touched: Callable[..., Touched],
) -> None:
    ask = touched(opened("/w/d/e/a"), renamed("/w/d", "/w/f"), deleted("/w/f/e/a"))

    expected = [("open", "/w/d/e/a"), ("rename", "/w/d"), ("delete", "/w/f/e/a")]
    assert ask("/w/d/e/a") == ask("/w/f/e/a") == expected


def test_a_name_that_was_given_again_is_of_both_files(touched: Callable[..., Touched]) -> None:
    ask = touched(
        opened("/log"),
        renamed("/log", "/log.1"),
        opened("/log"),
        opened("/log.1"),
    )

    assert ask("/log") == [
        ("open", "/log"),
        ("rename", "/log"),
        ("open", "/log"),
        ("open", "/log.1"),
    ]
    assert ask("/log.1") == [("open", "/log"), ("rename", "/log"), ("open", "/log.1")]


def test_a_temporary_name_that_is_used_for_several_files_does_not_mix_them(
    touched: Callable[..., Touched],
) -> None:
    ask = touched(
        opened("/tmp.1"),
        renamed("/tmp.1", "/a"),
        opened("/tmp.1"),
        renamed("/tmp.1", "/b"),
        deleted("/b"),
    )

    assert ask("/a") == [("open", "/tmp.1"), ("rename", "/tmp.1")]
    assert ask("/b") == [("open", "/tmp.1"), ("rename", "/tmp.1"), ("delete", "/b")]


def test_what_a_rename_replaces_is_the_same_file(touched: Callable[..., Touched]) -> None:
    ask = touched(opened("/conf"), opened("/conf.tmp"), renamed("/conf.tmp", "/conf"))

    assert ask("/conf") == ask("/conf.tmp")
    assert len(ask("/conf")) == 3


def test_a_symbolic_link_is_no_name_of_its_target(touched: Callable[..., Touched]) -> None:
    ask = touched(
        event("fs.link", op="symlink", file="/link", file_target="/data"),
        opened("/data"),
        deleted("/link"),
    )

    assert ask("/data") == [("open", "/data")]
    assert ask("/link") == [("link", "/link"), ("delete", "/link")]


def test_failures_and_starts_are_touches_and_a_close_without_use_is_not(
    touched: Callable[..., Touched],
) -> None:
    ask = touched(
        event("fs.error", op="rename", file="/x", file_new="/bin/tool", error="EACCES"),
        closed("/bin/tool", file_read_ops=0),
        event("proc.start", op="execve", exe="/bin/tool", args=["tool"]),
        event("proc.start", op="execve", exe="/bin/tool2", args=["/bin/tool"]),
    )

    assert ask("/bin/tool") == [("fail", "/x"), ("run", "/bin/tool")]


def test_a_close_says_how_the_file_was_used(touched: Callable[..., Touched]) -> None:
    ask = touched(closed("/x", file_write_ops=1), closed("/x", file_read_ops=0, file_mapped=True))

    assert ask("/x") == [("read, write", "/x"), ("map", "/x")]


@pytest.mark.parametrize("name", ['/w/a"b', "/w/\n", "/w/ä\udce9", "/w/back\\slash"])
def test_names_of_any_bytes_are_found(touched: Callable[..., Touched], name: str) -> None:
    assert touched(opened(name), opened("/w/x"))(name) == [("open", name)]
