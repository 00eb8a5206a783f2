"""What belongs to a call: its descriptors' opening and closing, children, signals, locks."""

from __future__ import annotations

import struct

import pytest

from scopetrace.query import open_session, syscalls
from scopetrace.syscalls import chains
from scopetrace.syscalls.call import Piece
from support.packed_builder import call, end, record_calls, signal, text

CWD = -100 & 0xFFFFFFFF


@pytest.fixture
def chain(tmp_path):
    def find(number: int, *calls):
        with open_session(record_calls(tmp_path, calls)) as session:
            return session.syscall_query().chain(session.syscall(number))

    return find


def opened(at: float, fd: int = 3, path: str = "/a"):
    return call("openat", CWD, 0x2000, 0, 0, result=fd, at=at, memory=[text(1, path)])


def test_a_read_was_opened_before_and_is_closed_after(chain):
    (use,) = chain(
        3,
        opened(0.1),
        call("fstat", 3, 0, at=0.2),
        call("read", 3, 0, 9, result=9, at=0.3),
        call("read", 4, 0, 9, result=9, at=0.35),
        call("read", 3, 0, 9, result=0, at=0.4),
        call("close", 3, at=0.5),
        call("close", 3, result=-9, at=0.6),
    ).uses

    assert (use.fd, use.name, use.opened.id, use.closed.id) == (3, "/a", 1, 6)
    assert (dict(use.before), dict(use.after)) == ({"fstat": 1}, {"read": 1})


def test_a_descriptor_that_is_used_again_is_another_one(chain):
    (use,) = chain(
        4,
        opened(0.1),
        call("read", 3, 0, 9, result=9, at=0.2),
        call("close", 3, at=0.3),
        opened(0.4, path="/b"),
        call("read", 3, 0, 9, result=9, at=0.5),
        call("dup2", 5, 3, result=3, at=0.6),
    ).uses

    assert (use.name, use.opened, use.closed.name) == ("/b", None, "dup2")
    assert (dict(use.before), dict(use.after)) == ({}, {"read": 1})


def test_of_many_calls_those_next_to_a_call_are_counted(chain, monkeypatch):
    reads = [call("read", 3, 0, 9, result=9, at=at) for at in range(1, 100)]
    monkeypatch.setattr(chains, "MOST_RELATED", 20)
    monkeypatch.setattr(syscalls, "MOST_RELATED", 20)

    (use,) = chain(90, opened(0.1), *reads, call("close", 3, at=100))[0]
    (early,) = chain(11, opened(0.1), *reads, call("close", 3, at=100))[0]

    assert (use.opened.id, use.closed.name) == (1, "close")
    assert (use.before["read"], use.knows_before) == (19, False)
    assert (use.after["read"], use.knows_after) == (10, True)
    assert (early.before["read"], early.knows_before) == (9, True)
    assert (early.after["read"], early.knows_after, early.closed) == (19, False, None)


def test_who_started_a_child_is_the_last_that_did(chain):
    calls = [
        *(call("fork", result=71, at=at) for at in (0.1, 0.5)),
        call("wait4", 71, 0, 0, 0, result=71, at=0.6),
    ]

    assert [each.made.id for each in chain(3, *calls).related] == [2]


def test_a_child_and_who_waits_for_it(chain):
    status = Piece(1, 1, 0x3000, struct.pack("=i", 0))
    calls = (
        call("fork", result=71, at=0.1),
        call("execve", 0x1000, 0, 0, at=0.2, process=2, tid=71, memory=[text(0, "/bin/sh")]),
        call("exit_group", 0, result=None, at=0.3, process=2, tid=71),
        end(0, at=0.4, process=2, tid=71),
        call("wait4", CWD, 0x3000, 0, 0, result=71, at=0.15, took=0.4, memory=[status]),
    )

    def related(number):
        return {each.relation: each.made.name for each in chain(number, *calls).related}

    assert related(1) == {
        "then ran": "execve", "ended by": "exit_group", "waited for by": "wait4"
    }  # fmt: skip
    assert related(3) == {"waited for by": "wait4"}
    assert related(5) == {"started by": "fork", "ended by": "exit_group"}


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("kill", (71, 15)),
        ("tkill", (71, 15)),
        ("tgkill", (71, 71, 15)),
        ("pidfd_send_signal", (5, 15)),
    ],
)
def test_a_signal_arrives_and_interrupts(chain, op, args):
    calls = (
        call(op, *args, at=0.1),
        signal(b"\x0f" + bytes(47), at=0.2, process=2, tid=71),
        call("pause", result=-4, at=0.05, took=0.2, process=2, tid=71),
    )

    (arrived,) = chain(1, *calls).related
    (by,) = chain(3, *calls).related
    assert (arrived.relation, arrived.made.id) == ("arrived as", 2)
    assert (by.relation, by.made.id) == ("interrupted by", 2)


def test_the_last_signal_that_had_to_be_handled_interrupts(chain):
    (by,) = chain(
        4,
        signal(b"\x0c" + bytes(47), at=0.2),
        signal(b"\x0a" + bytes(47), at=0.3),
        signal(b"\x11" + bytes(47), at=0.4),
        call("pause", result=-4, at=0.1, took=0.5),
    ).related

    assert (by.relation, by.made.id) == ("interrupted by", 2)


def test_a_futex_is_woken_by_another_thread(chain):
    (woken,) = chain(
        1,
        call("futex", 0x9000, 0x80, 2, 0, at=0.1, took=0.3),
        call("futex", 0x8000, 0x81, 1, result=1, at=0.2, tid=72),
        call("futex", 0x9000, 0x81, 1, result=1, at=0.3, tid=72),
    ).related

    assert (woken.relation, woken.made.id) == ("woken by", 3)
