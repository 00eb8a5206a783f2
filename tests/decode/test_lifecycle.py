from __future__ import annotations

import errno
import grp
import os
import pwd
import signal

import pytest

from scopetrace.decode.lifecycle import program_name, read_status, wait_status
from scopetrace.decode.tasks import fork_name
from scopetrace.model.operation import (
    Closed,
    Executed,
    Exited,
    Failed,
    Forked,
    ImageEnded,
    ImageStarted,
    Leaving,
    NameChanged,
    Noticed,
    Opened,
    Signalled,
    Written,
)
from scopetrace.model.raw import IDS, Part, RawKind
from support.raw_builder import MILLISECOND, Tracee, pack_stat, status_text, strings

THREAD = 0x50F00
"""What the C library makes a thread with, more or less."""


def test_the_facts_of_a_program_are_those_of_its_exec(tracee, decoding):
    user, group = pwd.getpwuid(1), grp.getgrgid(2)
    parts = {
        Part.ENVIRON: strings("HOME=/root", "EMPTY="),
        Part.STATUS: status_text(uid=1, gid=2, ppid=77),
        Part.EXE: b"/usr/bin/python3.11",
        Part.CWD: b"/srv",
    }
    tracee.exec("/usr/bin/python3", "python3", "", "a b", parts=parts)

    executed = decoding.one(Executed)

    image = executed.image
    assert (image.proc, image.exe, image.cmd) == (
        "python3",
        "/usr/bin/python3.11",
        "python3  a b",
    )
    assert image.args == ("python3", "", "a b")
    assert image.env == ("HOME=/root", "EMPTY=")
    assert (image.pid, image.ppid, image.cwd) == (100, 77, "/srv")
    assert (image.uid, image.gid) == (1, 2)
    assert (image.username, image.groupname) == (user.pw_name, group.gr_name)
    assert user.pw_name != group.gr_name


def test_a_command_line_says_how_many_arguments_are_missing(tracee, decoding):
    parts = {Part.ENVIRON: strings("A=1")}
    tracee.exec("/bin/x", "x", "a", missing=(1480, 7), parts=parts)
    tracee.fork(200)

    operations = decoding.go()

    images = [op.image for op in operations if isinstance(op, ImageStarted)]
    assert [image.args_missing for image in images] == [1480, 1480]
    assert [image.env_missing for image in images] == [7, 7]
    assert images[0].args == ("x", "a")
    assert images[0].cmd == "x a ... (1480 more)"


def test_an_exec_puts_one_image_in_place_of_another(tracee, decoding):
    tracee.exec("/bin/next")

    ended, started, executed = decoding.go()

    assert isinstance(ended, ImageEnded)
    assert isinstance(started, ImageStarted)
    assert ended.replaced
    assert started.seen
    assert executed.image is started.image
    assert started.image.parent == ended.image.id < started.image.id


def test_the_first_program_was_not_seen_being_made(start):
    tracee = Tracee()
    tracee.inherit(1, "/dev/pts/0")
    tracee.exec("/bin/true")

    seen = [o.seen for o in start(tracee).go() if isinstance(o, ImageStarted)]

    assert seen == [False, True]


def test_a_process_that_was_not_seen_starting_has_no_facts_but_its_number(start):
    tracee = Tracee()
    tracee.inherit(1, "/dev/pts/0")

    image = start(tracee).one(ImageStarted).image

    assert (image.pid, image.parent, image.ancestors) == (100, 0, ())
    assert (image.proc, image.exe, image.cmd, image.args, image.env) == ("", "", "", (), ())
    assert (image.args_missing, image.env_missing) == (0, 0)
    assert (image.uid, image.gid, image.username, image.groupname) == (-1, -1, "", "")


def test_another_user_is_another_image_of_the_same_program(tracee, decoding):
    tracee.call("setgid", 2, result=0, parts={Part.STATUS: status_text(uid=1000, gid=2)})
    tracee.call("setuid", 1, result=0, parts={Part.STATUS: status_text(uid=1, gid=2)})
    tracee.call("setuid", 1, result=0, parts={Part.STATUS: status_text(uid=1, gid=2)})
    tracee.fail("setuid", 0, error=errno.EPERM)

    images = [o.image for o in decoding.go() if isinstance(o, ImageStarted)]

    assert [(image.uid, image.gid) for image in images] == [(1000, 2), (1, 2)]
    assert images[1].username == pwd.getpwuid(1).pw_name
    assert images[1].groupname == grp.getgrgid(2).gr_name
    assert images[1].parent == images[0].id
    assert (images[1].pid, images[1].proc) == (images[0].pid, images[0].proc)


@pytest.mark.parametrize(
    ("path", "exe", "name"),
    [
        ("/usr/bin/python3", "/usr/bin/python3.11", "python3"),
        ("./build.sh", "/bin/dash", "build.sh"),
        ("prog", "/x/prog", "prog"),
        ("", "/x/prog", "prog"),
        ("/proc/self/exe", "/opt/app/server", "server"),
        ("/dev/fd/5", "/memfd:payload", "memfd:payload"),
        ("/", "/x", "/"),
    ],
)
def test_a_program_is_called_as_it_was_run(path, exe, name):
    assert program_name(path, exe) == name


def test_exec_closes_what_the_kernel_no_longer_lists(tracee, decoding):
    tracee.open("/stays", 3, flags=os.O_CLOEXEC)  # cleared since, by a call nobody watches
    tracee.open("/goes", 4)
    tracee.exec("/bin/next", fds=[0, 1, 2, 3])
    tracee.write(3, b"x")

    operations = decoding.go()

    closed = [o for o in operations if isinstance(o, Closed)]
    assert [(c.op, c.file.path) for c in closed] == [("execve", "/goes")]
    assert closed[0].image.proc == "prog"
    assert operations[-1].file.path == "/stays"


def test_exec_closes_what_was_marked_if_the_engine_listed_no_fds(tracee, decoding):
    tracee.open("/stays", 3)
    tracee.open("/goes", 4, flags=os.O_CLOEXEC)
    tracee.exec("/bin/next")

    assert [closed.file.path for closed in decoding.only(Closed)] == ["/goes"]


def test_exec_closes_nothing_if_as_many_fds_are_open_as_before(tracee, decoding):
    tracee.open("/stays", 3, flags=os.O_CLOEXEC)  # cleared since
    tracee.exec("/bin/next", missing=(0, 0, 1))
    tracee.exec("/bin/last")

    assert decoding.only(Closed) == []


def test_who_a_program_is_follows_from_ids_rather_than_from_the_status(tracee, decoding):
    ids = {Part.IDS: IDS.pack(77, 66, 1, 2), Part.STATUS: status_text(uid=9, gid=9, ppid=9)}
    tracee.exec("/bin/next", parts=ids)
    tracee.add(RawKind.EXIT)

    exited = decoding.one(Exited)

    assert (exited.image.ppid, exited.process_group) == (77, 66)
    assert (exited.image.uid, exited.image.gid) == (1, 2)


def test_a_process_that_is_about_to_end_has_fds_threads_and_memory(tracee, decoding):
    tracee.add(RawKind.LEAVE, args=(7, 3, 900, 80))

    left = decoding.one(Leaving)

    assert left[2:] == (7, 3, 900, 80)
    assert left.image.pid == 100


def test_an_exec_by_a_thread_ends_all_others_and_takes_the_leaders_place(tracee, decoding):
    tracee.open("/a", 3)
    tracee.fork(101, group=100, flags=THREAD)
    tracee.fork(102, group=100, flags=THREAD)
    tracee.call("unshare", 0x600, tid=101)
    tracee.call("chdir", tid=101, parts={Part.CWD: b"/thread", Part.ROOT: b"/"})
    tracee.exec("/bin/next", former=101, parts={Part.CWD: b""})
    tracee.call("unlink", parts={Part.PATH: b"x"})
    tracee.exit()

    assert decoding.only(NameChanged)[0].file == "/thread/x"
    assert decoding.decoder.state.tree.tasks == {}
    assert decoding.decoder.state.tree.groups == {}


def test_an_exec_unshares_a_table_shared_by_two_processes(tracee, decoding):
    tracee.open("/a", 3, flags=os.O_CLOEXEC)
    tracee.fork(200, flags=0x400)
    tracee.exec("/bin/next", pid=200)
    tracee.write(3, b"x")

    assert decoding.one(Written).file.path == "/a"


def test_a_failed_exec_names_the_program(tracee, decoding):
    tracee.fail("execve", error=2, path="bin/missing")
    tracee.call("execve", result=0)

    failed = decoding.one(Failed)

    assert (failed.kind, failed.file) == ("exec", "/home/me/bin/missing")


@pytest.mark.parametrize(
    ("mode", "owner", "owning_group", "caps", "no_new_privs", "noticed"),
    [
        (0o104755, 0, 0, b"", 1, True),
        (0o104755, 0, 1001, b"", 1, True),
        (0o104755, 1001, 1001, b"", 1, True),
        (0o102755, 0, 0, b"", 1, True),
        (0o102755, 1000, 0, b"", 1, True),
        (0o102755, 1000, 1000, b"", 1, True),
        (0o100755, 0, 0, b"\1", 1, True),
        (0o104755, 0, 0, b"", 0, False),
        (0o104755, 1000, 0, b"", 1, False),
        (0o102755, 0, 1001, b"", 1, False),
        (0o102644, 0, 0, b"", 1, False),
        (0o100755, 0, 0, b"", 1, False),
    ],
)
def test_a_program_without_the_privilege_of_its_file(
    tracee, decoding, mode, owner, owning_group, caps, no_new_privs, noticed
):
    parts = {
        Part.STAT: pack_stat(mode, uid=owner, gid=owning_group),
        Part.STATUS: status_text(no_new_privs=no_new_privs),
    }
    if caps:
        parts[Part.CAPS] = caps
    tracee.exec("/usr/bin/sudo", parts=parts)

    reasons = [notice.reason for notice in decoding.only(Noticed)]

    assert reasons == (["privilege"] if noticed else [])


def test_a_child_is_its_parent_until_it_execs(tracee, decoding):
    tracee.fork(200)

    started, forked = decoding.go()

    assert isinstance(started, ImageStarted)
    assert isinstance(forked, Forked)
    child = started.image
    assert (child.pid, child.ppid, child.proc, child.args) == (200, 100, "prog", ("prog", "x"))
    assert child.parent == forked.image.id
    assert child.ancestors == ("prog", "")[:1]
    assert (forked.op, forked.child_pid) == ("fork", 200)


def test_ancestors_are_processes_not_the_programs_they_were(tracee, decoding):
    tracee.exec("/bin/sh")
    tracee.fork(200)
    tracee.exec("/usr/bin/make", pid=200)
    tracee.fork(300, pid=200)

    started = decoding.only(ImageStarted)

    assert started[-1].image.ancestors == ("make", "sh")


def test_a_thread_makes_no_operation(tracee, decoding):
    tracee.fork(101, group=100, flags=THREAD)
    tracee.exit(tid=101)

    assert decoding.go() == []


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        (17, "fork"),
        (0x01200011, "fork"),
        (0x4111, "vfork"),
        (0x4100, "vfork"),
        (0x111, "clone"),
        (0x20000011, "clone"),
    ],
)
def test_a_fork_is_called_by_what_its_flags_amount_to(flags, name):
    assert fork_name(flags) == name


def test_a_child_of_the_parents_parent(tracee, decoding):
    tracee.fork(200, flags=0x8000 | 17)

    assert decoding.one(ImageStarted).image.ppid == 50


def test_files_still_open_are_closed_by_the_end(tracee, decoding):
    tracee.open("/a", 3)
    tracee.tally(3, 1, 4, 2)
    tracee.exit(3 << 8)

    opened, closed, exited, ended = decoding.go()

    assert isinstance(opened, Opened)
    assert isinstance(exited, Exited)
    assert (closed.op, closed.usage.read_bytes) == ("exit", 4)
    assert (exited.exit_code, exited.signal, exited.usage) == (3, None, (10, 20, 3000, 4, 5, 25))
    assert ended.exit_code == 3
    assert not ended.replaced


def test_the_duration_of_a_process_starts_at_its_fork(tracee, decoding):
    tracee.fork(200)
    tracee.exec("/bin/next", pid=200)
    tracee.exit(pid=200)

    assert decoding.one(Exited).duration_ns == 2 * MILLISECOND


def test_a_shared_table_lives_as_long_as_its_last_user(tracee, decoding):
    tracee.open("/a", 3)
    tracee.fork(200, flags=0x400 | 17)
    tracee.exit()
    assert decoding.only(Closed) == []

    tracee.exit(pid=200)
    assert decoding.one(Closed).op == "exit"


def test_a_zombie_leader_does_not_end_the_process(tracee, decoding):
    tracee.fork(101, group=100, flags=THREAD)
    tracee.call("unlink", tid=101, parts={Part.PATH: b"x"})
    tracee.exit(tid=101)
    tracee.exit()

    assert [type(o) for o in decoding.go()] == [NameChanged, Exited, ImageEnded]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, (0, None, False)),
        (3 << 8, (3, None, False)),
        (9, (None, 9, False)),
        (11 | 0x80, (None, 11, True)),
        (0x137F, (None, None, False)),
        (-5, (None, None, False)),
    ],
)
def test_a_wait_status_is_read_as_waitpid_has_it(status, expected):
    assert wait_status(status) == expected


def test_wait_statuses_agree_with_the_standard_library():
    for status in [*range(0, 0x7F), *(code << 8 for code in range(256))]:
        code, number, _core = wait_status(status)
        assert (code if number is None else -number) == os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize(
    ("number", "code", "sender"),
    [
        (signal.SIGTERM, 0, (7, 8)),
        (signal.SIGTERM, -6, (7, 8)),
        (signal.SIGCHLD, 1, (7, 8)),
        (signal.SIGSEGV, 1, (0, 0)),
        (signal.SIGALRM, 0x80, (0, 0)),
    ],
)
def test_a_signal_names_its_sender_if_it_has_one(tracee, decoding, number, code, sender):
    tracee.add(RawKind.SIGNAL, args=(number, code, 7, 8, 1))

    signalled = decoding.one(Signalled)

    assert (signalled.signal, signalled.code) == (number, code)
    assert (signalled.sender_pid, signalled.sender_uid) == sender


@pytest.mark.parametrize(
    ("number", "code", "address"),
    [
        (signal.SIGSEGV, 1, 0x800000007),
        (signal.SIGBUS, 0x7F, 0x800000007),
        (signal.SIGSEGV, 0x80, None),
        (signal.SIGSEGV, 0, None),
        (signal.SIGSEGV, -6, None),
        (signal.SIGALRM, 1, None),
    ],
)
def test_a_fault_has_an_address_unless_it_was_sent(number, code, address, tracee, decoding):
    tracee.add(RawKind.SIGNAL, args=(number, code, 7, 8, 1))

    assert decoding.one(Signalled).address == address


def test_the_status_file_gives_effective_ids():
    assert read_status(status_text(uid=5, gid=6, ppid=7, no_new_privs=1)) == {
        "PPid": 7,
        "Uid": 5,
        "Gid": 6,
        "NoNewPrivs": 1,
    }
    assert read_status(b"Uid:\tx\nGid:\t1\nnonsense") == {}


def test_a_number_used_again_is_another_process(tracee, decoding):
    tracee.fork(200)
    tracee.fork(200)
    tracee.exit(pid=200)

    started = decoding.decoder.state.tree.images
    assert len(decoding.only(ImageEnded)) == 2
    assert decoding.decoder.state.tree.images == started + 2


def test_processes_that_ended_are_forgotten(tracee, decoding):
    for child in range(1000, 3000):
        tracee.fork(child)
        tracee.exec("/bin/true", pid=child)
        tracee.open("/a", 3, pid=child)
        tracee.exit(pid=child)
    decoding.go()

    tree = decoding.decoder.state.tree
    assert set(tree.tasks) == {100}
    assert set(tree.groups) == {100}


def test_a_chain_of_daemons_keeps_a_bounded_line_of_ancestors(tracee, decoding):
    for child in range(101, 300):
        tracee.fork(child, pid=child - 1)
        tracee.exit(pid=child - 1)

    assert len(decoding.only(ImageStarted)[-1].image.ancestors) == 64


def test_a_child_that_has_the_number_of_a_thread_of_its_parent_ends_only_that_thread(
    tracee, decoding
):
    tracee.fork(101, flags=THREAD, group=100)
    tracee.fork(101)
    tracee.exit()

    kinds = [type(operation).__name__ for operation in decoding.go()]
    assert kinds == ["ImageStarted", "Forked", "Exited", "ImageEnded"]


def test_a_child_that_has_the_number_of_its_own_leader_makes_no_sense(tracee, decoding):
    tracee.fork(101, flags=THREAD, group=100)
    tracee.fork(100, tid=101)
    tracee.exit()

    assert [type(op).__name__ for op in decoding.go()] == ["Exited", "ImageEnded"]


def test_what_is_open_when_recording_ends_is_closed_once_for_each_table(tracee, decoding):
    tracee.open("/a", 3)
    tracee.fork(101, group=100, flags=THREAD)
    tracee.tally(3, 0, 0, 0, 1, 5, 20)
    tracee.fork(200)
    tracee.tally(3, 0, 0, 0, 2, 7, 20, pid=200, tid=200)
    tracee.add(RawKind.END, pid=0, tid=0, args=(0, 0, 0, 0, 0, 0))

    closed = [(c.image.pid, c.op, c.usage.write_bytes) for c in decoding.only(Closed)]

    assert closed == [(100, "stop", 5), (200, "stop", 7)]
