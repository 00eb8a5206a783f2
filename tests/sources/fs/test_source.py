from __future__ import annotations

import os

import pytest

from scopetrace.model.open_file import OpenFile, Usage
from scopetrace.model.operation import (
    AttributeChanged,
    Closed,
    Counted,
    Failed,
    NameChanged,
    Opened,
    Operation,
    Used,
)
from scopetrace.model.raw import Part
from scopetrace.sources.fs.source import FsSource
from support.http_talk import Emitted, image_of
from support.raw_builder import FOLDER, MILLISECOND, TERMINAL

ENHANCED = {
    "proc_uid": 1000,
    "proc_gid": 1001,
    "file_perms": 644,
    "file_owner": 1000,
    "file_group": 1001,
}
NOT_ENHANCED = "event: {format: {enhancefs: false}}\n"


def test_an_open_says_how_and_whose(tracee, recording):
    tracee.open("../x", 3, link="/home/x", flags=os.O_RDONLY | os.O_CLOEXEC)

    assert recording.data("fs.open") == {
        "file": "/home/x",
        "file_passed": "../x",
        "op": "openat",
        "fd": 3,
        "flags": "O_RDONLY|O_CLOEXEC",
        **ENHANCED,
    }


def test_a_close_has_the_transfers_of_this_process(tracee, recording):
    tracee.open("/x", 3)
    tracee.call("mmap", 0, 1, 1, 2, 3)
    tracee.close(3, 2, 4096, 1_500_999, 1, 10, 700_000)

    assert recording.data("fs.close") == {
        "file": "/x",
        "op": "close",
        "file_read_bytes": 4096,
        "file_read_ops": 2,
        "file_write_bytes": 10,
        "file_write_ops": 1,
        "duration": 2 * MILLISECOND // 1000,
        "io_duration": 2200,
        "file_mapped": True,
        **ENHANCED,
    }


def test_owner_and_permissions_are_left_out_if_not_configured(tracee, record):
    recording = record(NOT_ENHANCED)
    tracee.open("/x", 3)

    assert set(recording.data("fs.open")) == {"file", "op", "fd", "flags"}


def test_open_and_close_share_a_channel_and_other_events_have_none(tracee, recording):
    tracee.open("/x", 3)
    tracee.close(3)
    tracee.call("unlink", parts={Part.PATH: b"/x"})

    opened, closed, deleted = recording.of("fs")

    assert opened.channel == closed.channel == opened.time_ns
    assert deleted.channel == 0


def test_each_process_closes_the_file_it_opened_or_used(tracee, recording):
    tracee.open("/x", 3)
    for child in (200, 300):
        tracee.fork(child)
    tracee.tally(3, 0, 0, 0, 1, 5, 1, pid=200)
    tracee.exit(pid=200)
    tracee.exit(pid=300)
    tracee.exit()

    closes = recording.of("fs.close")

    pids = [recording.writer.processes[event.process].pid for event in closes]
    assert pids == [200, 100]
    assert [event.data["file_write_bytes"] for event in closes] == [5, 0]
    assert [event.data["op"] for event in closes] == ["exit", "exit"]


def test_a_file_that_was_only_mapped_by_an_heir_makes_no_event(tracee, recording):
    tracee.found(3, "/lib")
    tracee.call("mmap", 0, 1, 1, 2, 3)
    tracee.close(3)

    assert recording.of("fs.close") == []


def test_folders_devices_and_terminals_are_files(tracee, recording):
    tracee.open("/etc", 3, mode=FOLDER)
    tracee.open("/dev/null", 4, mode=0o020666)
    tracee.open("/dev/tty", 5, mode=TERMINAL)
    tracee.open("/run/fifo", 6, mode=0o010600)

    files = [event.data["file"] for event in recording.of("fs.open")]

    assert files == ["/etc", "/dev/null", "/dev/tty", "/run/fifo"]


def test_names_that_change(tracee, recording):
    two = {Part.PATH: b"/a", Part.PATH2: b"/b"}
    tracee.call("unlink", parts={Part.PATH: b"/a"})
    tracee.call("rename", parts=two)
    tracee.call("mkdir", 0, 0o750, parts={Part.PATH: b"/d"})
    tracee.call("symlink", parts=two)

    assert [(event.source, event.data) for event in recording.of("fs")] == [
        ("fs.delete", {"op": "unlink", "file": "/a"}),
        ("fs.rename", {"op": "rename", "file": "/a", "file_new": "/b"}),
        ("fs.mkdir", {"op": "mkdir", "file": "/d", "file_perms": 750}),
        ("fs.link", {"op": "symlink", "file": "/b", "file_target": "/a"}),
    ]


def test_attributes_that_change(tracee, recording):
    path = {Part.PATH: b"/a"}
    tracee.call("chmod", 0, 0o4711, parts=path)
    tracee.call("chown", 0, 5, 0xFFFFFFFF, parts=path)
    tracee.call("truncate", 0, 99, parts=path)

    assert [event.data for event in recording.of("fs.attr")] == [
        {"op": "chmod", "file": "/a", "file_perms": 4711},
        {"op": "chown", "file": "/a", "file_owner": 5},
        {"op": "truncate", "file": "/a", "file_size": 99},
    ]


def test_a_failure_names_its_error_and_its_class(tracee, recording):
    tracee.fail("openat", -100, error=2, path="x")
    tracee.fail("rename", error=18, parts={Part.PATH: b"/a", Part.PATH2: b"/b"})
    tracee.fail("unlink", error=3999, path="/c")

    assert [event.data for event in recording.of("fs.error")] == [
        {
            "op": "openat",
            "file": "/home/me/x",
            "file_passed": "x",
            "error": "ENOENT",
            "class": "open_close",
        },
        {"op": "rename", "file": "/a", "file_new": "/b", "error": "EXDEV", "class": "rename"},
        {"op": "unlink", "file": "/c", "error": "3999", "class": "delete"},
    ]


def test_only_wanted_events_are_made(tracee, record):
    recording = record("event:\n  watch:\n    - {type: fs, name: 'fs\\.delete'}\n")
    tracee.open("/x", 3)
    tracee.close(3)
    tracee.fail("open", error=2, path="y")
    tracee.call("unlink", parts={Part.PATH: b"/x"})

    assert [event.source for event in recording.go()] == ["fs.delete"]


ALL = "metric: {enable: true, format: {verbosity: 9}, watch: [{type: fs}]}\n"
IMAGE = image_of(ALL)
IMAGE.uid, IMAGE.gid = 1000, 1001
WHEN = (IMAGE, 71, 9_000)


def taken(*operations: Operation) -> Emitted:
    """Give operations to a source; return what it emitted."""
    outlet = Emitted()
    handlers = FsSource(outlet).handlers()
    for operation in operations:
        handlers[type(operation)](operation)
    return outlet


def used(opened: bool, *tally: int) -> Usage:
    usage = Usage(opened, 1)
    usage.add((*tally, *[0] * (6 - len(tally))))
    return usage


@pytest.mark.parametrize(
    ("usage", "is_told"),
    [
        (used(True), True),
        (used(False), False),
        (used(False, 1), True),
        (used(False, 0, 0, 0, 1), True),
    ],
)
def test_a_close_is_told_by_who_opened_read_or_wrote_the_file(usage, is_told):
    file = OpenFile("/x", None, 4_000)
    file.fd = 3
    found = taken(Closed(*WHEN, "close", file, usage))

    assert len(found.events) == is_told
    closes = [(value, tags) for name, value, tags in found.samples if name == "fs.close"]
    assert closes == [(1, {"op": "close", "file": "/x", "fd": 3})] * is_told


def test_whose_process_it_was_is_known_even_if_nothing_is_of_the_file():
    file = OpenFile("/x", None, 4_000)
    found = taken(Opened(*WHEN, "openat", file, 3, None, "x", True))

    assert found.events[0].data == {
        "file": "/x", "file_passed": "x", "op": "openat", "fd": 3, "file_created": True,
        "proc_uid": 1000, "proc_gid": 1001,
    }  # fmt: skip
    assert found.events[0].channel == 4_000


def test_reads_and_writes_are_measured_once_by_the_call_that_made_them():
    file, usage = OpenFile("/x", None, 4_000), used(True, 3, 40, 5_000, 2, 12, 1_000)
    usage.add_call(False, "pread64", [2, 30, 4_000])
    usage.add_call(True, "sendfile", [0, 7, 0])
    found = taken(Used(*WHEN, file, usage), Used(*WHEN, file, usage))

    tags = {"file": "/x", "fd": -1}
    assert [(name, value, each["op"]) for name, value, each in found.samples] == [
        ("fs.read", 10, "read"),
        ("fs.duration", 1, "read"),
        ("fs.write", 5, "write"),
        ("fs.duration", 1, "write"),
        ("fs.read", 30, "pread64"),
        ("fs.duration", 4, "pread64"),
        ("fs.write", 7, "sendfile"),
    ]
    assert all(tags.items() <= each.items() for _, _, each in found.samples)
    assert found.numops == [1, 1, 2, 2, 2, 2, 0]


def test_both_names_are_told_as_they_are_and_as_they_were_passed():
    names = ("/d/a", "a", "/d/b", "b")
    renamed = NameChanged(*WHEN, "renameat2", "rename", *names, 0, True)
    linked = NameChanged(*WHEN, "linkat", "link", *names, 0, False)
    failed = Failed(*WHEN, "rename", "rename", *names, 13)
    changed = AttributeChanged(*WHEN, "chmod", "/d/a", "a", perms=0o600)
    found = taken(renamed, linked, failed, changed)

    file = {"file": "/d/a", "file_passed": "a"}
    new = {"file_new": "/d/b", "file_new_passed": "b"}
    assert [event.data for event in found.events] == [
        {"op": "renameat2", **file, **new, "file_exchanged": True},
        {"op": "linkat", **file, "file_target": "/d/b", "file_target_passed": "b"},
        {"op": "rename", **file, **new, "error": "EACCES", "class": "rename"},
        {"op": "chmod", **file, "file_perms": 600},
    ]
    assert found.samples == [("fs.error", 1, {"class": "rename", "op": "rename", "file": "/d/a"})]


def test_calls_that_were_counted_are_measured_as_many():
    found = taken(Counted(*WHEN, "lstat", "stat", 5), Counted(*WHEN, "lseek", "seek", 2))

    assert found.samples == [("fs.stat", 5, {"op": "lstat"}), ("fs.seek", 2, {"op": "lseek"})]
    assert found.events == []
