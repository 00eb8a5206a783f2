from __future__ import annotations

import pytest

from scopetrace.model.operation import AttributeChanged, Failed, NameChanged
from scopetrace.model.raw import RESULT_REFUSED, Part


def test_a_deleted_name_is_absolute(tracee, decoding):
    tracee.call("unlink", parts={Part.PATH: b"a"})
    tracee.call("unlinkat", 5, parts={Part.PATH: b"b", Part.NAME: b"/srv/b"})
    tracee.call("rmdir", parts={Part.PATH: b"/tmp/c"})

    changes = decoding.only(NameChanged)

    assert [(c.op, c.group, c.file) for c in changes] == [
        ("unlink", "delete", "/home/me/a"),
        ("unlinkat", "delete", "/srv/b"),
        ("rmdir", "delete", "/tmp/c"),
    ]


def test_a_rename_has_two_names_each_as_the_kernel_has_it(tracee, decoding):
    parts = {
        Part.PATH: b"a",
        Part.NAME: b"/one/a",
        Part.PATH2: b"/two/b",
        Part.NAME2: b"/two/b",
    }
    tracee.call("renameat2", parts=parts)

    change = decoding.one(NameChanged)

    assert (change.group, change.file, change.other) == ("rename", "/one/a", "/two/b")
    assert (change.passed, change.other_passed) == ("a", "")


@pytest.mark.parametrize(("flags", "exchanged"), [(0, False), (1, False), (2, True)])
def test_an_exchange_is_known_by_its_flag(tracee, decoding, flags, exchanged):
    parts = {Part.PATH: b"/a", Part.PATH2: b"/b"}
    tracee.call("renameat2", -100, 0, -100, 0, flags, parts=parts)

    assert decoding.one(NameChanged).exchanged is exchanged


def test_the_kernels_name_counts_not_what_is_known_of_the_folder(tracee, decoding):
    """A folder may have been renamed by anybody, and only the kernel follows symbolic links."""
    tracee.call("chdir", parts={Part.CWD: b"/one", Part.ROOT: b"/"})
    tracee.fail("openat", -100, error=2, path="link/../x", parts={Part.NAME: b"/two/x"})
    tracee.call("mkdir", parts={Part.PATH: b"d", Part.NAME: b"/two/d"})

    failed, made = decoding.go()

    assert (failed.file, failed.passed) == ("/two/x", "link/../x")
    assert (made.file, made.passed) == ("/two/d", "d")


def test_a_link_is_a_new_name_of_its_target(tracee, decoding):
    tracee.call("link", parts={Part.PATH: b"old", Part.PATH2: b"new"})

    change = decoding.one(NameChanged)

    assert (change.group, change.file, change.other) == ("link", "/home/me/new", "/home/me/old")


def test_the_target_of_a_symbolic_link_is_the_text_that_it_holds(tracee, decoding):
    parts = {Part.PATH: b"../x", Part.PATH2: b"new", Part.NAME2: b"/srv/new"}
    tracee.call("symlinkat", parts=parts)

    change = decoding.one(NameChanged)

    assert (change.file, change.other) == ("/srv/new", "../x")


@pytest.mark.parametrize(
    ("name", "args"),
    [("mkdir", (0, 0o755)), ("mkdirat", (-100, 0, 0o755)), ("mknod", (0, 0o10755))],
)
def test_a_folder_or_node_is_made_with_permissions(tracee, decoding, name, args):
    tracee.call(name, *args, parts={Part.PATH: b"d"})

    change = decoding.one(NameChanged)

    assert (change.group, change.file, change.mode) == ("mkdir", "/home/me/d", 0o755)


def test_a_change_that_a_filter_refused_has_failed(tracee, decoding):
    tracee.call("unlink", result=RESULT_REFUSED, parts={Part.PATH: b"/a"})
    tracee.call("open", result=RESULT_REFUSED, parts={Part.PATH: b"/b"})
    tracee.call("chdir", result=RESULT_REFUSED, parts={Part.PATH: b"/c"})

    found = [(each.op, each.file, each.errno) for each in decoding.only(Failed)]

    assert found == [
        (op, f, -RESULT_REFUSED) for op, f in (("unlink", "/a"), ("open", "/b"), ("chdir", "/c"))
    ]


def test_a_failed_change_names_both_files(tracee, decoding):
    parts = {Part.PATH: b"a", Part.PATH2: b"/b"}
    tracee.fail("rename", error=18, parts=parts)
    tracee.fail("mkdir", 0, 0o755, error=17, path="d")

    tracee.fail("link", error=17, parts={Part.PATH: b"old", Part.PATH2: b"new"})
    tracee.fail("symlink", error=17, parts={Part.PATH: b"text", Part.PATH2: b"new"})

    rename, mkdir, link, symlink = decoding.only(Failed)

    assert (rename.kind, rename.file, rename.other) == ("rename", "/home/me/a", "/b")
    assert (link.kind, link.file, link.other) == ("link", "/home/me/old", "/home/me/new")
    assert (symlink.kind, symlink.file, symlink.other) == ("link", "text", "/home/me/new")
    assert (mkdir.kind, mkdir.file, mkdir.errno) == ("mkdir", "/home/me/d", 17)


MINUS_ONE = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("chmod", (0, 0o100640), {"perms": 0o640}),
        ("fchmodat", (-100, 0, 0o4755), {"perms": 0o4755}),
        ("chown", (0, 5, 6), {"owner": 5, "group": 6}),
        ("chown", (0, MINUS_ONE, 6), {"group": 6}),
        ("lchown", (0, -1, -1), {}),
        ("fchownat", (-100, 0, 5, 6, 0), {"owner": 5, "group": 6}),
        ("truncate", (0, 2**33), {"size": 2**33}),
        ("truncate64", (0, 1, 2), {"size": 2 * 2**32 + 1}),
    ],
)
def test_an_attribute_is_emitted_as_it_was_set(tracee, decoding, name, args, expected):
    tracee.call(name, *args, parts={Part.PATH: b"a"})

    change = decoding.one(AttributeChanged)

    set_values = {
        key: value
        for key in ("perms", "owner", "group", "size")
        if (value := getattr(change, key)) is not None
    }
    assert (change.op, change.file) == (name, "/home/me/a")
    assert set_values == expected


def test_an_attribute_may_be_set_through_an_fd(tracee, decoding):
    tracee.open("/a", 3)
    tracee.call("ftruncate", 3, 7)
    tracee.call("fchmod", 3, 0o600)
    tracee.call("fchown", 99, 1, 1)

    changes = decoding.only(AttributeChanged)

    assert [(c.op, c.file) for c in changes] == [("ftruncate", "/a"), ("fchmod", "/a")]


def test_an_attribute_that_could_not_be_set(tracee, decoding):
    tracee.open("/a", 3)
    tracee.fail("fchmod", 3, 0o600, error=1)
    tracee.fail("chmod", error=2, path="b")

    assert [(f.kind, f.file) for f in decoding.only(Failed)] == [
        ("attr", "/a"),
        ("attr", "/home/me/b"),
    ]


def test_names_are_bytes(tracee, decoding):
    tracee.call("unlink", parts={Part.PATH: b"/tmp/new\nline\xff"})

    assert decoding.one(NameChanged).file == "/tmp/new\nline\udcff"
