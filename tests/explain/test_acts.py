"""The words for acts: how calls are counted, and what is named of many."""

from __future__ import annotations

from collections import Counter

import pytest

from scopetrace.explain.acts import counted, listed


def test_calls_are_counted_in_their_order():
    calls = Counter({"open": 1, "read": 2, "access": 3, "getdents": 2, "close": 1})

    assert counted(calls) == "open, 2 reads, 3 accesses, 2 getdents, close"


@pytest.mark.parametrize(
    ("names", "expected"),
    [("a", "a"), ("ab", "a and b"), ("abcde", "a, b, c, d and e"),
     ("abcdef", "a, b, c, d and 2 more")],
)  # fmt: skip
def test_of_many_the_first_are_named(names, expected):
    assert listed(names) == expected
