"""Progress is drawn on a terminal only, not in the first second, and is gone at the end."""

from __future__ import annotations

import io

import pytest

from scopetrace.output import progress
from scopetrace.output.progress import CLEAR, Progress, tracked


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock whose time is its only item."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_what_is_done_within_a_second_draws_nothing(clock: list[float]) -> None:
    terminal = Terminal()
    with Progress("exporting", 10, terminal) as drawn:
        for _ in range(10):
            clock[0] += 0.09
            drawn.step()
    assert terminal.getvalue() == ""


def test_the_line_is_replaced_ten_times_a_second_and_removed(clock: list[float]) -> None:
    terminal = Terminal()
    with Progress("exporting", 4000, terminal) as drawn:
        for _ in range(4):
            clock[0] += 0.6
            drawn.step(1000)
            drawn.step(0)
    shares = ((2, 50), (3, 75), (4, 100))
    lines = [f"exporting: {done},000 of 4,000 ({share} %)" for done, share in shares]
    assert terminal.getvalue() == "".join(f"{CLEAR}{line}" for line in lines) + CLEAR


def test_without_a_total_steps_are_counted(clock: list[float]) -> None:
    terminal = Terminal()
    drawn = Progress("reading", None, terminal)
    clock[0] += 1
    drawn.step(1234567)
    assert terminal.getvalue() == f"{CLEAR}reading: 1,234,567"


def test_where_there_is_no_terminal_nothing_is_drawn(clock: list[float]) -> None:
    pipe = io.StringIO()
    with Progress("exporting", 10, pipe) as drawn:
        clock[0] += 60
        drawn.step()
    assert pipe.getvalue() == ""


def test_items_pass_unchanged() -> None:
    assert list(tracked(iter("abc"), "reading", 3)) == ["a", "b", "c"]
