"""Each argument of a call and what its value means, and the result."""

from __future__ import annotations

import pytest

from scopetrace.explain.arguments import arguments, result_text
from scopetrace.explain.subject import Subject
from scopetrace.syscalls.call import NOWHERE, WAS_THERE, Piece
from scopetrace.syscalls.descriptors import Files
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import rows
from support.packed_builder import call, pack_call, text

FILES = Files("/home/ann")
FILES.names.update({0: "/dev/null", 3: "/etc/hosts"})


def subject(name: str, *args: int, **facts) -> Subject:
    made = call(name, *args, **facts)
    return Subject(Recorded(1, made.time_ns, 1, 1, 70, "cat", *made[3:]), FILES)


def meanings(found: Subject) -> dict[str, tuple[str, ...]]:
    return {name: said for name, _, said in arguments(found)}


def test_each_flag_has_its_meaning():
    found = meanings(
        subject("openat", -100 & 0xFFFFFFFF, 0x2000, 0o101, 0o640, result=3, memory=[text(1, "a")])
    )

    assert found["dirfd"] == ("a relative path starts at the working folder, /home/ann",)
    assert found["pathname"] == ("/home/ann/a",)
    assert [said.partition(":")[0] for said in found["flags"]] == ["O_WRONLY", "O_CREAT"]
    assert found["mode"] == ("rw-r-----",)


def test_o_creat_says_whether_the_file_existed():
    memory = [text(1, "a"), Piece(WAS_THERE, 0, NOWHERE, b"\0")]

    found = subject("openat", -100 & 0xFFFFFFFF, 0x2000, 0o101, 0o640, result=3, memory=memory)

    assert meanings(found)["flags"][1].endswith("if it does not exist; it did not")


def test_descriptors_are_named_and_minus_one_is_none():
    assert meanings(subject("read", 3, 0x2000, 9, result=0))["fd"] == ("/etc/hosts",)
    assert meanings(subject("read", 0, 0x2000, 9, result=0))["fd"] == ("standard input, /dev/null",)
    assert meanings(subject("mmap", 0, 9, 3, 0x22, 2**64 - 1))["fd"] == ("no descriptor",)


def test_results():
    assert result_text(subject("openat", -100, 0, 0, result=3)).startswith("3: the descriptor")
    failed = result_text(subject("close", 9, result=-9))
    assert failed == "-1, and errno is EBADF (9): Bad file descriptor"
    assert result_text(subject("exit_group", 0, result=None)) == "it never returns"
    assert result_text(subject("pause", result=-514)) == "a signal interrupted it"


def test_every_call_has_its_arguments():
    data = pack_call([1] * 6)
    for row in rows():
        for abi, number in enumerate(row.numbers):
            if number is not None:
                made = Recorded(1, 0, 1, 1, 70, "cat", 70, abi, number, 0, data)
                found = Subject(made, FILES)
                assert all(value for _, value, _ in arguments(found)), row.name
                assert result_text(found), row.name


@pytest.mark.parametrize(
    ("name", "args", "result", "text"),
    [
        ("mmap", (0, 9, 1, 0x22), 0x7000, "0x7000"),
        ("shmat", (1, 0, 0), 0x7000, "0x7000"),
        ("brk", (0,), 0x7000, "0x7000"),
        ("umask", (0o77,), 0o22, "022"),
        ("read", (3, 0, 9), 18, "18"),
        ("fcntl", (3, 3), 1, "0x1 (flags O_WRONLY)"),
        ("personality", (0,), 8, "0x8 (PER_LINUX32)"),
    ],
)
def test_a_result_is_shown_as_its_call_returns_it(name, args, result, text):
    assert result_text(subject(name, *args, result=result)).partition(": ")[0] == text
