"""Who refuses, as path_resolution(7), inode(7) and capabilities(7) say."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from scopetrace.decode.refusal import (
    BY_OP,
    CREATES,
    HAS_ACL,
    IMMUTABLE,
    REMOVES,
    STICKY,
    Asker,
    Refusal,
    Step,
    Wanted,
    find_refusal,
    read_asker,
    wanted_by_access,
    wanted_by_open,
)

ROOT, ANN, BOB, STAFF = 0, 1000, 1001, 50
READ_ONLY = wanted_by_open(os.O_RDONLY, there=True)
STATUS = (
    b"Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t50 51 \n"
    b"CapPrm:\t00000000000000ff\nCapEff:\t0000000000000006\n"
)


def folder(name: str, mode: int = 0o755, uid: int = ROOT, gid: int = ROOT, bits: int = 0) -> Step:
    return Step(stat.S_IFDIR | mode, uid, gid, 1, bits, name)


def file(name: str, mode: int = 0o644, uid: int = ROOT, gid: int = ROOT, bits: int = 0) -> Step:
    return Step(stat.S_IFREG | mode, uid, gid, 1, bits, name)


def ask(steps: list[Step], wanted: Wanted, asker: Asker = Asker(ANN, ANN)) -> Refusal | None:  # noqa: B008
    return find_refusal(steps, "/d/f", asker, wanted)


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "groups", "allowed"),
    [
        (0o400, ANN, ROOT, (), True),
        (0o044, ANN, ROOT, (), False),  # the owner's bits count for the owner, and no others
        (0o040, ROOT, ANN, (), True),
        (0o040, ROOT, STAFF, (STAFF,), True),
        (0o404, ROOT, STAFF, (STAFF,), False),
        (0o440, ROOT, ROOT, (), False),
        (0o004, ROOT, ROOT, (), True),
    ],
)
def test_the_first_class_that_one_belongs_to_decides(mode, uid, gid, groups, allowed):
    path = file("/d/f", mode, uid, gid)
    found = ask([folder("/"), folder("/d"), path], READ_ONLY, Asker(ANN, ANN, frozenset(groups)))

    assert found == (None if allowed else Refusal(path, "read"))


def test_a_folder_on_the_way_needs_search_and_the_first_that_refuses_is_told():
    private = folder("/d", 0o700)

    assert ask([folder("/"), private], READ_ONLY) == Refusal(private, "search")
    inner = [folder("/"), folder("/d", 0o766), folder("/d/e", 0), file("/d/f")]
    assert ask(inner, READ_ONLY) == Refusal(inner[1], "search")


def test_a_new_file_needs_a_folder_that_may_be_written():
    steps = [folder("/"), folder("/d")]

    assert ask(steps, CREATES) == Refusal(steps[1], "write")
    assert ask([folder("/"), folder("/d", 0o757)], CREATES) is None


@pytest.mark.parametrize(
    ("flags", "there", "wanted"),
    [
        (os.O_RDONLY, True, Wanted(("read",))),
        (os.O_WRONLY | os.O_CREAT, True, Wanted(("write",), creates=True)),
        (os.O_RDWR, True, Wanted(("read", "write"))),
        (os.O_RDONLY | os.O_TRUNC, True, Wanted(("read", "write"))),
        (os.O_WRONLY | os.O_CREAT, False, CREATES),
        (os.O_RDONLY | os.O_NOATIME, True, Wanted(("read", "owner"))),
    ],
)
def test_open_needs_what_its_flags_say(flags, there, wanted):
    assert wanted_by_open(flags, there=there) == wanted


def test_a_watch_needs_to_read():
    path = file("/d/f", 0o200, uid=ANN)

    assert ask([folder("/d"), path], BY_OP["inotify_add_watch"]) == Refusal(path, "read")


def test_access_needs_what_it_asks_for():
    assert wanted_by_access(os.R_OK | os.X_OK) == Wanted(("read", "execute"))
    assert wanted_by_access(os.F_OK) == Wanted()


def test_a_sticky_folder_lets_owners_alone_remove():
    steps = [folder("/"), folder("/d", 0o1777), file("/d/f", uid=BOB)]

    assert ask(steps, REMOVES) == Refusal(steps[1], "owner", "sticky")
    assert ask(steps, REMOVES, Asker(BOB, BOB)) is None
    own = [folder("/"), folder("/d", 0o1777, uid=ANN), file("/d/f", uid=BOB)]
    assert ask(own, REMOVES) is None
    assert ask(steps, REMOVES, Asker(ANN, ANN, capabilities=1 << 3)) is None


@pytest.mark.parametrize(("bits", "obstacle"), [(0x10, "immutable"), (0x20, "append_only")])
def test_an_attribute_refuses_even_root(bits, obstacle):
    path = file("/d/f", bits=bits)
    root = Asker(ROOT, ROOT, capabilities=0xFF)

    assert ask([folder("/d"), path], BY_OP["truncate"], root) == Refusal(path, "write", obstacle)
    assert ask([folder("/d"), path], REMOVES, root) == Refusal(path, "owner", obstacle)
    assert ask([folder("/d"), path], BY_OP["link"], root) == Refusal(path, "owner", obstacle)
    assert ask([folder("/d"), path], READ_ONLY, root) is None


def test_capabilities_override_permissions_but_for_files_without_any_x():
    path, powerful = file("/d/f", 0o600), Asker(ANN, ANN, capabilities=1 << 1)

    assert ask([folder("/d", 0), path], READ_ONLY, powerful) is None
    assert ask([folder("/d"), path], BY_OP["execve"], powerful) == Refusal(path, "execute")
    reader = Asker(ANN, ANN, capabilities=1 << 2)
    assert ask([folder("/d", 0), path], READ_ONLY, reader) is None
    assert ask([folder("/d", 0), path], BY_OP["truncate"], reader) == Refusal(path, "write")


def test_only_the_owner_changes_a_mode_and_nobody_gives_a_file_away():
    path = file("/d/f", 0o666)

    assert ask([folder("/d"), path], BY_OP["chmod"]) == Refusal(path, "owner")
    own = file("/d/f", uid=ANN)
    assert ask([folder("/d"), own], BY_OP["chmod"]) is None
    assert ask([folder("/d"), own], BY_OP["chown"]) == Refusal(own, "CAP_CHOWN")


def test_who_asks_is_in_the_status_of_the_thread():
    assert read_asker(STATUS) == Asker(4, 8, frozenset((50, 51)), 6)
    assert read_asker(STATUS, real=True) == Asker(1, 5, frozenset((50, 51)), 0)
    root = STATUS.replace(b"Uid:\t1", b"Uid:\t0")
    assert read_asker(root, real=True) == Asker(0, 5, frozenset((50, 51)), 0xFF)
    assert read_asker(b"") is None
    assert read_asker(b"Uid:\tx\nGid:\t1\t1\t1\t1\n") is None


def test_a_file_of_another_in_a_sticky_folder_is_protected_from_root_as_well():
    steps = [folder("/"), folder("/d", 0o1777), file("/d/f", 0o666, uid=BOB)]
    creates = wanted_by_open(os.O_WRONLY | os.O_CREAT, there=True)
    root = Asker(ROOT, ROOT, capabilities=0xFF)

    assert ask(steps, creates, root) == Refusal(steps[2], "owner", "protected_regular")
    assert ask(steps, wanted_by_open(os.O_WRONLY, there=True), root) is None
    assert ask(steps, creates, Asker(BOB, BOB)) is None
    of_bob = [folder("/"), folder("/d", 0o1777, uid=BOB), file("/d/f", 0o666, uid=BOB)]
    assert ask(of_bob, creates, root) is None


def test_a_file_of_another_gets_no_other_name():
    path = file("/d/f", 0o666, uid=BOB)

    assert ask([folder("/d"), path], BY_OP["link"]) == Refusal(path, "owner", "protected_hardlinks")
    assert ask([folder("/d"), path], BY_OP["link"], Asker(BOB, BOB)) is None


def test_an_access_control_list_may_allow_what_the_mode_does_not():
    listed = folder("/d", 0o700, bits=HAS_ACL)
    path = file("/d/f", 0o600)

    assert ask([listed, path], READ_ONLY) == Refusal(path, "read")
    assert ask([listed], READ_ONLY) == Refusal(listed, "search", "acl")


def test_permissions_refuse_with_one_error_and_attributes_with_another():
    steps = [folder("/"), folder("/d", bits=0x10)]

    for error, obstacle in ((0, IMMUTABLE), (errno.EPERM, IMMUTABLE), (errno.EACCES, None)):
        found = find_refusal(steps, "/d/f", Asker(ANN, ANN), CREATES, error)
        assert found is not None and found.obstacle == obstacle
    closed = [folder("/", 0o700), folder("/d", 0o1777), file("/d/f")]
    found = find_refusal(closed, "/d/f", Asker(ANN, ANN), REMOVES, errno.EPERM)
    assert found is not None and found.obstacle == STICKY
