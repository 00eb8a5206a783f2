from __future__ import annotations

import pytest

from scopetrace.model.operation import Counted, Failed, NameChanged
from scopetrace.model.raw import Part, RawKind


def unlink(tracee, **more) -> None:
    tracee.call("unlink", parts={Part.PATH: b"x"}, **more)


@pytest.mark.parametrize("name", ["chdir", "fchdir", "chroot", "setns"])
def test_relative_paths_start_where_the_kernel_says_the_task_is(tracee, decoding, name):
    tracee.call(name, parts={Part.CWD: b"/srv/data", Part.ROOT: b"/"})
    unlink(tracee)

    assert decoding.one(NameChanged).file == "/srv/data/x"


def test_a_chroot_is_seen_in_absolute_paths(tracee, decoding):
    tracee.call("chroot", parts={Part.CWD: b"/home/me", Part.ROOT: b"/jail"})
    tracee.call("unlink", parts={Part.PATH: b"/etc/x"})

    assert decoding.one(NameChanged).file == "/jail/etc/x"


def test_a_deleted_folder_has_the_name_it_had(tracee, decoding):
    tracee.call("chdir", parts={Part.CWD: b"/tmp/gone (deleted)", Part.ROOT: b"/"})
    unlink(tracee)

    assert decoding.one(NameChanged).file == "/tmp/gone/x"


def test_a_failed_change_of_folder_changes_nothing(tracee, decoding):
    tracee.fail("chdir", error=2, path="sub")
    tracee.open("/file", 3)
    tracee.fail("fchdir", 3, error=20)
    unlink(tracee)

    operations = decoding.go()

    failures = [operation for operation in operations if isinstance(operation, Failed)]
    assert [(f.kind, f.file) for f in failures] == [("cwd", "/home/me/sub"), ("cwd", "/file")]
    assert operations[-1].file == "/home/me/x"


def test_threads_share_their_folders_and_processes_do_not(tracee, decoding):
    tracee.fork(101, group=100, flags=0x50F00)
    tracee.fork(200)
    tracee.call("chdir", tid=101, parts={Part.CWD: b"/new", Part.ROOT: b"/"})
    unlink(tracee)
    unlink(tracee, pid=200)

    assert [change.file for change in decoding.only(NameChanged)] == ["/new/x", "/home/me/x"]


def test_a_thread_may_unshare_its_folders(tracee, decoding):
    tracee.fork(101, group=100, flags=0x50F00)
    tracee.call("unshare", 0x200, tid=101)
    tracee.call("chdir", tid=101, parts={Part.CWD: b"/new", Part.ROOT: b"/"})
    unlink(tracee)
    unlink(tracee, tid=101)

    assert [change.file for change in decoding.only(NameChanged)] == ["/home/me/x", "/new/x"]


def test_questions_matter_only_when_they_fail(tracee, decoding):
    tracee.call("stat", parts={Part.PATH: b"there"})
    tracee.fail("newfstatat", -100, error=2, path="a")
    tracee.fail("access", error=13, path="/b")
    tracee.fail("readlink", error=22, path="c")

    assert [(f.op, f.kind, f.file) for f in decoding.only(Failed)] == [
        ("newfstatat", "stat", "/home/me/a"),
        ("access", "stat", "/b"),
        ("readlink", "stat", "/home/me/c"),
    ]


def test_a_failed_seek_names_its_file(tracee, decoding):
    tracee.open("/a", 3)
    tracee.call("lseek", 3, 5, 0, result=5)
    tracee.fail("lseek", 3, -5, 0, error=22)

    failed = decoding.one(Failed)

    assert (failed.kind, failed.file) == ("seek", "/a")


def test_a_program_that_hides_its_links_is_followed_by_what_it_passes(tracee, decoding):
    """The engine cannot read the links of a process that is not dumpable (prctl(2))."""
    hidden = {Part.CWD: b"", Part.ROOT: b"", Part.LINK: b""}
    tracee.call("openat", -100, 0, 0, result=3, parts={**hidden, Part.PATH: b"sub"})
    tracee.call("unlinkat", 3, parts={**hidden, Part.PATH: b"x"})
    tracee.call("unlinkat", 77, parts={**hidden, Part.PATH: b"x"})
    tracee.call("fchdir", 3, parts=hidden)
    tracee.call("unlink", parts={Part.PATH: b"y"})
    tracee.call("chdir", parts={**hidden, Part.PATH: b"../other"})
    tracee.call("unlink", parts={Part.PATH: b"z"})
    tracee.call("chroot", parts={**hidden, Part.PATH: b"/jail"})
    tracee.call("unlink", parts={Part.PATH: b"/w"})

    assert [change.file for change in decoding.only(NameChanged)] == [
        "/home/me/sub/x",
        "x",
        "/home/me/sub/y",
        "/home/me/other/z",
        "/jail/w",
    ]


@pytest.mark.parametrize(("op", "kind"), [("stat", "stat"), ("lseek", "seek"), ("unlink", None)])
def test_questions_and_positions_are_counted(tracee, decoding, op, kind):
    tracee.add(RawKind.COUNT, call=op, args=(7,))
    found = [(each.op, each.group, each.calls) for each in decoding.only(Counted)]

    assert found == ([(op, kind, 7)] if kind else [])
