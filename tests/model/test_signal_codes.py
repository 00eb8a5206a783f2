from __future__ import annotations

import signal

import pytest

from scopetrace.model.signal_codes import code_name


@pytest.mark.parametrize(
    ("number", "code", "name"),
    [
        (signal.SIGTERM, 0, "SI_USER"),
        (signal.SIGTERM, 128, "SI_KERNEL"),
        (signal.SIGTERM, -6, "SI_TKILL"),
        (signal.SIGSEGV, 1, "SEGV_MAPERR"),
        (signal.SIGSEGV, 128, "SI_KERNEL"),
        (signal.SIGCHLD, 1, "CLD_EXITED"),
        (signal.SIGTERM, 77, "77"),
    ],
)
def test_the_reason_of_a_signal_depends_on_the_signal(number, code, name):
    assert code_name(number, code) == name
