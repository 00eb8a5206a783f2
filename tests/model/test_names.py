from __future__ import annotations

import signal

import pytest

from scopetrace.model.names import error_name, group_name, octal_digits, signal_name, user_name
from scopetrace.model.raw import RESULT_REFUSED, RESULT_UNKNOWN


def test_the_names_are_those_of_the_system():
    assert user_name(0) == "root"
    assert group_name(0) == "root"


def test_who_has_no_name_is_called_by_number():
    assert user_name(3_999_999_999) == "3999999999"
    assert group_name(3_999_999_999) == "3999999999"
    assert user_name(2**70) == str(2**70)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (9, "SIGKILL"),
        (int(signal.SIGRTMIN), "SIGRTMIN"),
        (int(signal.SIGRTMIN) + 3, "SIGRTMIN+3"),
        (int(signal.SIGRTMAX), "SIGRTMAX"),
        (32, "signal 32"),
        (0, "signal 0"),
    ],
)
def test_signals_have_the_names_of_the_manual(number, name):
    assert signal_name(number) == name


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (2, "ENOENT"),
        (11, "EAGAIN"),
        (35, "EDEADLK"),
        (95, "EOPNOTSUPP"),
        (4000, "4000"),
        (-RESULT_REFUSED, "seccomp"),
        (-RESULT_UNKNOWN, str(2**63)),
    ],
)
def test_errors_are_called_as_in_the_manual(number, name):
    assert error_name(number) == name


@pytest.mark.parametrize(("mode", "digits"), [(0o100644, 644), (0o104755, 4755), (0o7, 7), (0, 0)])
def test_permissions_read_like_octal_digits(mode, digits):
    assert octal_digits(mode) == digits
