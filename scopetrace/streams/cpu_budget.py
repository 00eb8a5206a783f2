"""How much CPU time reading one flow may take.

The recorder reads what strangers send, and while it reads, the program may have to wait for it. So
each flow has a budget of CPU time: some to begin with, and more for every piece, every byte and
every item that is read of it. Reading ordinary traffic takes a fraction of what it earns. What is
made to keep a parser busy (empty frames, blocks that unfold, names that lead through pointers) uses
the budget up, and the flow is read no further.

1. To ask for CPU time takes as long as much of the reading, so at first the time that passes is
   counted, which is no less.
2. Of a flow that has used its budget up by that, CPU time is counted, from a new budget.
3. Nor is that exact: the pause of a virtual machine may count as CPU time. So this budget has to be
   used up twice, unless the flow has earned half of it back in between.

A stranger may open many connections. So each flow of a process that was given up halves the budget
that later ones begin with: what they earn is enough for ordinary traffic.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns, thread_time_ns

FIRST_NS = 200_000_000
"""What a flow has at first, and the most that it can have."""
LEAST_NS = 10_000_000
"""The same, where many flows of the process were given up."""
PER_PIECE_NS = 100_000
"""For each call of the program that transferred bytes: recording it took about as much."""
PER_BYTE_NS = 200
PER_ITEM_NS = 50_000
"""For each item (`Reader.items`)."""


class CpuBudget:
    """What reading one flow may still take.

    Args:
        given_up: how many flows of the process were given up before.
    """

    __slots__ = ("_left_ns", "_most_ns", "_used_up", "bytes", "clock_ns", "taken_ns")

    def __init__(self, given_up: int = 0) -> None:
        self._left_ns = self._most_ns = max(FIRST_NS >> min(given_up, 20), LEAST_NS)
        self._used_up = False
        """It was used up once, and half of it has not been earned back."""
        self.clock_ns: Callable[[], int] = monotonic_ns
        """The clock: all time that passes, or CPU time of this thread."""
        self.bytes = 0
        """Bytes that were read, both ways, since CPU time is counted."""
        self.taken_ns = 0
        """Time that reading them took."""

    def pay(self, taken_ns: int, size: int, items: int) -> bool:
        """Pay for reading `size` bytes, in which `items` were found; return false if it cannot."""
        self.bytes += size
        self.taken_ns += taken_ns
        left = self._left_ns + PER_PIECE_NS + PER_BYTE_NS * size + PER_ITEM_NS * items - taken_ns
        if left >= self._most_ns:
            left, self._used_up = self._most_ns, False
        elif left < 0:
            if self._used_up:
                return False
            left = self._use_up()
        self._left_ns = left
        return True

    def _use_up(self) -> int:
        """Note that the budget is used up, and return what is left all the same."""
        if self.clock_ns is monotonic_ns:
            self.clock_ns = thread_time_ns
            self.bytes = self.taken_ns = 0
            return self._most_ns
        self._used_up = True
        return self._most_ns // 2
