"""From fs events to one record for each file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scopetrace.model.event import Event
from scopetrace.model.file_record import FileRecord
from scopetrace.query import open_session
from support.session_builder import begin, closed, event, image, record

Read = Callable[..., dict[str, FileRecord]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a session of these events and return its files by path."""

    def files(*events: Event, images: Any = ()) -> dict[str, FileRecord]:
        with open_session(record(tmp_path, events, images)) as session:
            found = session.files()
        by_path = {file.path: file for file in found}
        assert len(by_path) == len(found)
        return by_path

    return files


def moved(file: str, read: int = 0, written: int = 0, **data: Any) -> Event:
    sizes = {
        "file_read_bytes": read,
        "file_read_ops": bool(read),
        "file_write_bytes": written,
        "file_write_ops": bool(written),
        "io_duration": 5,
    }
    return closed(file, **sizes, **data)


def test_bytes_operations_and_processes_of_all_closes_are_added_up(read: Read) -> None:
    files = read(
        event("fs.open", file="/a", flags="O_RDWR"),
        moved("/a", read=10),
        event("fs.open", process=2, file="/a", flags="O_RDWR"),
        closed_by(2, "/a", 5, 7),
        images=[image(2, pid=71, proc="cat")],
    )

    assert list(files) == ["/a"]
    file = files["/a"]
    assert (file.opens, file.read_bytes, file.read_ops) == (2, 15, 2)
    assert (file.written_bytes, file.written_ops, file.io_us) == (7, 1, 10)
    assert (file.pids, file.procs, file.uses) == ((70, 71), ("python3", "cat"), "RW")


def closed_by(process: int, file: str, read: int, written: int) -> Event:
    return moved(file, read=read, written=written)._replace(process=process)


def test_a_renamed_file_keeps_its_row_and_a_new_one_gets_its_own(read: Read) -> None:
    files = read(
        moved("/app.log", written=100),
        event("fs.rename", op="rename", file="/app.log", file_new="/app.log.1"),
        moved("/app.log.1", written=10),
        moved("/app.log", written=3),
    )

    assert {path: file.written_bytes for path, file in files.items()} == {
        "/app.log.1": 110,
        "/app.log": 3,
    }
    assert files["/app.log.1"].names == ("/app.log",)
    assert (files["/app.log.1"].renamed, files["/app.log"].renamed) == (True, False)


def test_a_file_renamed_onto_itself_keeps_its_row(read: Read) -> None:
    files = read(
        moved("/a", written=1),
        event("fs.rename", op="rename", file="/a", file_new="/a"),
        moved("/a", written=2),
    )

    assert {path: file.written_bytes for path, file in files.items()} == {"/a": 3}


def test_what_a_rename_replaces_goes_on_in_the_same_row(read: Read) -> None:
    files = read(
        moved("/conf", read=50),
        moved("/conf.tmp", written=60),
        event("fs.rename", op="rename", file="/conf.tmp", file_new="/conf"),
        event("fs.delete", op="unlink", file="/conf"),
    )

    assert list(files) == ["/conf"]
    assert (files["/conf"].read_bytes, files["/conf"].written_bytes) == (50, 60)
    assert files["/conf"].uses == "RWDN"


def test_a_hard_link_is_another_name_of_one_row(read: Read) -> None:
    files = read(
        moved("/data", written=1),
        event("fs.link", op="link", file="/alias", file_target="/data"),
        moved("/alias", written=2),
    )

    assert list(files) == ["/data"]
    assert (files["/data"].written_bytes, files["/data"].names) == (3, ("/alias",))


def test_an_exchange_swaps_two_rows(read: Read) -> None:
    files = read(
        moved("/live", written=1),
        moved("/next", written=2),
        event("fs.rename", op="renameat2", file="/live", file_new="/next", file_exchanged=True),
        moved("/live", written=10),
        moved("/next", written=20),
    )

    assert {path: file.written_bytes for path, file in files.items()} == {"/live": 12, "/next": 21}
    assert (files["/live"].names, files["/next"].names) == (("/next",), ("/live",))
    assert (files["/live"].renamed, files["/next"].renamed) == (True, True)


def test_a_renamed_folder_takes_the_files_in_it_along(read: Read) -> None:
    files = read(
        event("fs.mkdir", op="mkdir", file="/new"),
        event("fs.open", file="/new/sub/a", flags="O_WRONLY|O_CREAT"),
        event("fs.error", op="openat", file="/new/b", error="ENOENT"),
        event("fs.rename", op="rename", file="/new", file_new="/app"),
        moved("/app/sub/a", written=5),
    )

    assert set(files) == {"/app", "/app/sub/a", "/new/b"}
    assert (files["/app/sub/a"].opens, files["/app/sub/a"].written_bytes) == (1, 5)
    assert files["/app/sub/a"].names == ("/new/sub/a",)


def test_a_link_whose_first_name_is_deleted_keeps_its_row(read: Read) -> None:
    files = read(
        event("fs.error", op="access", file="/objects/1", error="ENOENT"),
        moved("/tmp_obj", written=7),
        event("fs.link", op="link", file="/objects/1", file_target="/tmp_obj"),
        event("fs.delete", op="unlink", file="/tmp_obj"),
        moved("/objects/1", read=7),
        moved("/tmp_obj", written=1),
    )

    assert {path: file.written_bytes for path, file in files.items()} == {
        "/objects/1": 7,
        "/tmp_obj": 1,
    }
    first = files["/objects/1"]
    assert (first.read_bytes, first.names, first.deleted) == (7, ("/tmp_obj",), False)
    assert first.errors == ("ENOENT",)


def test_a_symbolic_link_is_a_file_of_its_own(read: Read) -> None:
    files = read(
        moved("/data", written=1),
        event("fs.link", op="symlink", file="/alias", file_target="/data"),
        event("fs.delete", op="unlink", file="/alias"),
    )

    assert {path: file.uses for path, file in files.items()} == {"/data": "W", "/alias": "WD"}


@pytest.mark.parametrize(
    ("event_", "name"),
    [
        (event("fs.error", file="/x", error="ENOENT", op="openat"), "missed"),
        (event("fs.error", file="/x", error="EACCES", op="openat"), "denied"),
        (event("fs.delete", file="/x", op="unlink"), "deleted"),
        (event("fs.attr", file="/x", op="chmod", file_perms=600), "written"),
        (event("fs.mkdir", file="/x", op="mkdir"), "written"),
        (event("fs.open", file="/x", flags="O_WRONLY|O_CREAT|O_TRUNC"), "written"),
        (event("fs.open", file="/x", flags="O_RDWR|O_CREAT|O_EXCL"), "written"),
        (event("fs.open", file="/x", flags="O_RDWR|O_CREAT", file_created=True), "written"),
        (closed("/x", file_read_ops=0, file_mapped=True), "read"),
    ],
)
def test_each_use_is_known(read: Read, event_: Event, name: str) -> None:
    uses = ("read", "written", "missed", "denied", "deleted", "renamed")
    file = read(event_)["/x"]

    assert [use for use in uses if getattr(file, use)] == [name]


def test_a_file_that_is_there_is_not_missed_as_a_folder(read: Read) -> None:
    refused = event("fs.error", file="/x", error="ENOTDIR", op="openat")

    assert read(refused)["/x"].missed
    assert not read(refused, event("fs.open", file="/x", flags="O_WRONLY"))["/x"].missed


def test_a_file_that_is_only_opened_is_neither_read_nor_written(read: Read) -> None:
    file = read(event("fs.open", file="/x", flags="O_RDONLY"))["/x"]

    assert (file.read, file.written, file.uses) == (False, False, "O")


def test_a_program_that_was_looked_for_in_path_is_a_search(read: Read) -> None:
    missed = {"error": "ENOENT", "op": "execve"}
    files = read(
        event("fs.error", file="/opt/bin/python3", **missed),
        event("fs.error", file="/opt/python3.conf", **missed),
    )

    assert files["/opt/bin/python3"].path_class == "search"
    assert files["/opt/python3.conf"].path_class == "own"


RULES = "scopetrace: {pathclasses: {caches: ['[.]pyc$'], loader: ['[.]so$']}}"


def test_what_the_program_changes_is_its_own_but_for_caches(tmp_path: Path) -> None:
    writer = begin(tmp_path, config=RULES)
    used = [moved(f"/{kind}.{end}", read=4) for kind in ("r", "w") for end in ("so", "pyc")]
    written = [moved(f"/w.{end}", written=4) for end in ("so", "pyc")]
    writer.add_events([*used, *written, event("fs.delete", op="unlink", file="/d.so")])
    writer.finish(exit_code=0)
    with open_session(writer.path) as session:
        classes = {file.path: file.path_class for file in session.files()}

    own = {"/w.so": "own", "/d.so": "own"}
    assert classes == own | {"/r.so": "loader", "/r.pyc": "caches", "/w.pyc": "caches"}


def test_what_the_command_names_is_its_own(tmp_path: Path) -> None:
    names = ("cat", "libs/a.so", "/b.so", "-l", "../c.so")
    writer = begin(tmp_path, "cat", args=names, cwd="/home/ann", config=RULES)
    read = ("/home/ann/libs/a.so", "/b.so", "/home/c.so", "/home/ann/d.so")
    writer.add_events([moved(path, read=4) for path in read])
    writer.finish(exit_code=0)
    with open_session(writer.path) as session:
        found = [file.path_class for file in session.files()]

    assert found == ["own", "own", "own", "loader"]


def test_the_file_of_a_program_is_not_its_own_unless_it_is_changed(read: Read) -> None:
    ran = [image(2, exe="/opt/tool"), image(3, exe="/w/made")]
    used = (moved("/opt/tool", read=4), moved("/w/made", read=4), moved("/w/made", written=4))
    files = read(*used, images=ran)

    assert {path: file.path_class for path, file in files.items()} == {
        "/opt/tool": "loader",
        "/w/made": "own",
    }


def test_a_name_that_json_can_only_escape_is_read(read: Read) -> None:
    assert read(moved("/bad\udcff", read=4))["/bad\udcff"].read_bytes == 4


def test_a_source_that_is_not_known_changes_no_name(read: Read) -> None:
    files = read(
        moved("/a", written=1), event("fs.later", file="/a"), event("fs.rename", file="/a")
    )

    assert {path: file.uses for path, file in files.items()} == {"/a": "W"}
