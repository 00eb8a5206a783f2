from __future__ import annotations

import pytest

from scopetrace.output.event_times import EventTimes, Waits

START_NS = 1_783_822_275_000_000_000
MILLISECOND_NS = 1_000_000
TIMES_NS = [START_NS + at * MILLISECOND_NS for at in (250, 1999, 1998)]

pytestmark = pytest.mark.usefixtures("utc")


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        ("abs", ["Jul 12 02:11:15.250", "Jul 12 02:11:16.999", "Jul 12 02:11:16.998"]),
        ("rel", ["+0.250", "+1.999", "+1.998"]),
        ("delta", ["+0.000", "+1.749", "-0.001"]),
    ],
)
def test_each_mode_has_milliseconds(mode, shown):
    times = EventTimes(mode, START_NS)

    assert [times.format(time_ns) for time_ns in TIMES_NS] == shown


def test_a_short_time_has_no_date():
    assert EventTimes().format(TIMES_NS[0], short=True) == "02:11:15.250"


def test_a_wait_is_of_the_session_or_of_one_process():
    waits = Waits(10 * MILLISECOND_NS)
    events = [(0, 1), (1, 2), (10, 2), (20, 2), (21, 1), (40, 1)]

    found = [waits.before(at * MILLISECOND_NS, pid, f"p[{pid}]") for at, pid in events]

    assert found == [
        "",
        "",
        "",
        "--- 10.0 ms without an event ---",
        "--- 21.0 ms without an event of p[1] ---",
        "--- 19.0 ms without an event ---",
    ]
