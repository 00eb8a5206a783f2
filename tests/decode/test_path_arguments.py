from __future__ import annotations

import os
import struct

import pytest

from scopetrace.decode.files import DecodedFile
from scopetrace.decode.path_arguments import Names, open_flags, path_of, second_path_of
from scopetrace.decode.tasks import Task, Tree
from scopetrace.model.raw import Part, RawKind, unpack_batch
from support.raw_builder import CALLS, ROWS, pack_record


def task_in(folder: str) -> Task:
    task, _ = Tree().adopt(1, 1, 0)
    task.folders.cwd = folder
    task.table.open(5, DecodedFile("/five", None, 0), False)
    return task


def meant(op: str, *args: int, parts: dict[int, bytes], second: bool = False) -> Names:
    (record,) = unpack_batch(pack_record(RawKind.SYSCALL, call=op, args=args, parts=parts))
    find = second_path_of if second else path_of
    return find(task_in("/here"), record, record.parts(), CALLS[ROWS[op]])


def test_a_relative_path_starts_at_the_fd_of_its_row():
    assert meant("openat", 5, parts={Part.PATH: b"a"}) == ("/five/a", "a")
    assert meant("openat", -100, parts={Part.PATH: b"a"}) == ("/here/a", "a")
    assert meant("open", 5, parts={Part.PATH: b"a"}) == ("/here/a", "a")
    assert meant("renameat", -100, 0, 5, parts={Part.PATH2: b"b"}, second=True).file == "/five/b"


def test_what_the_kernel_calls_a_path_is_what_it_means():
    assert meant("unlink", parts={Part.PATH: b"a", Part.NAME: b"/real/a"}) == ("/real/a", "a")
    assert meant("unlink", parts={Part.PATH: b"/a", Part.NAME: b"/a"}) == ("/a", "")


def test_an_empty_path_means_the_file_of_the_fd():
    assert meant("fchownat", 5, parts={}) == ("/five", "")


@pytest.mark.parametrize(
    ("op", "parts", "flags"),
    [
        ("open", {}, 2),
        ("openat", {}, 3),
        ("creat", {}, os.O_CREAT | os.O_WRONLY | os.O_TRUNC),
        ("openat2", {Part.HOW: struct.pack("=3Q", 0x80241, 0o600, 0)}, 0x80241),
        ("openat2", {Part.HOW: struct.pack("=Q", 0x41)}, 0x41),
        ("openat2", {Part.HOW: bytes(7)}, 0),
        ("openat2", {}, 0),
    ],
)
def test_flags_of_open_stand_where_the_call_has_them(op, parts, flags):
    """What openat2 is asked for may end where memory does."""
    (record,) = unpack_batch(pack_record(RawKind.SYSCALL, call=op, args=(1, 2, 3, 4), parts=parts))

    assert open_flags(record, record.parts(), op) == flags
