from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.output.units import (
    format_duration,
    format_moment,
    format_quantity,
    format_size,
    format_stamp,
    hidden_text,
)

MS = 1_000_000
SECOND = 1000 * MS
HOUR = 3600 * SECOND
DAY = 24 * HOUR


pytestmark = pytest.mark.usefixtures("berlin")


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [
        (-5, "0ms"),
        (999_999, "0ms"),
        (12 * MS, "12ms"),
        (999 * MS, "999ms"),
        (SECOND, "1s"),
        (14 * SECOND, "14s"),
        (186 * SECOND, "3m6s"),
        (60 * SECOND, "1m"),
        (HOUR - 1, "59m59s"),
        (HOUR + 125 * SECOND, "1h2m"),
        (HOUR + 5 * SECOND, "1h"),
        (2 * DAY + 3 * HOUR, "2d3h"),
        (9 * DAY + 5 * HOUR, "9d"),
    ],
)
def test_a_duration_shows_its_two_largest_units(nanoseconds, shown):
    assert format_duration(nanoseconds) == shown


@given(st.integers(0, 10**20))
def test_any_duration_is_short(nanoseconds):
    assert len(format_duration(nanoseconds)) <= 8


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (10_189, "10 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (20 * 1024**3, "20 GiB"),
        (5000 * 1024**4, "5000 TiB"),
    ],
)
def test_a_size_has_at_most_two_digits_that_matter(size, shown):
    assert format_size(size) == shown


def test_stamps_are_local_time_in_english_with_a_padded_day():
    assert format_stamp(1_783_814_400) == "Jul 12 02:00:00"
    assert format_stamp(1_767_225_599) == "Jan  1 00:59:59"


def test_a_moment_is_told_to_the_microsecond_with_its_offset():
    assert format_moment(1_783_814_400_123_456_789) == "2026-07-12 02:00:00.123456 +0200"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1_258_291, "bytes", "1.2 MiB"),
        (2048, "KiB", "2.0 MiB"),
        (50_100, "ms", "50.1 s"),
        (3_725, "s", "1h2m"),
        (35, "µs", "35 µs"),
        (1.5, "s", "1.5 s"),
        (4, "calls", "4"),
        (0.25, "requests", "0.25"),
    ],
)
def test_a_quantity_has_the_unit_that_fits_it(value, unit, shown):
    assert format_quantity(value, unit) == shown


def test_a_number_and_its_noun():
    assert hidden_text(1, "event", "-A") == "1 event hidden: -A shows it"
    assert hidden_text(2, "event", "-A") == "2 events hidden: -A shows them"
