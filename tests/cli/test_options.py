from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.cli.options import parse_moment, parse_span, size, span
from scopetrace.model.metric import Sample

SECOND = 1_000_000_000
NOW = 1_783_814_400 * SECOND + 5
"""2026-07-12 00:00:00 UTC, two o'clock in Berlin."""


pytestmark = pytest.mark.usefixtures("berlin")


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("10s", 10 * SECOND),
        ("1h30m", 5400 * SECOND),
        ("250ms", SECOND // 4),
        ("1.5s", 3 * SECOND // 2),
        ("7d", 7 * 86400 * SECOND),
        ("2w", 14 * 86400 * SECOND),
    ],
)
def test_spans_add_their_parts(text, nanoseconds):
    assert parse_span(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "-5m", "5y", "10s!"])
def test_what_is_no_span_is_a_usage_error_that_names_it(text):
    with pytest.raises(click.BadParameter, match="not a span of time such as 10s"):
        span(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10s", NOW - 10 * SECOND),
        ("01:30", 1_783_812_600 * SECOND),
        ("01:30:07", 1_783_812_607 * SECOND),
        ("23:50", 1_783_806_600 * SECOND),
        ("2026-07-12T01:30", 1_783_812_600 * SECOND),
        ("2026-07-12 01:30:00.25", 1_783_812_600 * SECOND + SECOND // 4),
        ("2026-07-11", 1_783_720_800 * SECOND),
        ("2026-07-12T00:00:00Z", 1_783_814_400 * SECOND),
        ("2026-07-12T05:00:00+05:00", 1_783_814_400 * SECOND),
        ("1783814400", 1_783_814_400 * SECOND),
        ("1783814400.123456789", 1_783_814_400_123_456_789),
    ],
)
def test_a_moment_can_be_said_in_many_ways(text, moment):
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "soon", "25:00", "12:61", "2026-13-01", "1e9", "-5"])
def test_what_is_no_time_means_nothing(text):
    assert parse_moment(text, NOW) is None


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_none(text):
    moment = parse_moment(text, NOW)

    assert moment is None or isinstance(moment, int)


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_date_with_its_offset_keeps_its_microseconds(when):
    exact = when.replace(tzinfo=UTC)

    moment = parse_moment(exact.isoformat(), NOW)

    assert moment == (exact - datetime(1970, 1, 1, tzinfo=UTC)) // (exact.resolution) * 1000


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("0", 0), ("17", 17), ("17B", 17), ("1.5k", 1536), ("100M", 100 << 20), ("2GiB", 2 << 30)],
)
def test_sizes_count_in_1024(text, size_bytes):
    assert size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "M", "1X", "-1", "1e3"])
def test_what_is_no_size_is_a_usage_error_that_names_it(text):
    with pytest.raises(click.BadParameter, match="not a size such as"):
        size(text)


LOCALES = {
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1"},
    "UTF-16": {"PYTHONIOENCODING": "utf-16"},
}


@pytest.mark.parametrize("locale", LOCALES.values(), ids=LOCALES)
@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["events", "-j", "-a"], '"file":"/été/€/\U0001f600"'),
        (["events", "-j", "2"], '"message":"\\u001b\U0001f600"'),
        (["history", "-j"], '"command":"été"'),
        (["metrics", "-j"], '"file":"/été"'),
        (["metrics", "--format", "prometheus"], 'file="/été"'),
        (["metrics", "--format", "statsd"], "file:/été"),
        (["config", "-u", "tags.yml"], "été: €"),
        (["config", "--default"], "…"),
    ],
)
def test_what_programs_read_is_utf_8_whatever_the_locale(args, expected, locale, recorder):
    writer = recorder.start("été")
    writer.add_events(
        [
            recorder.event("fs.open", file="/été/€/\U0001f600"),
            recorder.event("stdout", "console", message="\x1b\U0001f600"),
        ]
    )
    Path("tags.yml").write_text("tags: {été: €}", encoding="utf-8")
    sample = Sample(1, 1, "fs.open", "counter", "operation", 1, {"file": "/été"})
    writer.add_metrics([sample])
    writer.finish()
    done = subprocess.run(
        [sys.executable, "-m", "scopetrace", *args],
        env={**os.environ, **locale},
        stdout=subprocess.PIPE,
        check=True,
    )

    assert expected in done.stdout.decode("utf-8")


def test_ps_speaks_utf_8_in_any_locale(recorder, home):
    """As all that has --json: it is the option that does it."""
    code = "import sys; from scopetrace.cli import main; main(['ps', '-j'])"
    code += "; print(sys.stdout.encoding)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **LOCALES["C"]},
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stdout == "utf-8\n"
