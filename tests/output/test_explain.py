"""What is said of calls, errors and events, and how it is laid out."""

from __future__ import annotations

import pytest

from scopetrace.output.explain import call_parts, explained_lines


@pytest.mark.parametrize("width", [40, 80, 100])
def test_lines_fit(width: int) -> None:
    lines = list(explained_lines(call_parts("openat"), width))

    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()).startswith("call long openat(int dirfd,")


def test_what_is_no_call_has_nothing_to_be_said_of() -> None:
    assert call_parts("nonsense") == []
