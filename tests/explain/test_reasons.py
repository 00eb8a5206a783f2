"""Reasons by rows of reasons.txt: each is of a call that there is, and holds where it is known."""

from __future__ import annotations

import errno

import pytest

from scopetrace.explain.reasons import NUMBERS, number_of, reason_by_arguments, reasons
from scopetrace.syscalls.descriptors import Files
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import named
from support.packed_builder import call, text

ROWS = [(*key, row) for key, rows in reasons().items() for row in rows]


def reason(name, *args, error, memory=(), names=None):
    made = call(name, *args, result=-error, memory=memory)
    files = Files()
    files.names.update(names or {})
    return reason_by_arguments(Recorded(1, made.time_ns, 1000, 1, 70, "cat", *made[3:]), files)


@pytest.mark.parametrize(("name", "error", "row"), ROWS)
def test_each_row_is_of_a_call_an_error_and_arguments_that_there_are(name, error, row):
    assert isinstance(getattr(errno, error), int)
    found = [each for each in named(name) if row.arguments <= {*each_names(each)}]
    assert found
    for condition in row.conditions:
        if condition.operation in NUMBERS:
            kind = found[0].arguments[found[0].position(condition.argument)].kind
            number_of(condition.value, kind)


def each_names(row):
    return [argument.name for argument in row.arguments]


@pytest.mark.parametrize("key", reasons())
def test_a_row_without_conditions_is_the_last_one_of_its_call(key):
    assert all(row.conditions for row in reasons()[key][:-1])


def test_the_first_row_whose_conditions_all_hold_counts():
    assert reason("mremap", 0, 9, 0, 0, 0, error=errno.EINVAL) == "the new size is zero"
    assert "needs MREMAP_MAYMOVE" in reason("mremap", 0, 9, 9, 2, 0, error=errno.EINVAL)
    assert reason("mremap", 0, 9, 9, 3, 0, error=errno.EINVAL) == ""


def test_a_row_prints_the_number_of_an_argument():
    said = reason("getgroups", 3, 0, error=errno.EINVAL)

    assert said == "the process has more than 3 groups"


def test_a_descriptor_that_is_not_known_is_neither_of_a_kind_nor_not():
    args = (3, 99, 0)
    by_name = {
        name: reason("pidfd_getfd", *args, error=errno.EBADF, names={3: name})
        for name in ("pidfd", "/f")
    }

    assert by_name == {
        "pidfd": "the process has no file open as descriptor 99",
        "/f": "descriptor 3 is no pidfd",
    }
    assert reason("pidfd_getfd", *args, error=errno.EBADF) == ""


def test_a_text_that_was_not_recorded_is_not_looked_at():
    given = [text(1, "foo.a")]

    assert "no attributes begin so" in reason("setxattr", 0, 0, error=95, memory=given)
    assert reason("setxattr", 0, 0, error=95) == ""
