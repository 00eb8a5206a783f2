"""When events happened: as a time of day, since the start of the session, or since the last one."""

from __future__ import annotations

from scopetrace.output.units import format_microseconds, format_stamp

MODES = ("abs", "rel", "delta")
"""Local time; seconds since the session began; seconds since the event that was shown before."""
CLOCK_COLUMNS = len("12:10:57.123")


class EventTimes:
    """Formats the times of events that are shown one after the other, to the millisecond.

    Args:
        mode: one of MODES.
        start_ns: Unix time at which the session began, for `rel`.
    """

    def __init__(self, mode: str = "abs", start_ns: int = 0) -> None:
        self._mode = mode
        self._since_ns = start_ns if mode == "rel" else None
        self._second = -1
        self._stamp = ""

    def format(self, time_ns: int, short: bool = False) -> str:
        """Return `Jul 12 02:11:15.999`, `+0.250`, or for a `short` local time no date."""
        if self._mode == "abs":
            stamp = self._local(time_ns)
            return stamp[-CLOCK_COLUMNS:] if short else stamp
        before_ns = time_ns if self._since_ns is None else self._since_ns
        if self._mode == "delta":
            self._since_ns = time_ns
        return f"{(time_ns - before_ns) / 1e9:+.3f}"

    def _local(self, time_ns: int) -> str:
        second, rest = divmod(time_ns, 1_000_000_000)
        if second != self._second:
            self._second, self._stamp = second, format_stamp(second)
        return f"{self._stamp}.{rest // 1_000_000:03}"


class Waits:
    """Finds where the session, or one of its processes, made no event for a while.

    Args:
        least_ns: how long at least.
    """

    def __init__(self, least_ns: int) -> None:
        self._least_ns = least_ns
        self._last_ns: int | None = None
        self._last_of: dict[int, int] = {}
        """Pid → time of the last event of that process."""

    def before(self, time_ns: int, pid: int, name: str) -> str:
        """Return the line to show before an event of process `name`; empty: none waited."""
        session_ns = self._since(self._last_ns, time_ns)
        process_ns = self._since(self._last_of.get(pid), time_ns)
        self._last_ns = self._last_of[pid] = time_ns
        if session_ns >= self._least_ns:
            return f"--- {format_microseconds(session_ns // 1000)} without an event ---"
        if process_ns >= self._least_ns:
            return f"--- {format_microseconds(process_ns // 1000)} without an event of {name} ---"
        return ""

    @staticmethod
    def _since(before_ns: int | None, time_ns: int) -> int:
        return -1 if before_ns is None else time_ns - before_ns
