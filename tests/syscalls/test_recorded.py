"""Rows of the table `syscall`."""

from __future__ import annotations

import pytest

from scopetrace.model.whole_call import DAMAGED, END, SIGNAL
from scopetrace.syscalls.recorded import Recorded, call_name, error_of, read_row


def row(**changes):
    made = Recorded(1, 0, 0, 1, 70, "prog", 70, 0, 0, 3, b"\x01\x06")
    return made._replace(**changes)


def test_a_call_has_a_name_and_arguments():
    assert (row().name, row().call.args[0], row().is_call, row().error) == ("read", 3, True, "")


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (-2, "ENOENT"),
        (-95, "EOPNOTSUPP"),
        (-4095, "4095"),
        (-4096, ""),
        (0, ""),
        (None, ""),
        (-516, "516"),
    ],
)
def test_an_error_is_a_small_negative_result(result, error):
    assert error_of(result) == error
    assert row(result=result).error == error


@pytest.mark.parametrize("abi", [SIGNAL, END])
def test_what_stands_between_calls_has_no_name_and_no_error(abi):
    between = row(abi=abi, number=2, result=-2)

    assert (between.is_call, between.name, between.error) == (False, "", "")


def test_a_call_that_no_table_has_is_its_number():
    assert call_name(0, 9999) == "syscall_0x270f"


@pytest.mark.parametrize(
    "changes", [{"data": b"\x02\x06"}, {"abi": DAMAGED, "time_ns": None, "data": "text"}]
)
def test_a_row_that_no_recorder_wrote_says_nothing_of_a_call(changes):
    made = read_row(tuple(row(**changes)))

    assert (made.id, made.abi, made.is_call, made.name, made.time_ns) == (1, DAMAGED, False, "", 0)
