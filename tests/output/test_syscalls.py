"""Calls as JSON, and summed up."""

from __future__ import annotations

from scopetrace.output.syscalls import call_body, total_bodies, total_table
from scopetrace.syscalls.recorded import CallTotal, Recorded

TOTALS = [CallTotal("read", 4, 3_000_000, 1, 2_000_000), CallTotal("close", 1, 1_000_000, 0, 1)]


def test_a_call_is_an_object():
    made = Recorded(7, 1_500_000_000, 2_500, 1, 70, "prog", 71, 0, 0, -2, b"\x01\x06")

    assert call_body(made, "read(3, …) = -1 ENOENT") == {
        "id": 7,
        "time": 1.5,
        "pid": 70,
        "tid": 71,
        "proc": "prog",
        "name": "read",
        "result": -2,
        "error": "ENOENT",
        "duration_us": 2.5,
        "call": "read(3, …) = -1 ENOENT",
        "args": [3, 0, 0, 0, 0, 0],
    }


def test_totals_have_their_share_and_what_the_call_does():
    read, close = total_bodies(TOTALS)

    assert (read["percent"], read["mean_us"], read["errors"]) == (75.0, 750.0, 1)
    assert close["percent"] == 25.0
    assert "descriptor" in close["does"]


def test_times_are_exact_to_the_nanosecond_and_shares_to_a_hundredth():
    totals = [CallTotal("read", 3, 3_703, 0, 2_001), CallTotal("dup", 1, 7_640, 0, 7_640)]

    short, long = total_bodies(totals)

    assert (short["total_us"], short["mean_us"], short["longest_us"]) == (3.703, 1.234, 2.001)
    assert (short["percent"], long["percent"]) == (32.65, 67.35)


def test_the_table_ends_with_all_calls():
    table = total_table(TOTALS, 100).splitlines()

    assert table[0].split()[:3] == ["%", "TIME", "TIME"]
    assert table[1].split()[:6] == ["75.00", "3.0", "ms", "750", "µs", "4"]
    assert table[-1].split() == ["4.0", "ms", "5", "1", "total"]
    assert total_bodies([]) is not None
    assert "total" in total_table([], None)
