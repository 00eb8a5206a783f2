from __future__ import annotations

from scopetrace.decode.files import DecodedFile
from scopetrace.decode.tasks import CLONE_FILES, CLONE_FS, CLONE_NEWNS, Tree


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


def test_a_new_mount_namespace_has_its_own_folders():
    tree = Tree()
    task, _ = tree.adopt(1, 1, 0)
    other = tree.clone(task, 1, 2, CLONE_FS, 0)

    tree.unshare(other, CLONE_NEWNS)

    assert other.folders is not task.folders


def test_the_last_task_takes_its_process_and_its_table_along():
    tree = Tree()
    task, _ = tree.adopt(1, 1, 0)
    other = tree.clone(task, 1, 2, CLONE_FILES, 0)

    assert not tree.remove(task)
    assert tree.groups
    assert tree.remove(other)
    assert not tree.groups
    assert not tree.tasks
