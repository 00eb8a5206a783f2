from __future__ import annotations

import pytest

from scopetrace.model.operation import Closed, NameChanged, Renamed, Written
from scopetrace.model.raw import Part, Seen
from support.raw_builder import pack_stat


def renamed(tracee, fd: int, link: str, **more) -> None:
    tracee.found(fd, link, seen=Seen.RENAMED, **{"ino": tracee.inode, **more})


def test_operations_of_a_file_have_the_name_it_has_then(tracee, decoding):
    tracee.open("/a.tmp", 3)
    tracee.write(3, b"x")
    assert decoding.one(Written).file.path == "/a.tmp"

    tracee.tally(3, 0, 0, 0, 1, 1, 5, goes_on=True)
    renamed(tracee, 3, "/a.log")
    operation = decoding.one(Renamed)

    assert (operation.file.path, operation.usage.write_bytes) == ("/a.log", 1)
    tracee.close(3)
    assert decoding.one(Closed).file is operation.file


def test_a_name_is_not_taken_from_what_another_thread_put_there(tracee, decoding):
    tracee.open("/a", 3)
    renamed(tracee, 3, "/b", ino=99)
    tracee.close(3)

    assert decoding.only(Renamed) == []


def test_a_file_found_again_by_another_process_has_its_new_name(tracee, decoding):
    tracee.open("/a", 3)
    tracee.fork(200)
    tracee.found(3, "/b", ino=tracee.inode, pid=200)
    tracee.close(3)

    assert decoding.one(Closed).file.path == "/b"


def nameless(tracee, fd: int) -> None:
    """Open a file as O_TMPFILE does: it has no name, and its link is none (open(2))."""
    tracee.inode += 1
    parts = {
        Part.PATH: b"/tmp",
        Part.LINK: b"/tmp/#12 (deleted)",
        Part.STAT: pack_stat(ino=tracee.inode, links=0),
    }
    tracee.call("openat", -100, 0, 0, result=fd, parts=parts)


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ((3, 0, -100, 0, 0x1000), {Part.PATH: b""}),
        (
            (-100, 0, -100, 0, 0x400),
            {Part.PATH: b"/proc/self/fd/3", Part.NAME: b"/tmp/#12 (deleted)"},
        ),
    ],
)
def test_a_file_without_a_name_is_called_as_it_is_linked(tracee, decoding, args, parts):
    nameless(tracee, 3)
    tracee.call("linkat", *args, parts={**parts, Part.PATH2: b"b", Part.NAME2: b"/d/b"})
    tracee.found(3, "/tmp/#12 (deleted)", ino=tracee.inode)
    tracee.call("rename", parts={Part.PATH: b"/d", Part.PATH2: b"/e"})
    tracee.close(3)

    operations = decoding.go()

    (link,) = [o for o in operations if isinstance(o, NameChanged) and o.group == "link"]
    assert (link.file, link.other) == ("/d/b", "/tmp/#12")
    (closed,) = [o for o in operations if isinstance(o, Closed)]
    assert closed.file.path == "/e/b"


def test_names_that_are_exchanged_are_exchanged_for_what_was_named_so(tracee, decoding):
    nameless(tracee, 3)
    link = {Part.PATH: b"", Part.PATH2: b"/b"}
    tracee.call("linkat", 3, 0, -100, 0, 0x1000, parts=link)
    swap = {Part.PATH: b"/other", Part.PATH2: b"/b"}
    tracee.call("renameat2", -100, 0, -100, 0, 2, parts=swap)
    tracee.close(3)

    assert decoding.one(Closed).file.path == "/other"
