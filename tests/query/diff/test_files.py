"""Which files differ, and which differences are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scopetrace.model.event import Event
from support.session_builder import closed, event, image
from support.two_runs import Run, child, compared, found


def opened(file: str, flags: str = "O_RDONLY", **data: Any) -> Event:
    return event("fs.open", file=file, flags=flags, **data)


def used(file: str, read: int = 0, written: int = 0, flags: str = "O_RDONLY") -> list[Event]:
    """Return the events of one use of a file."""
    sizes = {
        "file_read_bytes": read, "file_read_ops": bool(read),
        "file_write_bytes": written, "file_write_ops": bool(written),
    }  # fmt: skip
    return [opened(file, flags), closed(file, **sizes)]


def missed(file: str, error: str = "ENOENT", **facts: Any) -> Event:
    return event("fs.error", file=file, op="openat", error=error, **facts)


@pytest.mark.parametrize(
    ("a", "b", "difference"),
    [
        (used("/c", 5), [missed("/c")], ("result", "read", "not found")),
        (used("/c", 5), [missed("/c", "EACCES")], ("result", "read", "denied (EACCES)")),
        (used("/c", 5), [], ("only A", "read", None)),
        ([], used("/c", written=5), ("only B", None, "written")),
        ([missed("/c")], [], ("only A", "not found", None)),
        ([missed("/c"), *used("/c", written=5)], [missed("/c", "ENOTDIR"), *used("/c", written=5)],
         ("result", "written, not found", "written")),
        (used("/c", 5), used("/c", 6), ("content", 5, 6)),
        (used("/c", written=5), used("/c", written=6), ("content", 5, 6)),
        (used("/c", 5), used("/c"), ("content", "read", "opened")),
        (used("/c", written=5), used("/c"), ("content", "written", "opened")),
        (used("/c", 5), [*used("/c", 5), event("fs.delete", file="/c")],
         ("content", "read", "read, deleted")),
    ],
)  # fmt: skip
def test_differences(
    tmp_path: Path, a: list[Event], b: list[Event], difference: tuple[Any, ...]
) -> None:
    change, first, second = difference
    assert found(tmp_path, Run(a), Run(b)) == [(change, "file", "/c", first, second)]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(used("/c", 5) * 3, used("/c", 5) * 7, id="how-often"),
        pytest.param(used("/proc/stat", 5), used("/proc/stat", 6), id="kernel"),
        pytest.param(used("/run/a.pid", 5), used("/run/a.pid", 6), id="pid-file"),
        pytest.param(
            used("/d", 50, flags="O_RDONLY|O_DIRECTORY"),
            used("/d", 70, flags="O_RDONLY|O_DIRECTORY"),
            id="folder",
        ),
        pytest.param([missed("/c", "EAGAIN"), *used("/c", 5)], used("/c", 5), id="by-chance"),
        pytest.param(
            [event("fs.mkdir", file="/d", op="mkdir")], [missed("/d", "EEXIST")], id="was-there"
        ),
        pytest.param(
            [event("fs.open", file="/log", op="openat", flags="O_CREAT", file_created=True)],
            used("/log", flags="O_CREAT"),
            id="the-first-run-makes-it",
        ),
        pytest.param(
            [closed("/home/out.txt", file_write_bytes=5)],
            [closed("/home/other.txt", file_write_bytes=6)],
            id="where-output-goes",
        ),
        pytest.param(
            [*used("/tmp/ccAbC123.s", 0, 9), event("fs.delete", file="/tmp/ccAbC123.s")],
            [*used("/tmp/ccXyZ789.s", 0, 7), event("fs.delete", file="/tmp/ccXyZ789.s")],
            id="temporary",
        ),
        pytest.param([], used("/tmp/tmpab_34efg/x", written=3), id="temporary-folder"),
        pytest.param(
            [*used("/app/tSw03dl", written=1), event("fs.delete", file="/app/tSw03dl")],
            [*used("/app/teteWLs", written=1), event("fs.delete", file="/app/teteWLs")],
            id="made-and-removed",
        ),
        pytest.param(used("/proc/11/stat", 3), used("/proc/22/stat", 3), id="process"),
        pytest.param(used("/app/.pytest_cache/v/x", written=3), [], id="cache"),
    ],
)
def test_what_varies_from_run_to_run(tmp_path: Path, a: list[Event], b: list[Event]) -> None:
    no_output = [event for event in a if event.data["file"] == "/home/out.txt"]
    for each in no_output:
        each.data.update(file_read_ops=0, file_read_bytes=0, file_write_ops=1)
    for each in b:
        if each.data["file"] == "/home/other.txt":
            each.data.update(file_read_ops=0, file_read_bytes=0, file_write_ops=1)
    assert found(tmp_path, Run(a), Run(b)) == []


def test_a_module_read_from_its_cache_is_read(tmp_path: Path) -> None:
    cache = "/app/__pycache__/m.cpython-311.pyc"
    cold = [missed(cache), *used("/app/m.py", 100), *used(cache, written=60)]
    warm = used(cache, 60)
    stale = [*used(cache, 60), *used("/app/m.py", 101), *used(cache, written=61)]

    assert found(tmp_path, Run(cold), Run(warm)) == []
    assert found(tmp_path, Run(warm), Run(stale)) == [
        ("content", "file", "/app/m.py", "compiled before", "compiled anew")
    ]
    assert found(tmp_path, Run(cold), Run(stale)) == [("content", "file", "/app/m.py", 100, 101)]


def test_paths_are_relative_if_the_sessions_ran_in_other_folders(tmp_path: Path) -> None:
    a = Run(used("/a/proj1/x", 5), cwd="/a/proj1", images=[image(cwd="/a/proj1")])
    b = Run(used("/b/proj2/x", 6), cwd="/b/proj2", images=[image(cwd="/b/proj2")])

    assert found(tmp_path, a, b) == [("content", "file", "./x", 5, 6)]


def test_what_is_below_a_temporary_name_is_compared_if_it_was_not_made_by_the_run(
    tmp_path: Path,
) -> None:
    a = Run([*used("/tmp/tmpab_34efg/conf", 5), *used("/tmp/tmpab_34efg/out", written=5)])
    b = Run([missed("/tmp/tmpxy_98klm/conf")])

    assert found(tmp_path, a, b) == [("result", "file", "/tmp/tmp*/conf", "read", "not found")]


def test_a_temporary_name_that_both_sessions_have_is_a_name_like_others(tmp_path: Path) -> None:
    a = Run([*used("/tmp/tmpab_34efg/conf", 5), *used("/tmp/tmpab_34efg/out", written=5)])
    b = Run(used("/tmp/tmpab_34efg/conf", 5))

    assert found(tmp_path, a, b) == [("only A", "file", "/tmp/tmpab_34efg/out", "written", None)]


def test_a_number_that_both_sessions_have_in_a_name_is_no_process_id(tmp_path: Path) -> None:
    a = Run(used("/data/10002", 5), images=[image(), child(2, "cp", "/data/10002")])
    b = Run(used("/data/10002", 5), images=[image(), child(3, "cp", "/data/10002")])

    assert found(tmp_path, a, b) == []


def test_what_only_a_process_of_one_session_used_follows_from_it(tmp_path: Path) -> None:
    more = [image(), child(2, "cc")]
    events = [
        *(each._replace(process=2) for each in used("/home/ann/new.c", 5)),
        *(each._replace(process=2) for each in used("/usr/include/new.h", 5)),
        missed("/usr/lib/none", process=2),
        missed("/etc/app.conf"),
    ]
    differences = compared(tmp_path, Run(), Run(events, more)).differences

    assert {d.subject: d.follows for d in differences} == {
        "cc": False,
        "/home/ann/new.c": False,
        "/etc/app.conf": False,
        "/usr/include/new.h": True,
        "/usr/lib/none": True,
    }


def test_what_belongs_to_start_up_is_told_last_and_by_its_class(tmp_path: Path) -> None:
    events = [*used("/lib/libz.so.1", 5), *used("/home/ann/x", 5)]
    differences = compared(tmp_path, Run(), Run(events)).differences

    assert [(d.subject, d.path_class, d.is_startup) for d in differences] == [
        ("/home/ann/x", "own", False),
        ("/lib/libz.so.1", "loader", True),
    ]
