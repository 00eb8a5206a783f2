from __future__ import annotations

import pytest

from scopetrace.decode.files import DecodedFile
from scopetrace.decode.tasks import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    CLONE_PARENT,
    MOST_ANCESTORS,
    Tree,
    fork_name,
)


def test_what_is_shared_is_one_object_and_what_is_copied_is_not():
    tree = Tree()
    task, is_new = tree.adopt(1, 1, 0)

    thread = tree.clone(task, 1, 2, CLONE_FILES | CLONE_FS, 0)
    child = tree.clone(task, 3, 3, 0, 0)

    assert is_new
    assert thread.table is task.table
    assert thread.folders is task.folders
    assert thread.group is task.group
    assert child.table is not task.table
    assert child.folders is not task.folders
    assert child.group.image.parent == task.group.image.id


def test_unsharing_what_is_not_shared_keeps_it():
    tree = Tree()
    task, _ = tree.adopt(1, 1, 0)
    table = task.table

    tree.unshare(task, CLONE_FILES)

    assert task.table is table
    assert table.users == 1


def test_an_unshared_table_has_the_same_files():
    tree = Tree()
    task, _ = tree.adopt(1, 1, 0)
    task.table.open(3, DecodedFile("/a", None, 0), False)
    other = tree.clone(task, 1, 2, CLONE_FILES, 0)

    tree.unshare(other, CLONE_FILES)

    assert other.table is not task.table
    assert other.table.fds == task.table.fds
    assert (task.table.users, other.table.users) == (1, 1)


@pytest.mark.parametrize(
    ("flags", "shared"),
    [(CLONE_FS, False), (CLONE_NEWNS, False), (CLONE_NEWUSER, False), (CLONE_FILES, True)],
)
def test_a_new_namespace_of_mounts_or_users_has_its_own_folders(flags, shared):
    tree = Tree()
    task, _ = tree.adopt(1, 1, 0)
    other = tree.clone(task, 1, 2, CLONE_FS, 0)

    tree.unshare(other, flags)

    assert (other.folders is task.folders) is shared


def test_a_thread_that_was_not_seen_to_begin_shares_all():
    tree = Tree()
    task, _ = tree.adopt(1, 1, 0)
    other, is_new = tree.adopt(1, 2, 0)

    assert not is_new
    assert (other.table, other.folders, other.group) == (task.table, task.folders, task.group)
    assert not tree.remove(task)
    assert tree.remove(other)


@pytest.mark.parametrize(("flags", "ppid"), [(0, 3), (CLONE_PARENT, 2)])
def test_a_child_is_of_its_maker_or_of_the_makers_parent(flags, ppid):
    tree = Tree()
    group = tree.adopt(3, 3, 0)[0].group
    group.image.ppid, group.image.proc, group.process_group = 2, "sh", 9
    group.image.ancestors = tuple(map(str, range(MOST_ANCESTORS)))
    child = tree.clone(tree.tasks[3], 4, 4, flags, 0).group

    assert (child.image.ppid, child.process_group) == (ppid, 9)
    assert child.image.ancestors == ("sh", *group.image.ancestors[:-1])


def test_a_process_whose_number_another_one_has_by_now_ends_alone():
    tree = Tree()
    stale, _ = tree.adopt(1, 1, 0)
    other, _ = tree.adopt(2, 2, 0)
    later = tree.clone(other, 1, 3, 0, 0)

    tree.remove(stale)

    assert tree.groups[1] is later.group


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        (17, "fork"),
        (0x01200011, "fork"),
        (0x4000 | 17, "vfork"),
        (0x4100, "vfork"),
        (0x100, "clone"),
        (CLONE_FILES, "clone"),
    ],
)
def test_flags_amount_to_a_call(flags, name):
    assert fork_name(flags) == name


def test_the_last_task_takes_its_process_and_its_table_along():
    tree = Tree()
    task, _ = tree.adopt(1, 1, 0)
    other = tree.clone(task, 1, 2, CLONE_FILES, 0)

    assert not tree.remove(task)
    assert tree.groups
    assert tree.remove(other)
    assert not tree.groups
    assert not tree.tasks


def test_a_process_that_was_not_seen_to_begin_has_no_known_parent():
    tree = Tree()
    task, is_new = tree.adopt(5, 6, 9)
    again, is_new_again = tree.adopt(5, 7, 10)
    image = task.group.image

    assert (is_new, is_new_again) == (True, False)
    assert (image.pid, image.ppid, image.started_ns, image.id) == (5, 0, 9, 1)
    assert again.group is task.group
    assert tree.images == 1
