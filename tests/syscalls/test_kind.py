"""Kinds as the rows of the tables write them."""

from __future__ import annotations

from scopetrace.syscalls.call import Phase
from scopetrace.syscalls.kind import Kind, parse_kind


def test_a_value_in_a_register_has_no_phase() -> None:
    assert parse_kind("flags(open)") == Kind("flags", ("open",), ())


def test_marks_say_when_the_memory_holds_it() -> None:
    assert parse_kind(">path") == Kind("path", (), (Phase.ENTRY,))
    assert parse_kind("<bytes(result)") == Kind("bytes", ("result",), (Phase.EXIT,))
    assert parse_kind("<>array(pollfd,nfds)") == Kind(
        "array", ("pollfd", "nfds"), (Phase.ENTRY, Phase.EXIT)
    )
