"""A call that is explained: its words, and what its arguments are."""

from __future__ import annotations

import pytest

from scopetrace.explain.subject import Subject, names_in
from scopetrace.syscalls.descriptors import Files
from scopetrace.syscalls.recorded import Recorded
from support.packed_builder import call, text


def subject(name: str, *args: int, **facts) -> Subject:
    made = call(name, *args, **facts)
    return Subject(Recorded(1, made.time_ns, 1, 1, 70, "cat", *made[3:]), Files("/home/ann"))


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("O_RDONLY|O_CLOEXEC", ["O_RDONLY", "O_CLOEXEC"]),
        ('"O_CREAT is text", SEEK_SET', ["SEEK_SET"]),
        (r'"a\"O_CREAT"..., 3</tmp/O_TRUNC>, 5', []),
        ("{sa_handler=SIG_IGN, sa_flags=0}", ["SIG_IGN"]),
    ],
)
def test_names_are_found_outside_of_text(printed, expected):
    assert names_in(printed) == expected


def test_the_words_of_a_call():
    found = subject("openat", -100, 0x2000, 0o100, 0o644, result=-2, memory=[text(1, "a")])

    assert found.has("O_CREAT") and found.has("ENOENT") and found.has("O_CREAT+AT_FDCWD")
    assert found.has("mode=0644") and not found.has("=0") and not found.has("O_CREAT+O_TRUNC")


def test_a_path_is_absolute_and_a_missing_argument_is_empty():
    found = subject("openat", -100 & 0xFFFFFFFF, 0x2000, 0, result=3, memory=[text(1, "a")])

    assert found.path("pathname") == "/home/ann/a"
    assert (found.path("other"), found.value("other"), found.number("other")) == ("", None, 0)
    assert found.first("openflags", "fd") == "flags"
