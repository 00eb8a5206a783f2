"""Signals that are sent: which fail, and to whom SIGKILL goes."""

from __future__ import annotations

import errno

import pytest

from scopetrace.model.operation import Exited, KillSent, ProcessFailed
from scopetrace.model.raw import RESULT_UNKNOWN, Part


def status(pid: int, group: int) -> dict[int, bytes]:
    """Return the part of a record that says of which process group a process is (proc(5))."""
    lines = f"Name:\tx\nPPid:\t50\nNSpid:\t{pid}\nNSpgid:\t{group}\nNSsid:\t1\n"
    return {Part.STATUS: lines.encode()}


@pytest.mark.parametrize(
    ("row", "args", "what"),
    [
        ("kill", (1, 15), "SIGTERM to 1"),
        ("kill", (-5, 0), "signal 0 to -5"),
        ("tkill", (7, 9), "SIGKILL to thread 7"),
        ("rt_tgsigqueueinfo", (7, 8, 10), "SIGUSR1 to thread 8 of 7"),
        ("pidfd_send_signal", (3, 15), "SIGTERM to pidfd 3"),
        ("setpgid", (0, 7), "0 into group 7"),
        ("setsid", (), ""),
    ],
)
def test_a_refused_call_says_what_it_was_about(row, args, what, tracee, decoding):
    tracee.fail(row, *args, error=errno.EPERM)

    failed = decoding.one(ProcessFailed)
    assert (failed.op, failed.what, failed.errno) == (row, what, errno.EPERM)


@pytest.mark.parametrize(
    ("row", "args", "what", "target", "group"),
    [
        ("kill", (70, 9), "SIGKILL to 70", 70, 0),
        ("rt_sigqueueinfo", (70, 9), "SIGKILL to 70", 70, 0),
        ("kill", (-70, 9), "SIGKILL to -70", 0, 70),
        ("kill", (0, 9), "SIGKILL to 0", 0, 33),
        ("kill", (-1, 9), "SIGKILL to -1", 0, -1),
        ("tgkill", (70, 71, 9), "SIGKILL to thread 71 of 70", 70, 0),
        ("tkill", (100, 9), "SIGKILL to thread 100", 100, 0),
        ("tkill", (7, 9), "SIGKILL to thread 7", 0, 0),
        ("pidfd_send_signal", (3, 9, 0, 0, 70), "SIGKILL to pidfd 3", 70, 0),
        ("pidfd_send_signal", (-100, 9, 0, 0, 0), "SIGKILL to pidfd -100", 0, 0),
    ],
)
def test_who_sends_sigkill_to_whom(row, args, what, target, group, tracee, decoding):
    tracee.exec("/bin/next", parts=status(100, 33))

    tracee.call(row, *args)

    sent = decoding.one(KillSent)
    assert (sent.op, sent.what) == (row, what)
    assert (sent.target_pid, sent.target_group) == (target, group)


def test_a_process_that_kills_itself_does_not_see_the_call_return(tracee, decoding):
    tracee.call("kill", 100, 9, result=RESULT_UNKNOWN)

    assert decoding.one(KillSent).target_pid == 100


@pytest.mark.parametrize(("number", "result"), [(15, 0), (0, 0), (15, RESULT_UNKNOWN)])
def test_other_signals_are_known_by_their_delivery(number, result, tracee, decoding):
    tracee.call("kill", 70, number, result=result)

    assert decoding.only(KillSent) == []


def test_the_group_of_a_process_is_inherited_and_changed(tracee, decoding):
    tracee.exec("/bin/next", parts=status(100, 33))
    for child in range(200, 205):
        tracee.fork(child)
    tracee.call("setpgid", 201, 400)
    tracee.call("setpgid", 0, 0, pid=202)
    tracee.call("setpgid", 0, 9, pid=203)
    tracee.call("setsid", pid=204)
    for child in range(200, 205):
        tracee.exit(pid=child)

    groups = [(ended.image.pid, ended.process_group) for ended in decoding.only(Exited)]
    assert groups == [(200, 33), (201, 400), (202, 202), (203, 9), (204, 204)]
