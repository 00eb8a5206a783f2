"""Format durations, sizes and times.

Durations have their two largest units (`3m6s`), from `12ms` to `9d`; the rest is cut off, not
rounded, so that an hour is never `60m`.
"""

from __future__ import annotations

import time
from functools import lru_cache

from scopetrace.model.counts import number_of

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SIZES = ("B", "KiB", "MiB", "GiB", "TiB")
SIZE_UNITS = {"bytes": 1, "KiB": 1024}
"""Unit of a field → bytes."""
TIME_UNITS = {"µs": 1, "ms": 1000, "s": 1_000_000}
"""Unit of a field → microseconds."""
MINUTE_US = 60_000_000
WEEK_DAYS = 7
"""A duration of so many days or more is shown in whole days."""

_MOST_CACHED = 10_000
"""Sizes and durations whose texts are kept: those of many files are few."""


def format_duration(nanoseconds: int) -> str:
    """Return a duration as `12ms`, `14s`, `3m6s`, `1h2m`, `2d3h` or `9d`; below zero is zero."""
    milliseconds = max(nanoseconds, 0) // 1_000_000
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days >= WEEK_DAYS:
        return f"{days}d"
    return _two_units(((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")))


def _two_units(counts: tuple[tuple[int, str], ...]) -> str:
    first = next(i for i, (count, _) in enumerate(counts) if count)
    return "".join(f"{count}{unit}" for count, unit in counts[first : first + 2] if count)


@lru_cache(_MOST_CACHED)
def format_size(size_bytes: int) -> str:
    """Return a size as `17 B`, `1.4 MiB`, `20 GiB`: a decimal only below ten."""
    size, unit = float(size_bytes), 0
    while round(size) >= 1024 and unit < len(SIZES) - 1:
        size, unit = size / 1024, unit + 1
    decimals = 1 if unit and size < 9.95 else 0
    return f"{size:.{decimals}f} {SIZES[unit]}"


def format_stamp(second: int) -> str:
    """Return a unix time as `Nov 23 12:10:57` in local time, for lines of events."""
    moment = time.localtime(second)
    return (
        f"{MONTHS[moment.tm_mon - 1]} {moment.tm_mday:2} "
        f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"
    )


def format_moment(time_ns: int) -> str:
    """Return a unix time in ns as `2026-11-23 12:10:57.123456 +0000`, with the local offset."""
    second, rest = divmod(time_ns, 1_000_000_000)
    moment = time.localtime(second)
    return time.strftime(f"%Y-%m-%d %H:%M:%S.{rest // 1000:06} %z", moment)


@lru_cache(_MOST_CACHED)
def format_microseconds(microseconds: int) -> str:
    """Return a duration as `35 µs`, `1.2 ms` or `3.4 s`; from a minute on as `3m6s` or `1h2m`."""
    if microseconds < 1000:
        return f"{microseconds} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.1f} ms"
    if microseconds < MINUTE_US:
        return f"{microseconds / 1_000_000:.1f} s"
    return format_duration(1000 * microseconds)


def format_quantity(value: float, unit: str) -> str:
    """Return a value of an event in a unit that fits it: `1.2 MiB`, `35 µs`; others as they are."""
    if unit in SIZE_UNITS:
        return format_size(int(value * SIZE_UNITS[unit]))
    if unit in TIME_UNITS:
        return format_microseconds(int(value * TIME_UNITS[unit]))
    return f"{value:g}" if isinstance(value, float) else str(value)


def hidden_text(count: int, noun: str, key: str) -> str:
    """Return how much is hidden, and what shows it: `2 start-up files hidden: -A shows them`."""
    return f"{number_of(count, noun)} hidden: {key} shows {'it' if count == 1 else 'them'}"
